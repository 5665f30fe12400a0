/* mailboxes that are one file each */
#include "common/maildir/mbox_state.h"
#include "common/maildir/source_internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define WINDOW_BYTES (1u << 20)
#define HEADER_BYTES (256u << 10) /* of a header, looked at for state */
#define LINE_BYTES   1000

/* A file looked at through a window. */
struct view {
	int fd;
	uint64_t size;
	uint64_t base; /* of what `hold` has */
	struct buf hold;
	bool failed;
};

/* Up to n bytes from `offset` on; fewer at the end, or when it fails. */
static struct span
view_at(struct view *v, uint64_t offset, size_t n)
{
	struct span all;

	if (offset >= v->size)
		return SPAN("");
	if (n > v->size - offset)
		n = (size_t)(v->size - offset);
	if (offset < v->base || offset + n > v->base + v->hold.n) {
		size_t want = n > WINDOW_BYTES ? n : WINDOW_BYTES, done = 0;
		char *at;
		ssize_t got = 1;

		buf_reset(&v->hold);
		at = buf_extend(&v->hold, want);
		while (at && done < want && got > 0) {
			got = pread(v->fd, at + done, want - done,
				    (off_t)(offset + done));
			if (got < 0 && errno == EINTR)
				got = 1;
			else if (got > 0)
				done += (size_t)got;
		}
		v->failed = v->failed || !at || got < 0;
		v->base = offset;
		v->hold.n = done;
	}
	all = span_after(buf_span(&v->hold), (size_t)(offset - v->base));
	return span_first(all, n);
}

static bool
from_at(struct view *v, uint64_t offset, int64_t *time_us, size_t *bytes)
{
	struct span line = view_at(v, offset, LINE_BYTES);

	line = span_first(line, span_find(line, '\n') + 1);
	*bytes = line.n;
	return mbox_from_line(line, time_us);
}

/* Is the line before `offset`, where one begins, empty? */
static bool
empty_before(struct view *v, uint64_t offset)
{
	struct span s;

	if (offset < 3)
		return true;
	s = view_at(v, offset - 3, 3);
	return s.n == 3 && s.at[2] == '\n' &&
	       (s.at[1] == '\n' || (s.at[1] == '\r' && s.at[0] == '\n'));
}

/* The next From_ line behind an empty one, from `offset` on; the size at the end. */
static uint64_t
from_find(struct view *v, uint64_t offset)
{
	while (offset < v->size && !v->failed) {
		struct span s = view_at(v, offset, WINDOW_BYTES / 2);
		size_t at = span_find_span(s, SPAN("\nFrom ")), bytes;
		int64_t ignored;

		if (at == s.n) {
			/* It may be cut at the end of what was looked at. */
			if (offset + s.n >= v->size)
				return v->size;
			offset += s.n - 5;
			continue;
		}
		offset += at + 1;
		if (empty_before(v, offset) && from_at(v, offset, &ignored, &bytes))
			return offset;
	}
	return v->size;
}

/* Where the message that begins at `start` ends, with what parts it from the next. */
static uint64_t
message_end(struct view *v, uint64_t start, const struct mbox_state *state)
{
	uint64_t end = start + state->header_bytes + state->length;
	int64_t ignored;
	size_t bytes;

	if (!state->has_length || state->own || state->length > v->size)
		return from_find(v, start > 0 ? start - 1 : 0);
	/* Some count the empty line, some do not. */
	for (uint64_t skip = 0; skip <= 2; skip++)
		if (end + skip == v->size || from_at(v, end + skip, &ignored, &bytes))
			return end + skip;
	return from_find(v, start > 0 ? start - 1 : 0);
}

/* Without the empty line that parts it from the next. */
static uint64_t
message_trim(struct view *v, uint64_t start, uint64_t end)
{
	for (int i = 0; i < 1 && end > start; i++) {
		struct span s = view_at(v, end >= start + 3 ? end - 3 : start, 3);

		if (end - start >= 3 && s.n == 3 && s.at[2] == '\n' &&
		    s.at[1] == '\r' && s.at[0] == '\n')
			return end - 2;
		if (end - start >= 2 && empty_before(v, end))
			return end - 1;
	}
	return end;
}

/* --- keywords ------------------------------------------------------------- */

static uint64_t
keyword_bit(struct source_box *b, struct span name)
{
	size_t i = 0;

	while (i < b->box.n_keywords && !span_equal_nocase(b->box.keywords[i], name))
		i++;
	if (i == MAIL_KEYWORDS_MAX)
		return 0;
	if (i == b->box.n_keywords)
		b->box.keywords[b->box.n_keywords++] = source_keep(b, name);
	return UINT64_C(1) << i;
}

static uint64_t
keywords_of(struct source_box *b, struct span words)
{
	uint64_t bits = 0;

	while (words.n > 0) {
		struct span word = span_trim(span_cut(&words, ' '), "\t");

		if (word.n > 0)
			bits |= keyword_bit(b, word);
	}
	return bits;
}

/* --- messages ------------------------------------------------------------- */

/* Who it is: its From_ line and its header but for the state, which changes. */
static struct span
message_name(struct source_box *b, struct span header, int64_t from_us)
{
	struct buf name = buf_make(128);
	uint32_t crc = 0;
	struct span kept;

	while (header.n > 0) {
		struct span line = span_first(header, span_find(header, '\n') + 1);

		if (!mbox_state_line(line, NULL))
			crc = crc32c(crc, line);
		header = span_after(header, line.n);
	}
	buf_putf(&name, "%lld.%08x", (long long)from_us, (unsigned)crc);
	kept = source_keep(b, buf_span(&name));
	buf_release(&name);
	return kept;
}

static void
state_apply(struct source_box *b, const struct mbox_state *s, struct mail_message *m)
{
	m->flags = s->flags;
	m->uid = s->uid;
	m->keywords = keywords_of(b, s->keywords);
	m->uidl = source_keep(b, s->uidl);
	if (s->own) {
		m->internal_us = s->internal_us;
		m->saved_us = s->saved_us;
		m->has_guid = hex_parse(s->guid, m->guid, sizeof(m->guid));
	}
	if (s->uidvalidity > 0 && b->box.uidvalidity == 0) {
		b->box.uidvalidity = s->uidvalidity;
		b->box.uidnext = s->uidnext > s->uidlast ? s->uidnext : s->uidlast + 1;
		(void)keywords_of(b, s->base_keywords);
	}
}

/* Does a From_ line stand in it without a '>'? Then none is quoted. */
static bool
unquoted(struct view *v, uint64_t start, uint64_t end)
{
	return from_find(v, start) < end;
}

/* The one whose From_ line stands at *at, which then is that of the next. */
static void
message_take(struct view *v, struct source_box *b, uint64_t *at)
{
	int64_t time_us = 0;
	struct mbox_state state;
	struct mail_message *m;
	uint64_t start, end;
	struct span head;
	size_t bytes;

	(void)from_at(v, *at, &time_us, &bytes);
	start = *at + bytes;
	head = view_at(v, start, HEADER_BYTES);
	mbox_state_parse(head, &state);
	if (state.internal && mbox_is_internal(head)) {
		struct mail_message none = {0};

		state_apply(b, &state, &none);
		*at = from_find(v, start);
		return;
	}
	m = source_message_add(b);
	m->name = message_name(b, span_first(head, state.header_bytes), time_us);
	m->internal_us = m->saved_us = time_us;
	state_apply(b, &state, m);
	m->path = b->box.path;
	m->offset = start;
	end = message_end(v, start, &state);
	m->quoted = state.own || !state.has_length || !unquoted(v, start, end);
	m->bytes = (state.own ? end : message_trim(v, start, end)) - start;
	*at = end;
}

/* UIDs must ascend, or they mean nothing. */
static void
uids_check(struct source_box *b)
{
	uint32_t last = 0;

	for (size_t i = 0; i < b->box.n; i++) {
		struct mail_message *m = &b->box.messages[i];

		if (m->uid <= last || b->box.uidvalidity == 0)
			m->uid = 0;
		else
			last = m->uid;
		if (last >= b->box.uidnext && b->box.uidvalidity > 0)
			b->box.uidnext = last + 1;
	}
	for (size_t i = 0; i < b->box.n && b->box.uidvalidity > 0; i++)
		if (b->box.messages[i].uid == 0 && b->box.uidnext < UINT32_MAX - 1)
			b->box.messages[i].uid = b->box.uidnext++;
}

static int
mbox_load(struct mail_source *s, struct source_box *b, struct err *err)
{
	struct view v = {.fd = source_open_file(s, b->box.path, 0),
			 .hold = buf_make(2 * WINDOW_BYTES)};
	struct stat info;
	uint64_t at = 0;

	b->box.uidvalidity = b->box.uidnext = 0;
	if (v.fd < 0 || fstat(v.fd, &info) < 0) {
		err_sys(err, "%s", b->box.path);
		if (v.fd >= 0)
			close(v.fd);
		return -1;
	}
	v.size = (uint64_t)info.st_size;
	while (at < v.size && view_at(&v, at, 1).n == 1 &&
	       (view_at(&v, at, 1).at[0] == '\n' || view_at(&v, at, 1).at[0] == '\r'))
		at++;
	while (at < v.size && !v.failed && b->box.n < SOURCE_MESSAGES_MAX)
		message_take(&v, b, &at);
	if (v.failed)
		err_sys(err, "%s: cannot be read", b->box.path);
	else {
		uids_check(b);
		source_sort(b);
	}
	buf_release(&v.hold);
	close(v.fd);
	return v.failed ? -1 : 0;
}

/* --- files ---------------------------------------------------------------- */

static bool
is_mbox(const struct mail_source *s, const char *path, const struct stat *info)
{
	char line[LINE_BYTES];
	ssize_t got;
	int64_t ignored;
	struct span text;
	int fd;

	if (!S_ISREG(info->st_mode))
		return false;
	fd = source_open_file(s, path, 0);
	if (fd < 0)
		return false;
	got = pread(fd, line, sizeof(line), 0);
	close(fd);
	text = span_trim(span_make(line, got > 0 ? (size_t)got : 0), "\r\n");
	return mbox_from_line(span_first(text, span_find(text, '\n')), &ignored);
}

/* "Inbox", "mbox": INBOX. "A.mbox", "A.sbd/B": Apple's and Thunderbird's. */
static void
mbox_name(const char *path, struct buf *out)
{
	struct span rest = span_str(path);
	bool first = true;

	while (rest.n > 0) {
		struct span level = span_cut(&rest, '/');

		if (span_ends_nocase(level, SPAN(".sbd")))
			level.n -= 4;
		else if (span_ends_nocase(level, SPAN(".mbox")) && level.n > 5)
			level.n -= 5;
		if (first && rest.n == 0 &&
		    (span_equal_nocase(level, SPAN("mbox")) ||
		     span_equal_nocase(level, SPAN("inbox"))))
			level = SPAN("INBOX");
		if (!first && rest.n == 0 && span_equal(level, SPAN("mbox")))
			break; /* A.mbox/mbox */
		if (!first)
			buf_put_char(out, '/');
		buf_put(out, level);
		first = false;
	}
}

struct walk {
	struct mail_source *s;
	const char *folder;
	unsigned depth;
	bool failed;
	struct err *err;
};

static void
box_found(struct walk *w, const char *path)
{
	struct buf name = buf_make(8192), decoded = buf_make(8192);

	mbox_name(path, &name);
	if (mail_folder_decode(buf_span(&name), '/', &decoded) &&
	    !source_box_add(w->s, buf_span(&decoded), path)) {
		err_set(w->err, "%.100s: more than %d mailboxes", path,
			SOURCE_BOXES_MAX);
		w->failed = true;
	}
	buf_release(&name);
	buf_release(&decoded);
}

static bool
take_entry(void *context, const struct source_entry *e)
{
	struct walk *w = context;
	char path[SOURCE_PATH_MAX];
	struct walk below = *w;

	if (e->name[0] == '.' || !source_path(w->folder, e->name, path))
		return true;
	if (S_ISDIR(e->info.st_mode) && w->depth < SOURCE_DEPTH_MAX) {
		below.folder = path;
		below.depth++;
		if (source_list(w->s, path, take_entry, &below, w->err) < 0)
			below.failed = true;
		w->failed = below.failed;
	} else if (is_mbox(w->s, path, &e->info)) {
		box_found(w, path);
	}
	return !w->failed;
}

static void
subscriptions_read(struct mail_source *s)
{
	struct buf text = buf_make(4u << 20), name = buf_make(8192);
	struct span rest;

	if (source_read_file(s, ".subscriptions", &text) == 0)
		for (rest = buf_span(&text); rest.n > 0;) {
			struct span line = span_trim(span_cut(&rest, '\n'), "\r");

			buf_reset(&name);
			if (mail_folder_decode(line, '/', &name))
				source_subscribe(s, buf_span(&name));
		}
	buf_release(&text);
	buf_release(&name);
}

static int
mbox_open(struct mail_source *s, struct err *err)
{
	struct walk w = {.s = s, .folder = ".", .err = err};
	struct stat info = {.st_mode = S_IFREG};

	if (s->lone) {
		if (is_mbox(s, s->lone, &info))
			box_found(&w, s->lone);
	} else if (source_list(s, ".", take_entry, &w, err) < 0) {
		w.failed = true;
	}
	if (!w.failed && s->n > 0 && !s->lone)
		subscriptions_read(s);
	return w.failed ? -1 : 0;
}

static void
mbox_content(const struct mail_message *m, struct span bytes, struct buf *out,
	     struct mail_shape *shape)
{
	mbox_content_put(bytes, m->quoted, out, &shape->mixed);
}

const struct source_kind source_mbox = {
    .format = MAIL_MBOX, .open = mbox_open, .load = mbox_load, .content = mbox_content};
