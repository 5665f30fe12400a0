/* which mailboxes a Maildir, Maildir++ or LAYOUT=fs tree has */
#include "common/maildir/maildir_internal.h"

struct walk {
	struct mail_source *s;
	const char *folder; /* "." at the top */
	unsigned depth;
	bool failed;
	struct err *err;
};

static void
box_found(struct walk *w, struct span name, char separator, const char *path)
{
	struct buf decoded = buf_make(8192);

	if (mail_folder_decode(name, separator, &decoded) &&
	    !source_box_add(w->s, buf_span(&decoded), path)) {
		err_set(w->err, "%.100s: more than %d mailboxes", path,
			SOURCE_BOXES_MAX);
		w->failed = true;
	}
	buf_release(&decoded);
}

static bool
reserved(const char *name)
{
	return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
	       strcmp(name, "tmp") == 0;
}

static void walk_folder(struct walk *w);

/* ".A.B" is a mailbox of Maildir++, "A" of LAYOUT=fs, with others below it. */
static bool
take_entry(void *context, const struct source_entry *e)
{
	struct walk *w = context;
	bool dotted = e->name[0] == '.', top = strcmp(w->folder, ".") == 0;
	struct walk below = *w;
	char path[SOURCE_PATH_MAX];

	if (!S_ISDIR(e->info.st_mode) || reserved(e->name) || (dotted && !top) ||
	    !source_path(w->folder, e->name, path))
		return true;
	if (source_is_folder(w->s, path, "cur"))
		box_found(w, dotted ? span_str(path + 1) : span_str(path),
			  dotted ? '.' : '/', path);
	if (dotted || w->failed || w->depth == SOURCE_DEPTH_MAX)
		return !w->failed;
	below.folder = path;
	below.depth++;
	walk_folder(&below);
	w->failed = below.failed;
	return !w->failed;
}

static void
walk_folder(struct walk *w)
{
	if (source_list(w->s, w->folder, take_entry, w, w->err) < 0)
		w->failed = true;
}

/* --- subscriptions -------------------------------------------------------- */

/* As the files have it: Dovecot's with '.' or '/' (a namespace's), or, in its second
 * version, with tabs between the levels; Courier's with "INBOX." before all. */
static void
subscription_take(struct mail_source *s, struct span line, bool tabs, bool courier)
{
	struct buf name = buf_make(8192);
	char separator = tabs ? '\t' : span_find(line, '/') < line.n ? '/' : '.';

	if (courier && span_starts_nocase(line, SPAN("INBOX.")))
		line = span_after(line, 6);
	if (mail_folder_decode(line, separator, &name))
		source_subscribe(s, buf_span(&name));
	buf_release(&name);
}

static void
subscriptions_read(struct mail_source *s, const char *file, bool courier)
{
	struct buf text = buf_make(4u << 20);
	struct span rest;
	bool tabs;

	if (source_read_control(s, ".", file, &text) == 0) {
		rest = buf_span(&text);
		tabs = span_starts(rest, SPAN("V\t"));
		if (tabs)
			(void)span_cut(&rest, '\n');
		while (rest.n > 0)
			subscription_take(s, span_trim(span_cut(&rest, '\n'), "\r"),
					  tabs, courier);
	}
	buf_release(&text);
}

int
maildir_open(struct mail_source *s, struct err *err)
{
	struct walk w = {.s = s, .folder = ".", .err = err};

	if (s->lone)
		return 0;
	if (source_is_folder(s, ".", "cur") || source_is_folder(s, ".", "new"))
		box_found(&w, SPAN("INBOX"), '/', ".");
	if (!w.failed)
		walk_folder(&w);
	if (w.failed)
		return -1;
	if (s->n > 0) {
		subscriptions_read(s, "subscriptions", false);
		subscriptions_read(s, "courierimapsubscribed", true);
	}
	return 0;
}
