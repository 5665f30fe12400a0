/* common/maildir/source_internal.h - what the files that read a source share */
#pragma once

#include <sys/stat.h>

#include "common/maildir/maildir.h"

#define SOURCE_BOXES_MAX    10000
#define SOURCE_DEPTH_MAX    20
#define SOURCE_LIST_MAX     (256u << 20) /* a dovecot-uidlist */
#define SOURCE_MESSAGES_MAX 50000000u
#define SOURCE_PATH_MAX     4096

struct source_box {
	struct mail_box box;
	struct arena arena; /* of what its messages point to */
	size_t size;        /* of its messages */
};

struct source_kind {
	enum mail_format format;
	/* Finds the mailboxes. -1: *err. */
	int (*open)(struct mail_source *s, struct err *err);
	int (*load)(struct mail_source *s, struct source_box *b, struct err *err);
	/* Where a file that is no longer under its name is now. May be null. */
	bool (*moved)(struct mail_source *s, const struct mail_message *m,
		      char path[SOURCE_PATH_MAX]);
	/* What is between the file and the message. */
	void (*content)(const struct mail_message *m, struct span bytes,
			struct buf *out, struct mail_shape *shape);
};

struct mail_source {
	const struct source_kind *kind;
	int dir;          /* all paths start there */
	int control;      /* and those of Dovecot's CONTROL= there; -1: none */
	const char *path; /* absolute */
	const char *lone; /* the file that it all is, or null */
	struct source_box *boxes;
	size_t n, size;
	struct arena arena; /* of names and paths of boxes */
	struct span *subscribed;
	size_t n_subscribed;
	struct buf raw;    /* a file that is being read */
	const void *given; /* of given.c */
};

/* --- dbox.c --------------------------------------------------------------- */

/* Is it mail of Dovecot's own kind, sdbox or mdbox, or is such a folder below it? */
MUST_USE bool source_is_dbox(struct mail_source *s);

extern const struct source_kind source_maildir, source_mbox, source_eml;

/* --- source.c ------------------------------------------------------------- */

/* Without kind, directory and mailboxes. */
MUST_USE struct mail_source *mail_source_new(void);
/* What mail_source_path() says. */
void source_path_keep(struct mail_source *s, const char *path);
/* Mailboxes in the order they are given out. */
void mail_source_order(struct mail_source *s);

/* A new mailbox; two of one name get different ones. Null beyond the limit. */
struct source_box *
source_box_add(struct mail_source *s, struct span name, const char *path);
MUST_USE struct mail_message *source_message_add(struct source_box *b);
/* A copy that lives as long as the mailbox is loaded. */
MUST_USE struct span source_keep(struct source_box *b, struct span bytes);
/* A name that is subscribed, whether there is a mailbox or not. */
void source_subscribe(struct mail_source *s, struct span name);
/* Messages in order: those with a UID by it, then the others as they are. */
void source_sort(struct source_box *b);

/* --- files.c: nothing leaves the tree, no link is followed ---------------- */

/* A descriptor, or -1 and errno. */
MUST_USE int source_open_file(const struct mail_source *s, const char *path, int flags);
/* All of a file that Dovecot keeps in the CONTROL= of a mailbox, or beside its mail. */
MUST_USE int source_read_control(const struct mail_source *s, const char *folder,
				 const char *name, struct buf *out);
/* All of a regular file, appended. -1 and errno when there is none. */
MUST_USE int
source_read_file(const struct mail_source *s, const char *path, struct buf *out);
MUST_USE bool
source_is_folder(const struct mail_source *s, const char *folder, const char *name);

struct source_entry {
	const char *name;
	struct stat info;
};

/* Each entry of a folder but "." and "..", in no order; false ends it. -1: it cannot
 * be read. */
MUST_USE int source_list(const struct mail_source *s, const char *folder,
			 bool (*each)(void *context, const struct source_entry *e),
			 void *context, struct err *err);

/* "folder/name", or name when the folder is "."; false when it is too long. */
MUST_USE bool
source_path(const char *folder, const char *name, char out[SOURCE_PATH_MAX]);
