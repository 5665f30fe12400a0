/* folders of files with one message each */
#include "common/maildir/maildir_internal.h"
#include "common/mime/mime.h"

#define HEADER_MAX (256u << 10)

/* Our own list beside them, as Dovecot's. */
static const char *const lists[] = {"postroad-uidlist"};

static bool
is_eml(const char *name)
{
	return name[0] != '.' && span_ends_nocase(span_str(name), SPAN(".eml"));
}

struct walk {
	struct mail_source *s;
	const char *folder;
	unsigned depth;
	bool has_mail, failed;
	struct err *err;
};

static void walk_folder(struct walk *w);

static bool
take_entry(void *context, const struct source_entry *e)
{
	struct walk *w = context;
	struct walk below = {w->s, NULL, w->depth + 1, false, false, w->err};
	char path[SOURCE_PATH_MAX];

	if (S_ISREG(e->info.st_mode) &&
	    (is_eml(e->name) || strcmp(e->name, lists[0]) == 0))
		w->has_mail = true;
	if (!S_ISDIR(e->info.st_mode) || e->name[0] == '.' ||
	    w->depth == SOURCE_DEPTH_MAX || !source_path(w->folder, e->name, path))
		return true;
	below.folder = path;
	walk_folder(&below);
	w->failed = below.failed;
	return !w->failed;
}

/* The top is INBOX, the folders below it mailboxes of their names. */
static void
walk_folder(struct walk *w)
{
	bool top = strcmp(w->folder, ".") == 0;
	struct buf name = buf_make(8192);

	if (source_list(w->s, w->folder, take_entry, w, w->err) < 0)
		w->failed = true;
	if (!w->failed && w->has_mail &&
	    mail_folder_decode(top ? SPAN("INBOX") : span_str(w->folder), '/', &name) &&
	    !source_box_add(w->s, buf_span(&name), w->folder)) {
		err_set(w->err, "%.100s: more than %d mailboxes", w->folder,
			SOURCE_BOXES_MAX);
		w->failed = true;
	}
	buf_release(&name);
}

static void
subscriptions_read(struct mail_source *s)
{
	struct buf text = buf_make(4u << 20);
	struct span rest;

	if (source_read_file(s, "postroad-subscriptions", &text) == 0)
		for (rest = buf_span(&text); rest.n > 0;) {
			struct span line = span_cut(&rest, '\n');

			if (line.n > 0 && utf8_valid(line))
				source_subscribe(s, line);
		}
	buf_release(&text);
}

static int
eml_open(struct mail_source *s, struct err *err)
{
	struct walk w = {.s = s, .folder = ".", .err = err};

	if (s->lone)
		return is_eml(s->lone) && !source_box_add(s, SPAN("INBOX"), ".")
			   ? err_set(err, "%s: too long a name", s->lone)
			   : 0;
	walk_folder(&w);
	if (!w.failed && s->n > 0)
		subscriptions_read(s);
	return w.failed ? -1 : 0;
}

struct loading {
	struct mail_source *s;
	struct source_box *b;
	struct listed listed;
};

/* When it came: the topmost Received, else its Date, else 0. */
static int64_t
header_us(struct span bytes)
{
	struct mime_headers walk;
	struct mime_header h;
	struct mime_date date = {MIME_DATE_NONE, 0};
	int64_t sent = 0;

	mime_headers_init(&walk, span_first(bytes, HEADER_MAX));
	while (mime_headers_next(&walk, &h)) {
		if (h.id == MIME_HEADER_RECEIVED) {
			size_t at = span_find_last(h.value, ';');

			if (at < h.value.n)
				date = mime_date_parse(span_after(h.value, at + 1));
			if (date.seconds != MIME_DATE_NONE)
				return date.seconds * 1000000;
		}
		if (h.id == MIME_HEADER_DATE && sent == 0) {
			date = mime_date_parse(h.value);
			if (date.seconds != MIME_DATE_NONE)
				sent = date.seconds * 1000000;
		}
	}
	return sent;
}

static void
dates_find(struct loading *l, const struct stat *info, struct mail_message *m)
{
	buf_reset(&l->s->raw);
	if (source_read_file(l->s, m->path, &l->s->raw) == 0)
		m->internal_us = header_us(buf_span(&l->s->raw));
	if (m->internal_us == 0)
		m->internal_us = (int64_t)info->st_mtim.tv_sec * 1000000 +
				 info->st_mtim.tv_nsec / 1000;
	m->saved_us = m->internal_us;
}

/* Its flags stand in the list only. */
static void
flags_apply(const struct uidlist_row *row, struct mail_message *m)
{
	struct buf text = buf_make(256);
	struct mail_name name;

	buf_put_str(&text, ":2,");
	buf_put(&text, row->flags);
	mail_name_parse(buf_span(&text), 0, &name);
	m->flags = name.flags;
	buf_release(&text);
}

static bool
take_file(void *context, const struct source_entry *e)
{
	struct loading *l = context;
	const struct uidlist_row *row;
	char path[SOURCE_PATH_MAX];
	struct mail_message *m;

	if (!S_ISREG(e->info.st_mode) || !is_eml(e->name) ||
	    (l->s->lone && strcmp(l->s->lone, e->name) != 0) ||
	    !source_path(l->b->box.path, e->name, path))
		return true;
	m = source_message_add(l->b);
	m->name = source_keep(l->b, span_str(e->name));
	m->path = source_keep(l->b, span_make(path, strlen(path) + 1)).at;
	m->bytes = (uint64_t)e->info.st_size;
	row = listed_find(&l->listed, m->name);
	if (row) {
		listed_apply(l->b, row, m);
		flags_apply(row, m);
		m->exact = row->internal_us > 0;
	}
	if (!row || row->internal_us == 0)
		dates_find(l, &e->info, m);
	return l->b->box.n < SOURCE_MESSAGES_MAX;
}

static int
eml_load(struct mail_source *s, struct source_box *b, struct err *err)
{
	struct loading l = {.s = s, .b = b};
	int result;

	for (size_t i = 0; i < MAIL_KEYWORDS_MAX; i++)
		b->box.keywords[i] = SPAN("");
	listed_read(s, b->box.path, lists, N_ELEMS(lists), &l.listed);
	keywords_read(s, b->box.path, "postroad-keywords", MAIL_KEYWORDS_MAX, b);
	result = source_list(s, b->box.path, take_file, &l, err);
	if (result == 0)
		listed_finish(b, &l.listed);
	listed_release(&l.listed);
	return result;
}

static void
eml_content(const struct mail_message *m, struct span bytes, struct buf *out,
	    struct mail_shape *shape)
{
	if (m->exact || !lines_are_lf(bytes))
		buf_put(out, bytes);
	else
		lines_put_crlf(bytes, out, &shape->mixed);
}

const struct source_kind source_eml = {
    .format = MAIL_EML, .open = eml_open, .load = eml_load, .content = eml_content};
