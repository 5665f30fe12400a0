/* common/smtp/dot.h - take a message out of a DATA or BDAT stream
 *
 * What    undoes dot-stuffing, finds the end, and hands the body on in pieces of
 *         the input, without a copy. Bare CR and LF come out as CRLF and NUL is
 *         left out, each with its mark in `faults`: who refuses them looks
 *         there, who mends them does not.
 * RFC     [RFC5321 4.5.2] transparency. [RFC5321 2.3.8] CRLF is the only line
 *         ending: a bare CR or LF never ends a line of the dialogue, so a dot
 *         behind one is text, and no two hops can disagree about where a
 *         message ends. [RFC3030 2] BDAT bytes have no dot.
 * Trust   every input byte is the peer's; nothing here asserts on one.
 * Memory  allocates nothing; `struct dot` is a value and needs no release.
 */
#pragma once

#include "common/base/base.h"

enum {
	DOT_FAULT_BARE = 1, /* CR or LF alone */
	DOT_FAULT_NUL = 2,
	DOT_FAULT_LINE = 4, /* a line over line_bytes_max */
};

enum dot_result {
	DOT_MORE,  /* all of *in taken; the body goes on */
	DOT_PIECE, /* *piece is the next of the body; call again */
	DOT_END,   /* <CRLF>.<CRLF> found; *in starts just after it */
};

struct dot {
	enum dot_state {
		DOT_LINE, /* a line starts here */
		DOT_TEXT,
		DOT_CR,     /* a CR is held back */
		DOT_DOT,    /* the first byte of the line was a dot, and is dropped */
		DOT_DOT_CR, /* a dot, then a CR held back */
	} state;
	bool stuffed;      /* DATA; false for BDAT, which never gives DOT_END */
	bool newline_owed; /* the next piece is the CRLF of a bare CR or LF */
	unsigned faults;
	size_t line_bytes; /* of the line so far, CRLF not counted */
	size_t line_bytes_max;
};

void dot_init(struct dot *d, bool stuffed, size_t line_bytes_max);

/* The next piece of the body from the front of *in, which may be cut anywhere.
 * A piece points into the bytes of *in or at static CRLFs and is never empty. */
MUST_USE enum dot_result dot_next(struct dot *d, struct span *in, struct span *piece);

/* The last BDAT chunk is over: gives a CRLF when the message lacks one at its
 * end, as the next hop's DATA will need it. A CR held back was bare. */
struct span dot_finish(struct dot *d);

/* What a client sends for a body given in pieces of any cut: dots stuffed, bare
 * CR and LF made CRLF. `end` after the last piece adds what closes it. */
struct dot_put {
	enum {
		DOT_PUT_LINE,
		DOT_PUT_TEXT,
		DOT_PUT_CR
	} state;
};

void dot_put(struct dot_put *d, struct buf *out, struct span body);
void dot_put_end(struct dot_put *d, struct buf *out);
