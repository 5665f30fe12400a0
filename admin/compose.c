#include "admin/compose.h"

#include <inttypes.h>
#include <time.h>

#include "common/mime/mime.h"

void
recipients_release(struct recipients *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->at[i]);
	r->n = 0;
}

void
recipients_add(struct recipients *r, struct span address, struct span origin)
{
	struct buf whole = buf_make(address.n + origin.n + 2);
	char *text;

	if (address.n == 0)
		return;
	buf_put(&whole, address);
	if (span_find(address, '@') == address.n) {
		buf_put_char(&whole, '@');
		buf_put(&whole, origin);
	}
	text = span_dup(buf_span(&whole));
	buf_release(&whole);
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->at[i], text) == 0) {
			free(text);
			return;
		}
	}
	if (r->n == COMPOSE_RECIPIENTS_MAX) {
		r->full = true;
		free(text);
		return;
	}
	r->at[r->n++] = text;
}

/* Any of LF, CRLF, CR ends a line and becomes CRLF. */
static void
put_normalised(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.at[i];

		if (c == '\r' && i + 1 < text.n && text.at[i + 1] == '\n')
			continue;
		if (c == '\n' || c == '\r')
			buf_put(out, SPAN("\r\n"));
		else if (c != '\0')
			buf_put_char(out, c);
	}
	if (text.n > 0 && text.at[text.n - 1] != '\n' && text.at[text.n - 1] != '\r')
		buf_put(out, SPAN("\r\n"));
}

/* A local part that is no dot-atom is quoted, so that SMTP can carry it. */
static void
put_address(struct buf *out, const struct mime_address *a, struct span origin)
{
	bool plain = a->mailbox.n > 0;

	for (size_t i = 0; i < a->mailbox.n; i++)
		plain = plain && !memchr("\"\\ (),:;<>@[]", a->mailbox.at[i], 13);
	if (plain) {
		buf_put(out, a->mailbox);
	} else {
		buf_put_char(out, '"');
		for (size_t i = 0; i < a->mailbox.n; i++) {
			if (a->mailbox.at[i] == '"' || a->mailbox.at[i] == '\\')
				buf_put_char(out, '\\');
			buf_put_char(out, a->mailbox.at[i]);
		}
		buf_put_char(out, '"');
	}
	buf_put_char(out, '@');
	buf_put(out, a->host.n > 0 ? a->host : origin);
}

static void
take_addresses(struct recipients *r, struct span value, struct span origin)
{
	struct mime_addresses list;
	struct buf address = buf_make(2048);

	mime_addresses_init(&list);
	if (!mime_addresses_parse(&list, value))
		r->full = true;
	for (size_t i = 0; i < list.n; i++) {
		if (list.at[i].kind != MIME_ADDRESS_MAILBOX ||
		    list.at[i].mailbox.n == 0)
			continue;
		buf_reset(&address);
		put_address(&address, &list.at[i], origin);
		recipients_add(r, buf_span(&address), origin);
	}
	buf_release(&address);
	mime_addresses_release(&list);
}

struct seen {
	bool from, date, message_id;
};

/* Copies the fields that stay, notes which are there, and takes recipients. */
static void
put_fields(const struct compose *c, struct span text, struct recipients *r,
	   struct buf *out, struct seen *seen, struct span *body)
{
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init(&walk, text);
	while (mime_headers_next(&walk, &field)) {
		bool bcc = field.id == MIME_HEADER_BCC;

		seen->from = seen->from || field.id == MIME_HEADER_FROM;
		seen->date = seen->date || field.id == MIME_HEADER_DATE;
		seen->message_id =
		    seen->message_id || field.id == MIME_HEADER_MESSAGE_ID;
		if (c->take_recipients &&
		    (bcc || field.id == MIME_HEADER_TO || field.id == MIME_HEADER_CC))
			take_addresses(r, field.value, c->origin);
		if (!(bcc && c->take_recipients))
			buf_put(out, field.raw);
	}
	*body = walk.rest;
}

static void
put_from(const struct compose *c, struct buf *out)
{
	buf_put(out, SPAN("From: "));
	if (c->full_name.n > 0) {
		buf_put_char(out, '"');
		for (size_t i = 0; i < c->full_name.n; i++) {
			char ch = c->full_name.at[i];

			if (ch == '"' || ch == '\\')
				buf_put_char(out, '\\');
			buf_put_char(out, ch >= 0 && ch < ' ' ? ' ' : ch);
		}
		buf_put(out, SPAN("\" <"));
	}
	buf_put(out, c->from.n > 0 ? c->from : SPAN("MAILER-DAEMON"));
	buf_put(out, c->full_name.n > 0 ? SPAN(">\r\n") : SPAN("\r\n"));
}

static void
put_date(const struct compose *c, struct buf *out)
{
	time_t seconds = (time_t)c->unix_s;
	char text[64];
	struct tm utc;

	if (!gmtime_r(&seconds, &utc))
		return;
	strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S +0000\r\n", &utc);
	buf_put_str(out, text);
}

static void
put_missing(const struct compose *c, const struct seen *seen, struct buf *out)
{
	if (!seen->from)
		put_from(c, out);
	if (!seen->date)
		put_date(c, out);
	if (!seen->message_id) {
		buf_putf(out, "Message-ID: <%" PRIx64 ".%" PRIx64 "@",
			 (uint64_t)c->unix_s, c->random);
		buf_put(out, c->origin);
		buf_put(out, SPAN(">\r\n"));
	}
}

/* "From someone Thu Jan  1 ..." of an mbox is no header field. */
static struct span
without_mbox_line(struct span text)
{
	if (!span_starts(text, SPAN("From ")))
		return text;
	(void)span_cut(&text, '\n');
	return text;
}

void
compose_message(const struct compose *c, struct recipients *r, struct buf *out)
{
	struct buf text = buf_make(out->max);
	struct seen seen = {0};
	struct span body;

	put_normalised(&text, without_mbox_line(c->text));
	put_fields(c, buf_span(&text), r, out, &seen, &body);
	put_missing(c, &seen, out);
	buf_put(out, SPAN("\r\n"));
	buf_put(out, body);
	out->full = out->full || text.full;
	buf_release(&text);
}
