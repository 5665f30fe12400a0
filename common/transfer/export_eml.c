/* a folder a mailbox, a file a message; what they cannot tell in a list beside them */
#include <stdio.h>

#include "common/transfer/export_internal.h"

/* "folder/name", or name when the folder is the top. */
static bool
path_of(const char *folder, const char *name, char out[EXPORT_PATH_MAX])
{
	int n = folder[0] == '\0'
		    ? snprintf(out, EXPORT_PATH_MAX, "%s", name)
		    : snprintf(out, EXPORT_PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < EXPORT_PATH_MAX;
}

/* A mailbox and its folder. */
struct writing {
	struct export_box *b;
	char folder[EXPORT_PATH_MAX];
};

static int
message_put(void *context, const struct store_record *r)
{
	const struct writing *w = context;
	struct export_box *b = w->b;
	char name[32], path[EXPORT_PATH_MAX], aside[EXPORT_PATH_MAX];
	struct uidlist_row row = {.internal_us = r->internal_us,
				  .keywords = export_keywords(b, r)};
	struct buf flags = buf_make(64);
	int result = -1;

	snprintf(name, sizeof(name), "%u.eml", (unsigned)r->uid);
	mail_name_put_flags(r->flags, 0, false, &flags);
	row.flags = span_after(buf_span(&flags), 3); /* without ":2," */
	row.file = span_str(name);
	if (path_of(w->folder, name, path) && path_of(w->folder, ".part", aside))
		result = export_listed_put(b, r, &row, path, aside);
	else
		err_set(b->ex->err, "%.160s: too long a path", w->folder);
	buf_release(&flags);
	return result;
}

static int
list_put(const struct writing *w, const char *name, struct span text)
{
	char path[EXPORT_PATH_MAX], aside[EXPORT_PATH_MAX];
	bool wrote;

	if (!path_of(w->folder, name, path) || !path_of(w->folder, ".part", aside))
		return err_set(w->b->ex->err, "%.160s: too long a path", w->folder);
	return export_file(w->b->ex, path, aside, text, 0, &wrote);
}

static int
eml_box(struct export_box *b)
{
	struct buf keywords = buf_make(64u << 10);
	struct writing w = {.b = b};
	int result = 0;

	if (b->box.id != STORE_INBOX) {
		if (!export_path(b, "", w.folder))
			return err_set(b->ex->err, "too long a name of a mailbox");
		result = export_folder(b->ex, w.folder);
	}
	if (result == 0)
		result = export_listed(b, message_put, &w);
	for (unsigned i = 0; i < b->n_keywords; i++)
		mail_keyword_put(i, b->keywords[i], &keywords);
	if (result == 0)
		result = list_put(&w, "postroad-uidlist", buf_span(&b->ex->text));
	if (result == 0 && keywords.n > 0)
		result = list_put(&w, "postroad-keywords", buf_span(&keywords));
	buf_release(&keywords);
	return result;
}

static void
name_put(struct span name, struct buf *out)
{
	buf_put(out, name);
}

static int
eml_end(struct exporting *ex)
{
	return export_subscriptions(ex, "postroad-subscriptions", ".part", name_put);
}

const struct export_kind export_eml = {eml_box, eml_end};
