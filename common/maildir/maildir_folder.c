/* the messages of one Maildir */
#include "common/maildir/maildir_internal.h"

#define FORWARDED SPAN("$Forwarded")

struct loading {
	struct mail_source *s;
	struct source_box *b;
	struct listed listed;
	const char *folder; /* its cur, then its new */
	bool passed;        /* some have P */
};

static int64_t
file_us(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

static bool
take_file(void *context, const struct source_entry *e)
{
	struct loading *l = context;
	const struct uidlist_row *row;
	char path[SOURCE_PATH_MAX];
	struct mail_message *m;
	struct mail_name name;

	if (!S_ISREG(e->info.st_mode) || e->name[0] == '.' ||
	    !source_path(l->folder, e->name, path))
		return true;
	mail_name_parse(span_str(e->name), (uint64_t)e->info.st_size, &name);
	m = source_message_add(l->b);
	m->name = source_keep(l->b, name.base);
	m->path = source_keep(l->b, span_make(path, strlen(path) + 1)).at;
	m->bytes = (uint64_t)e->info.st_size;
	m->flags = name.flags;
	m->keywords = name.keywords;
	m->exact = name.exact;
	m->internal_us = file_us(&e->info.st_mtim);
	m->saved_us = name.time_us > 0 ? name.time_us : m->internal_us;
	m->passed = name.passed;
	l->passed = l->passed || name.passed;
	row = listed_find(&l->listed, name.base);
	if (row)
		listed_apply(l->b, row, m);
	return l->b->box.n < SOURCE_MESSAGES_MAX;
}

static int
take_files(struct loading *l, const char *name, struct err *err)
{
	char path[SOURCE_PATH_MAX];

	if (!source_path(l->b->box.path, name, path) ||
	    !source_is_folder(l->s, l->b->box.path, name))
		return 0;
	l->folder = path;
	return source_list(l->s, path, take_file, l, err);
}

/* P is the keyword $Forwarded, which may have a letter besides. */
static void
passed_name(struct source_box *b)
{
	size_t at = 0, empty = MAIL_KEYWORDS_MAX;

	for (at = 0; at < MAIL_KEYWORDS_MAX; at++) {
		if (span_equal_nocase(b->box.keywords[at], FORWARDED))
			break;
		if (b->box.keywords[at].n == 0 && empty == MAIL_KEYWORDS_MAX)
			empty = at;
	}
	if (at == MAIL_KEYWORDS_MAX)
		at = empty;
	if (at == MAIL_KEYWORDS_MAX)
		return;
	b->box.keywords[at] = FORWARDED;
	if (at >= b->box.n_keywords)
		b->box.n_keywords = at + 1;
	for (size_t i = 0; i < b->box.n; i++)
		if (b->box.messages[i].passed)
			b->box.messages[i].keywords |= UINT64_C(1) << at;
}

/* Bits without a name mean nothing. */
static void
keywords_mask(struct source_box *b)
{
	uint64_t named = 0;

	for (size_t i = 0; i < b->box.n_keywords; i++)
		if (b->box.keywords[i].n > 0)
			named |= UINT64_C(1) << i;
	for (size_t i = 0; i < b->box.n; i++)
		b->box.messages[i].keywords &= named;
}

static int
folder_load(struct mail_source *s, struct source_box *b, struct err *err)
{
	static const char *const lists[] = {"dovecot-uidlist", "courierimapuiddb"};
	struct loading l = {.s = s, .b = b};
	int result;

	for (size_t i = 0; i < MAIL_KEYWORDS_MAX; i++)
		b->box.keywords[i] = SPAN("");
	listed_read(s, b->box.path, lists, N_ELEMS(lists), &l.listed);
	b->box.dovecot = l.listed.head.version == 3;
	keywords_read(s, b->box.path, "dovecot-keywords", MAILDIR_KEYWORDS, b);
	keywords_read(s, b->box.path, "postroad-keywords", MAIL_KEYWORDS_MAX, b);
	result = take_files(&l, "cur", err);
	if (result == 0)
		result = take_files(&l, "new", err);
	if (result == 0) {
		keywords_mask(b);
		if (l.passed)
			passed_name(b);
		listed_finish(b, &l.listed);
	}
	listed_release(&l.listed);
	return result;
}

static void
folder_content(const struct mail_message *m, struct span bytes, struct buf *out,
	       struct mail_shape *shape)
{
	if (m->exact || !lines_are_lf(bytes))
		buf_put(out, bytes);
	else
		lines_put_crlf(bytes, out, &shape->mixed);
}

const struct source_kind source_maildir = {MAIL_MAILDIR, maildir_open, folder_load,
					   folder_content};
