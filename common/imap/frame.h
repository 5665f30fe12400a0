/* common/imap/frame.h - one command off the front of a stream, literals and all
 *
 * What    gathers a command's lines and literals into one contiguous span, in which
 *         a literal stands as it came: {3}CRLFabc. Before each literal the caller
 *         decides: into the frame, refused, or taken by the caller itself, which is
 *         how the message of an APPEND never passes through memory.
 *         A line that ends in {n}, {n+} or ~{n} announces a literal, whatever stands
 *         before it, also when the line itself is bad or too long: so the bytes of a
 *         literal are never taken for commands. (base's crlf drops a long line whole,
 *         with what it announces; so this is a reader of its own.)
 * RFC     [RFC9051 4.3] literals, [RFC7888] non-synchronising ones, [RFC3516] "~{".
 * Memory  a buf limited by frame_bytes_max, given back while no command is under way.
 */
#pragma once

#include "common/base/base.h"

/* Of one command, lines and non-synchronising literals: more is not waited for. */
#define IMAP_DROP_MAX ((uint64_t)256 << 20)

struct imap_frame_limits {
	size_t line_bytes_max;    /* one line with its CRLF, literals not counted */
	size_t literal_bytes_max; /* one literal that goes into the frame */
	size_t frame_bytes_max;   /* all of a command */
};

struct imap_literal {
	uint64_t bytes; /* UINT64_MAX: a number beyond that, of a synchronising one */
	bool sync;      /* the client waits for "+ " */
	bool binary;    /* ~{n} */
};

enum imap_frame_result {
	IMAP_FRAME_MORE,    /* all of *in taken; the command goes on */
	IMAP_FRAME_COMMAND, /* imap_frame() is whole, its last CRLF included */
	IMAP_FRAME_LITERAL, /* one is announced: imap_frame_literal(), then one of
			     * imap_frame_accept(), _take(), _refuse() */
	IMAP_FRAME_BAD,     /* a line that is too long, or holds NUL, bare CR or LF; it
			     * is gone, BAD is owed. imap_tag() of imap_frame() may
			     * give its tag; nothing else in it is of use */
	IMAP_FRAME_FULL,    /* beyond frame_bytes_max; as above */
	IMAP_FRAME_LOST,    /* what follows cannot be told from commands, or is too much
			     * to drop: BYE, close */
};

#define IMAP_FRAME_TAIL 32

struct imap_frame {
	struct imap_frame_limits limits;
	struct buf bytes;
	size_t line; /* where the line under way begins in `bytes` */
	struct imap_literal literal;
	uint64_t left;              /* of the literal that is gathered, or dropped */
	uint64_t dropped;           /* of this command, the literal under way whole */
	char tail[IMAP_FRAME_TAIL]; /* the end of a line that is dropped */
	uint8_t tail_bytes;
	uint8_t state;  /* frame.c */
	uint8_t ending; /* the result when what is dropped is gone */
};

void imap_frame_init(struct imap_frame *f, const struct imap_frame_limits *limits);
void imap_frame_release(struct imap_frame *f);

/* Input may be cut anywhere. After COMMAND, BAD and FULL imap_frame_next() is due. */
MUST_USE enum imap_frame_result imap_frame_feed(struct imap_frame *f, struct span *in);

/* What was gathered; valid until the next call. */
MUST_USE struct span imap_frame(const struct imap_frame *f);
/* Forgets it: the next command begins. */
void imap_frame_next(struct imap_frame *f);

MUST_USE const struct imap_literal *imap_frame_literal(const struct imap_frame *f);
/* It goes into the frame. False, and nothing changed, when it does not fit: refuse. */
MUST_USE bool imap_frame_accept(struct imap_frame *f);
/* The caller takes the literal's bytes off the stream itself, exactly that many; in the
 * frame only its {n}CRLF stands. Then feed on. */
void imap_frame_take(struct imap_frame *f);
/* The command is at its end, with NO or BAD owed by the caller: a synchronising literal
 * never comes; another one, and the rest of the command, is dropped as it comes (MORE
 * until then). The result is IMAP_FRAME_COMMAND with what was gathered before it, which
 * the caller must not run; for a synchronising literal it comes at once, also from an
 * empty *in, and imap_frame_next() may be called without it. LOST when there is more
 * to drop than IMAP_DROP_MAX. */
void imap_frame_refuse(struct imap_frame *f);
