#include "common/maildir/mbox.h"

#include "common/maildir/lines.h"
#include "common/maildir/mbox_state.h"
#include "common/maildir/source.h"

#define INTERNAL_SUBJECT "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"

static struct span
line_take(struct span *rest)
{
	struct span line = span_first(*rest, span_find(*rest, '\n') + 1);

	*rest = span_after(*rest, line.n);
	return line;
}

/* ">From ", ">>From ", and so on; with none, "From ". */
static bool
line_quoted(struct span line)
{
	while (line.n > 0 && line.at[0] == '>')
		line = span_after(line, 1);
	return span_starts(line, SPAN("From "));
}

/* --- reading -------------------------------------------------------------- */

static void
body_put(struct span bytes, struct buf *out)
{
	while (bytes.n > 0) {
		struct span line = line_take(&bytes);

		buf_put(out, span_after(line, line.at[0] == '>' && line_quoted(line)));
	}
}

static void
own_put(struct span bytes, const struct mbox_state *s, struct buf *out)
{
	struct buf hold = buf_make(bytes.n);
	size_t start = out->n;
	bool ignored = false;

	body_put(span_after(bytes, s->header_bytes), &hold);
	if (s->raw)
		buf_put(out, buf_span(&hold));
	else
		lines_put_crlf(buf_span(&hold), out, &ignored);
	if (out->n - start > s->bytes)
		out->n = start + (size_t)s->bytes;
	buf_release(&hold);
}

void
mbox_content_put(struct span bytes, bool quoted, struct buf *out, bool *mixed)
{
	struct buf hold = buf_make(bytes.n);
	struct mbox_state s;
	struct span header;

	mbox_state_parse(bytes, &s);
	if (s.own) {
		own_put(bytes, &s, out);
		return;
	}
	header = span_first(bytes, s.header_bytes);
	while (header.n > 0) {
		struct span line = line_take(&header);

		if (!mbox_state_line(line, NULL))
			buf_put(&hold, line);
	}
	if (quoted)
		body_put(span_after(bytes, s.header_bytes), &hold);
	else
		buf_put(&hold, span_after(bytes, s.header_bytes));
	lines_put_crlf(buf_span(&hold), out, mixed);
	*mixed = *mixed && lines_are_lf(buf_span(&hold));
	buf_release(&hold);
}

bool
mbox_is_internal(struct span bytes)
{
	struct mbox_state s;
	struct span header;

	mbox_state_parse(bytes, &s);
	header = span_first(bytes, s.header_bytes);
	return s.internal && span_find_span(header, SPAN(INTERNAL_SUBJECT)) < header.n;
}

/* --- writing -------------------------------------------------------------- */

static const char weekdays[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* A date as ctime() has it, in UTC. */
static void
put_date(int64_t time_us, struct buf *out)
{
	int64_t seconds = time_us > 0 ? time_us / 1000000 : 0;
	int64_t days = seconds / 86400, clock = seconds % 86400;
	int64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;

	buf_putf(out, "%s %s %2d %02d:%02d:%02d %d", weekdays[days % 7],
		 months[month - 1], (int)(doy - (153 * mp + 2) / 5 + 1),
		 (int)(clock / 3600), (int)(clock / 60 % 60), (int)(clock % 60),
		 (int)(yoe + era * 400 + (month <= 2)));
}

static void
put_words(const struct span *words, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		buf_put_char(out, ' ');
		buf_put(out, words[i]);
	}
}

static void
put_base(const struct mbox_entry *e, const char *name, struct buf *out)
{
	buf_putf(out, "%s: %u %010u", name, (unsigned)e->uidvalidity,
		 (unsigned)(e->uidnext - 1));
	put_words(e->base_keywords, e->n_base_keywords, out);
	buf_put_char(out, '\n');
}

static void
put_from(int64_t time_us, struct buf *out)
{
	buf_put_str(out, "From MAILER-DAEMON ");
	put_date(time_us, out);
	buf_put_char(out, '\n');
}

static void
put_state(const struct mbox_entry *e, bool raw, struct buf *out)
{
	buf_putf(out, "X-Postroad: lines=%d bytes=%zu internal=%lld saved=%lld",
		 5 + (e->uidvalidity > 0), e->content.n, (long long)e->internal_us,
		 (long long)e->saved_us);
	if (raw)
		buf_put_str(out, " raw");
	if (e->uidvalidity > 0)
		buf_putf(out, " uidnext=%u", (unsigned)e->uidnext);
	if (e->uidl.n > 0) {
		buf_put_str(out, " uidl=");
		buf_put(out, e->uidl);
	}
	if (e->guid.n > 0) {
		buf_put_str(out, " guid=");
		buf_put(out, e->guid);
	}
	buf_put_char(out, '\n');
	if (e->uidvalidity > 0)
		put_base(e, "X-IMAPbase", out);
	buf_putf(out, "X-UID: %u\n", (unsigned)e->uid);
	buf_putf(out, "Status: %sO\n", e->flags & MAIL_SEEN ? "R" : "");
	buf_putf(out, "X-Status: %s%s%s%s\n", e->flags & MAIL_ANSWERED ? "A" : "",
		 e->flags & MAIL_FLAGGED ? "F" : "", e->flags & MAIL_DRAFT ? "T" : "",
		 e->flags & MAIL_DELETED ? "D" : "");
	buf_put_str(out, "X-Keywords:");
	put_words(e->keywords, e->n_keywords, out);
	buf_put_char(out, '\n');
}

void
mbox_put(const struct mbox_entry *e, struct buf *out)
{
	bool raw = !lines_whole(e->content);
	struct span rest = e->content;

	put_from(e->internal_us, out);
	put_state(e, raw, out);
	while (rest.n > 0) {
		struct span line = line_take(&rest);

		if (line_quoted(line))
			buf_put_char(out, '>');
		if (!raw)
			line.n -= 2;
		buf_put(out, line);
		if (!raw)
			buf_put_char(out, '\n');
	}
	buf_put_str(out, raw ? "\n\n" : "\n");
}

void
mbox_put_internal(const struct mbox_entry *e, struct buf *out)
{
	put_from(e->internal_us, out);
	buf_put_str(out, "From: Mail System Internal Data <MAILER-DAEMON@localhost>\n"
			 "Subject: " INTERNAL_SUBJECT "\n");
	put_base(e, "X-IMAP", out);
	buf_put_str(out, "Status: RO\n\n"
			 "This text is part of the internal format of your mail "
			 "folder, and is not\na real message.\n\n");
}
