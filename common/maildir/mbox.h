/* common/maildir/mbox.h - a mailbox in one file, pure
 *
 * What    a message is what stands between a line "From ", which has its date, and the
 *         next such line behind an empty line, or as long as its Content-Length says
 *         where that leads to one (mboxcl2). Read: mboxrd and mboxo (">From" is
 *         "From"). State stands in header lines: Status, X-Status, X-Keywords, X-UID,
 *         and in the first message X-IMAP or X-IMAPbase, whose first number is the
 *         UIDVALIDITY, the second the last UID, the rest names of keywords.
 *         Written: mboxrd with those; before them a line "X-Postroad" with what they
 *         cannot tell, so that it comes back as it was.
 * RFC     [RFC4155]
 */
#pragma once

#include "common/base/base.h"

/* Is it a line "From somebody date"? With or without its line end. */
MUST_USE bool mbox_from_line(struct span line, int64_t *time_us);

struct mbox_state {
	size_t header_bytes; /* of what was looked at: where the body begins */
	bool has_length;
	uint64_t length; /* Content-Length */
	uint32_t flags;
	uint32_t uid;
	bool internal;                 /* has X-IMAP: the message may be none */
	struct span keywords;          /* X-Keywords: names with blanks between */
	uint32_t uidvalidity, uidlast; /* X-IMAPbase; 0: none */
	struct span base_keywords;
	/* X-Postroad, which stands first. */
	bool own;
	size_t own_lines; /* header lines that are not the message's */
	bool raw;         /* line ends are the message's */
	uint64_t bytes;   /* of the message */
	int64_t internal_us, saved_us;
	uint32_t uidnext;
	struct span uidl;
	struct span guid; /* hexadecimal */
};

/* What the header that `bytes`, which are those behind the From_ line, begin with says.
 */
void mbox_state_parse(struct span bytes, struct mbox_state *out);

/* Appends the message that the bytes (all between its From_ line and the next) hold:
 * without state lines, with CRLF as line ends, and, when `quoted`, without the '>' that
 * stands before From_ lines in the body. */
void mbox_content_put(struct span bytes, bool quoted, struct buf *out, bool *mixed);

/* Is it what mail programs keep a mailbox's state in, and no mail? */
MUST_USE bool mbox_is_internal(struct span bytes);

struct mbox_entry {
	struct span content;
	int64_t internal_us, saved_us;
	uint32_t flags, uid;
	const struct span *keywords;
	size_t n_keywords;
	struct span uidl;
	struct span guid;              /* hexadecimal */
	uint32_t uidvalidity, uidnext; /* of the mailbox; 0 but in its first */
	const struct span *base_keywords;
	size_t n_base_keywords;
};

/* Appends the message, from its From_ line to the empty line behind it. */
void mbox_put(const struct mbox_entry *entry, struct buf *out);
/* What an empty mailbox keeps its state in. */
void mbox_put_internal(const struct mbox_entry *entry, struct buf *out);
