/* mail that Dovecot keeps in a way of its own, to say so */
#include "common/maildir/source_internal.h"

#define DEPTH_MAX 4 /* home/mdbox/mailboxes/INBOX/dbox-Mails */
#define LOOKS_MAX 2000

struct look {
	struct mail_source *s;
	const char *folder;
	unsigned depth;
	unsigned *looks; /* folders that were looked into */
	bool found;
};

static bool look_into(struct look *look);

/* sdbox: MAILBOX/dbox-Mails/u.1; mdbox the same without mail, and storage/m.1. */
static bool
is_dbox_name(const struct source_entry *e)
{
	return (S_ISDIR(e->info.st_mode) && strcmp(e->name, "dbox-Mails") == 0) ||
	       span_starts(span_str(e->name), SPAN("dovecot.map.index"));
}

static bool
look_at(void *context, const struct source_entry *e)
{
	struct look *look = context, below = *look;
	char path[SOURCE_PATH_MAX];

	if (is_dbox_name(e)) {
		look->found = true;
	} else if (S_ISDIR(e->info.st_mode) && look->depth < DEPTH_MAX &&
		   source_path(look->folder, e->name, path)) {
		below.folder = path;
		below.depth++;
		look->found = look_into(&below);
	}
	return !look->found;
}

static bool
look_into(struct look *look)
{
	struct err ignored;

	if (++*look->looks > LOOKS_MAX)
		return false;
	return source_list(look->s, look->folder, look_at, look, &ignored) == 0 &&
	       look->found;
}

bool
source_is_dbox(struct mail_source *s)
{
	unsigned looks = 0;
	struct look look = {.s = s, .folder = ".", .looks = &looks};

	/* One file of it may have been named. */
	if (s->lone)
		return span_starts(span_str(s->lone), SPAN("m.")) ||
		       span_starts(span_str(s->lone), SPAN("u."));
	return look_into(&look);
}
