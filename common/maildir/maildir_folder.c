/* the messages of one Maildir */
#include "common/maildir/maildir_internal.h"

#include <stdio.h>

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
	m->inode = e->info.st_ino;
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

static int
order_names(const void *a, const void *b)
{
	const struct mail_message *const *x = a, *const *y = b;
	int order = span_compare((*x)->name, (*y)->name);

	if (order == 0 && (*x)->inode != (*y)->inode)
		order = (*x)->inode < (*y)->inode ? -1 : 1;
	return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* A file that was renamed while the folder was read may have been met under both names:
 * the one that was met last is its own. */
static void
twice_met_forget(struct source_box *b)
{
	const struct mail_message **sorted =
	    memory_new(b->box.n + 1, sizeof(const struct mail_message *));
	bool *gone = memory_new(b->box.n + 1, sizeof(*gone));
	size_t kept = 0;

	for (size_t i = 0; i < b->box.n; i++)
		sorted[i] = &b->box.messages[i];
	if (b->box.n > 0)
		qsort(sorted, b->box.n, sizeof(*sorted), order_names);
	for (size_t i = 1; i < b->box.n; i++)
		if (sorted[i - 1]->inode == sorted[i]->inode &&
		    span_equal(sorted[i - 1]->name, sorted[i]->name))
			gone[sorted[i - 1] - b->box.messages] = true;
	for (size_t i = 0; i < b->box.n; i++)
		if (!gone[i])
			b->box.messages[kept++] = b->box.messages[i];
	b->box.n = kept;
	free(gone);
	free(sorted);
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
	b->box.letters_full = b->box.dovecot && b->box.n_keywords == MAILDIR_KEYWORDS;
	keywords_read(s, b->box.path, "postroad-keywords", MAIL_KEYWORDS_MAX, b);
	/* In the order in which files go, so that none is missed on its way. */
	result = take_files(&l, "new", err);
	if (result == 0)
		result = take_files(&l, "cur", err);
	if (result == 0) {
		twice_met_forget(b);
		keywords_mask(b);
		if (!b->box.dovecot)
			courier_keywords_read(s, b);
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

struct seeking {
	struct span base;
	const char *folder;
	char *path;
	bool found;
};

static bool
seek_file(void *context, const struct source_entry *e)
{
	struct seeking *seek = context;
	struct mail_name name;

	mail_name_parse(span_str(e->name), (uint64_t)e->info.st_size, &name);
	seek->found = S_ISREG(e->info.st_mode) && span_equal(name.base, seek->base) &&
		      source_path(seek->folder, e->name, seek->path);
	return !seek->found;
}

/* Its flags have changed, or it went from new to cur. */
static bool
folder_moved(struct mail_source *s, const struct mail_message *m,
	     char path[SOURCE_PATH_MAX])
{
	struct span folder =
	    span_first(span_str(m->path), span_find_last(span_str(m->path), '/'));
	char cur[SOURCE_PATH_MAX];
	struct seeking seek = {.base = m->name, .folder = cur, .path = path};
	struct err ignored;

	/* From new to cur. */
	snprintf(cur, sizeof(cur), "%.*scur", (int)(folder.n - 3), folder.at);
	return source_list(s, cur, seek_file, &seek, &ignored) == 0 && seek.found;
}

const struct source_kind source_maildir = {
    .format = MAIL_MAILDIR,
    .open = maildir_open,
    .load = folder_load,
    .moved = folder_moved,
    .content = folder_content,
};
