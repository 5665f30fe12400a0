/* Maildir++ as Dovecot has it
 *
 * Contents are written with the line ends they have: Dovecot reads CRLF as well as LF,
 * and S= and W= in the name, being equal, tell it (and us) that nothing is to be added.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/transfer/export_internal.h"

/* The folder's path: "." or ".A.B". */
static bool
folder_of(const struct export_box *b, char path[EXPORT_PATH_MAX])
{
	struct buf name = buf_make(EXPORT_PATH_MAX);
	bool fits;

	if (b->box.id == STORE_INBOX)
		buf_put_str(&name, ".");
	else
		mail_folder_encode(b->box.name, &name);
	/* A name of a directory has 255 bytes at most. */
	fits = name.n <= 255 && span_copy(buf_span(&name), path, EXPORT_PATH_MAX);
	buf_release(&name);
	return fits;
}

static int
folder_make(struct export_box *b, const char *folder)
{
	static const char *const parts[] = {"cur", "new", "tmp"};
	char path[EXPORT_PATH_MAX + 32];
	bool wrote;

	for (size_t i = 0; i < N_ELEMS(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		if (export_folder(b->ex, path) < 0)
			return -1;
	}
	if (b->box.id == STORE_INBOX)
		return 0;
	/* By this Courier's tools tell a folder from a Maildir. */
	snprintf(path, sizeof(path), "%s/maildirfolder", folder);
	return export_file(b->ex, path, path, SPAN(""), 0, &wrote);
}

/* Its name but for the flags: when it came, which message it is, how long. */
static void
base_put(const struct store_record *r, uint64_t bytes, struct buf *out)
{
	char guid[2 * STORE_GUID_BYTES + 1];

	hex_put(r->guid, sizeof(r->guid), guid);
	buf_putf(out, "%lld.M%dU%uG%s.postroad,S=%llu,W=%llu",
		 (long long)(r->internal_us / 1000000), (int)(r->internal_us % 1000000),
		 (unsigned)r->uid, guid, (unsigned long long)bytes,
		 (unsigned long long)bytes);
}

/* --- what an earlier run left --------------------------------------------- */

/* Files in cur, sorted. */
struct existing {
	char **names;
	size_t n, size;
};

static int
order_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
existing_read(const struct exporting *ex, const char *folder, struct existing *out)
{
	char path[EXPORT_PATH_MAX + 32];
	struct dirent *e;
	DIR *d;
	int fd;

	*out = (struct existing){0};
	snprintf(path, sizeof(path), "%s/cur", folder);
	fd = openat(ex->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_sys(ex->err, "%.160s", path);
	while ((e = readdir(d))) {
		if (out->n == out->size) {
			out->size = out->size ? 2 * out->size : 256;
			out->names =
			    memory_resize(out->names, out->size, sizeof(char *));
		}
		out->names[out->n++] = span_dup(span_str(e->d_name));
	}
	closedir(d);
	qsort(out->names, out->n, sizeof(char *), order_names);
	return 0;
}

static void
existing_release(struct existing *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->names[i]);
	free(x->names);
}

/* The same message with other flags gets the name it has now: it would be there twice.
 */
static void
existing_rename(const struct exporting *ex, const struct existing *x,
		const char *folder, struct span base, const char *path)
{
	char old[EXPORT_PATH_MAX + 300];
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (span_compare(span_str(x->names[middle]), base) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == x->n || !span_starts(span_str(x->names[low]), base))
		return;
	snprintf(old, sizeof(old), "%s/cur/%s", folder, x->names[low]);
	if (strcmp(old, path) != 0)
		(void)renameat(ex->dir, old, ex->dir, path);
}

/* --- messages ------------------------------------------------------------- */

/* A mailbox, its folder, and what was there. */
struct writing {
	struct export_box *b;
	char folder[EXPORT_PATH_MAX];
	struct existing existing;
};

static int
message_put(void *context, const struct store_record *r)
{
	const struct writing *w = context;
	struct export_box *b = w->b;
	uint64_t keywords = export_keywords(b, r);
	char path[EXPORT_PATH_MAX + 300], aside[EXPORT_PATH_MAX + 300];
	struct uidlist_row row = {.keywords = keywords >> MAILDIR_KEYWORDS
							      << MAILDIR_KEYWORDS};
	struct buf base = buf_make(256), name = buf_make(512);
	int result;

	base_put(r, b->ex->content.n, &base);
	buf_put(&name, buf_span(&base));
	row.file = buf_span(&base);
	snprintf(aside, sizeof(aside), "%s/tmp/%.*s", w->folder,
		 SPAN_ARG(buf_span(&name)));
	mail_name_put_flags(r->flags,
			    (uint32_t)keywords & ((1u << MAILDIR_KEYWORDS) - 1), false,
			    &name);
	snprintf(path, sizeof(path), "%s/cur/%.*s", w->folder,
		 SPAN_ARG(buf_span(&name)));
	existing_rename(b->ex, &w->existing, w->folder, row.file, path);
	result = export_listed_put(b, r, &row, path, aside);
	buf_release(&base);
	buf_release(&name);
	return result;
}

static int
lists_put(struct export_box *b, const char *folder)
{
	struct buf letters = buf_make(64u << 10), others = buf_make(64u << 10);
	struct exporting *ex = b->ex;
	char path[EXPORT_PATH_MAX + 32], aside[EXPORT_PATH_MAX + 32];
	bool wrote;
	int result;

	for (unsigned i = 0; i < b->n_keywords; i++)
		mail_keyword_put(i, b->keywords[i],
				 i < MAILDIR_KEYWORDS ? &letters : &others);
	snprintf(path, sizeof(path), "%s/dovecot-uidlist", folder);
	snprintf(aside, sizeof(aside), "%s/tmp/list", folder);
	result = export_file(ex, path, aside, buf_span(&ex->text), 0, &wrote);
	snprintf(path, sizeof(path), "%s/dovecot-keywords", folder);
	if (result == 0 && letters.n > 0)
		result = export_file(ex, path, aside, buf_span(&letters), 0, &wrote);
	snprintf(path, sizeof(path), "%s/postroad-keywords", folder);
	if (result == 0 && others.n > 0)
		result = export_file(ex, path, aside, buf_span(&others), 0, &wrote);
	buf_release(&letters);
	buf_release(&others);
	return result;
}

static int
maildir_box(struct export_box *b)
{
	struct exporting *ex = b->ex;
	struct writing w = {.b = b};
	int result;

	if (!folder_of(b, w.folder))
		return err_set(ex->err, "%.*s: too long a name for Maildir++",
			       (int)(b->box.name.n < 100 ? b->box.name.n : 100),
			       b->box.name.at);
	if (folder_make(b, w.folder) < 0 ||
	    existing_read(ex, w.folder, &w.existing) < 0)
		return -1;
	result = export_listed(b, message_put, &w);
	existing_release(&w.existing);
	return result < 0 ? -1 : lists_put(b, w.folder);
}

/* Levels are parted by '.', as in the names of folders. */
static void
name_put(struct span name, struct buf *out)
{
	struct buf coded = buf_make(EXPORT_PATH_MAX);

	mail_folder_encode(name, &coded);
	buf_put(out, span_after(buf_span(&coded), 1));
	buf_release(&coded);
}

static int
maildir_end(struct exporting *ex)
{
	return export_subscriptions(ex, "subscriptions", "tmp/list", name_put);
}

const struct export_kind export_maildir = {maildir_box, maildir_end};
