/* common/imap/parse.h - a frame into a command
 *
 * What    the whole grammar of commands. One file per family: parse_mailbox.c,
 *         parse_fetch.c, parse_search.c ..., over one cursor whose failure sticks.
 * Limits  depth of parentheses, keys, items and arguments are bounded by name; beyond
 *         them it is IMAP_PARSE_LIMIT.
 */
#pragma once

#include "common/base/base.h"
#include "common/imap/command.h"

#define IMAP_LIST_DEPTH_MAX 30
#define IMAP_TAG_MAX        64

struct imap_parse_options {
	bool utf8; /* UTF8=ACCEPT or IMAP4rev2 is enabled: names are UTF-8 */
};

enum imap_parse_result {
	IMAP_PARSE_OK,
	IMAP_PARSE_BAD,     /* syntax; *text says what was expected */
	IMAP_PARSE_LIMIT,   /* beyond a limit: NO [LIMIT] or BAD, *text says which */
	IMAP_PARSE_UNKNOWN, /* no such command */
	IMAP_PARSE_NO_TAG,  /* the tag itself is bad: untagged BAD */
};

/* `frame` is a whole command, its last CRLF included. out->tag is set whenever the tag
 * could be read, also with BAD. *text is a constant string. */
MUST_USE enum imap_parse_result
imap_parse(struct span frame, const struct imap_parse_options *options,
	   struct arena *arena, struct imap_command *out, const char **text);

/* The tag at the front of what imap_frame() gives with BAD or FULL; false when there is
 * none that may be sent back. */
MUST_USE bool imap_tag(struct span frame, struct span *tag);

/* APPEND and REPLACE come in pieces, since their messages do not stand in the frame:
 *
 *   frame so far                                   call
 *   tag APPEND box (flags) "date" {n}CRLF          imap_parse_append()
 *      (flags) {n}CRLF                             imap_parse_append_next()
 *      CRLF, or  )CRLF behind UTF8 (~{n}CRLF        imap_parse_append_end()
 *
 * A literal that is announced in a frame that begins an APPEND is either the name of
 * the mailbox, which goes into the frame, or the message: imap_parse_append() tells. */
enum imap_append_result {
	IMAP_APPEND_NOT, /* not an APPEND or REPLACE, or the literal is its mailbox's
			  * name or an unfinished argument: gather it */
	IMAP_APPEND_MESSAGE, /* the literal announced last is the message */
	IMAP_APPEND_BAD,     /* syntax; the tag is in out->tag when it could be read */
};

/* `frame` ends with the {n}CRLF of the literal announced. What is given out of it lives
 * in the arena, not in the frame, which goes on to grow. */
MUST_USE enum imap_append_result
imap_parse_append(struct span frame, const struct imap_parse_options *options,
		  struct arena *arena, struct imap_command *out,
		  struct imap_append_message *message, const char **text);
/* `rest`: what came behind the last message, up to and with the next {n}CRLF. `utf8`:
 * the last message was UTF8 (~{n} and its ")" is due. */
MUST_USE enum imap_append_result
imap_parse_append_next(struct span rest, bool utf8, struct arena *arena,
		       struct imap_append_message *message, const char **text);
/* `rest`: what came behind the last message, CRLF included. */
MUST_USE bool imap_parse_append_end(struct span rest, bool utf8);
