/* imapd/session/fetch.h - what the files of FETCH share; STORE reports with it, too
 *
 * What    the items of a command are compiled once into ops. Those that a record of
 *         the index answers are put by hand into room reserved for all of them at once
 *         (fetch_line.c); those that need the summary or the content follow one by one
 *         (fetch_text.c, fetch_fields.c, fetch_section.c, fetch_binary.c). What is long
 *         goes through a stream of pieces (fetch_stream.c), which can stop anywhere.
 * Memory  a piece of SESSION_PIECE_MAX, besides one open content; rendered texts and
 *         header blocks are gathered whole, within the limits of common/mime.
 */
#pragma once

#include "imapd/session/inner.h"

/* What an op, or a step of a stream, came to. */
enum fetch_result {
	FETCH_DONE,
	FETCH_ROOM,    /* the same again when there is room */
	FETCH_TURN,    /* the same again next turn */
	FETCH_LOCK,    /* the same again in some ms */
	FETCH_GONE,    /* expunged meanwhile */
	FETCH_DAMAGED, /* *err says what: the message is left out */
	FETCH_FAULT,   /* *err */
};

/* --- header fields by name ------------------------------------------------ */

#define FETCH_LETTERS 32 /* a first letter & 31 */

struct fetch_names {
	struct span *at; /* in small letters; by first letter, and those in order */
	uint16_t first[FETCH_LETTERS + 1]; /* index of the first with that letter */
	bool inverted;                     /* HEADER.FIELDS.NOT */
	bool trace;                        /* not all of it stands in a summary */
};

/* Stretches of a header block, in order. */
struct field_runs {
	struct span *at;
	size_t n, size;
	uint64_t bytes;
	size_t lines; /* that were looked at for it */
};

enum line_ends {
	LINES_CRLF,
	LINES_BARE,   /* LF alone ends one */
	LINES_UNSURE, /* CRLF, as far as is known */
};

/* False when the arena is full. */
MUST_USE bool names_compile(const struct imap_section *section, struct arena *arena,
			    struct fetch_names *out);
/* Adds the fields of `block` that are wanted, and the empty line at its end. False, and
 * nothing added is of use, when LINES_UNSURE met a bare LF. */
MUST_USE bool names_collect(const struct fetch_names *names, struct span block,
			    enum line_ends ends, struct field_runs *out);

/* --- streams -------------------------------------------------------------- */

/* What is being put piece by piece: bytes of `held`, then of the content. */
struct fetch_stream {
	enum {
		STREAM_OFF,
		STREAM_MEASURE, /* decodes, and only counts */
		STREAM_PUT,
		STREAM_DECODE, /* puts what it decodes */
	} mode;
	bool as_is; /* a literal8: NULs stay */
	bool nul;   /* MEASURE: met one */
	uint64_t held_at;
	uint64_t at, end; /* in the content, its prefix included */
	struct mime_decoder decoder;
	uint64_t skip, left; /* of what was decoded; MEASURE: `left` counts up ... */
	uint64_t enough;     /* ... until there */
};

/* --- the command ---------------------------------------------------------- */

struct fetch;
struct fetch_op;

/* Puts at most `bytes_max` of its kind and says where it ends. */
typedef char *
fetch_put_record(const struct fetch_op *op, const struct store_record *r, char *at);
/* Puts the op's label and value, or starts a stream, or does nothing at all. */
typedef enum fetch_result fetch_put_item(struct fetch *f, const struct fetch_op *op,
					 struct buf *out, struct err *err);

struct fetch_op {
	const struct imap_fetch_item *item;
	struct span label; /* "UID " */
	fetch_put_record *record;
	fetch_put_item *put; /* null: `record`, or both null: the flags */
	struct fetch_names names;
};

#define FLAG_TEXTS 64

/* "(\Seen)" is rendered once. */
struct flag_text {
	uint32_t flags;
	bool recent;
	uint64_t keywords;
	uint32_t at, n; /* in flag_bytes; n 0: not used */
};

struct fetch {
	struct session *session;
	struct fetch_op *ops;
	size_t n_ops;
	size_t bound;   /* bytes of a line of records only, but its flags */
	bool lines;     /* records are all that is needed */
	uint32_t kinds; /* of the ops: 1 << enum imap_fetch_kind */
	bool marks;     /* sets \Seen */
	bool changed;   /* only what is newer than changed_since */
	uint64_t changed_since;
	struct flag_text flag_texts[FLAG_TEXTS];
	struct buf flag_bytes;

	struct imap_ranges numbers;
	struct view_walk walk;
	int64_t left_ns; /* of this step, by estimate */

	/* The message under way. */
	uint32_t number; /* 0: none */
	struct store_record record;
	size_t op;       /* done before it */
	size_t start;    /* where it begins in `out`; SIZE_MAX: some was sent already */
	size_t spaced;   /* the op that has the space before it */
	bool was_marked; /* \Seen was set by this command */
	bool summarized; /* `summary` is that of the message */
	bool placed;     /* its places, too */
	struct store_summary summary;
	struct store_content *content;
	struct fetch_stream stream;
	struct buf held; /* a text or header fields, while they are streamed */
	struct buf block, piece;
	struct field_runs runs;

	struct err err; /* of the message; here because a new one would be zeroed */

	/* \Seen was set of these uids, as far as message marked_to. */
	struct imap_ranges marked;
	uint32_t marked_to;

	/* How it went. */
	bool gone, damaged, fault, unknown_encoding;
};

#define FETCH_NS_LINE    120  /* a line of records only */
#define FETCH_NS_MESSAGE 1000 /* one that needs a summary */
#define FETCH_NS_CONTENT 5000 /* one that needs its content */
#define FETCH_NS_KIB     500  /* a KiB decoded or copied from a file */
#define FETCH_NS_FIELD   20   /* a line of a header that is looked at */

void fetch_init(struct fetch *f, struct session *s);
void fetch_release(struct fetch *f);

/* fetch_compile.c. False when the arena is full. */
MUST_USE bool fetch_compile(struct fetch *f, const struct imap_fetch *what, bool uid);
/* What STORE reports. */
MUST_USE bool fetch_compile_report(struct fetch *f, bool uid, bool flags, bool modseq);

/* fetch_messages.c: all of f->numbers; RUN_DONE (without a result), or what else a step
 * may be. */
enum run fetch_messages(struct fetch *f, struct step *step);

/* fetch_mark.c: before messages of which texts are fetched. RUN_DONE, RUN_LOCK. */
MUST_USE enum run fetch_mark(struct fetch *f, struct step *step);

/* fetch_line.c */
char *digits_put(char *at, uint64_t n);
struct span flags_text(struct fetch *f, const struct store_record *r);
/* "* 3 FETCH (UID 7 FLAGS (\Seen)": the ops from the first on that are of the record,
 * and ")" when that is all of them. It says how many. */
size_t line_put(struct fetch *f, uint32_t number, const struct store_record *r,
		struct buf *out);
extern const struct fetch_record_kind {
	const char *name;
	size_t bytes_max;
	fetch_put_record *put;
} fetch_record_kinds[IMAP_FETCH_RFC822_TEXT + 1]; /* by kind; put null: no such */

/* fetch_text.c, fetch_section.c, fetch_binary.c */
fetch_put_item put_text, put_preview, put_section, put_fields, put_binary,
    put_binary_size;
/* Reads the message's summary, or its content; once each. DONE and all but ROOM, TURN.
 */
MUST_USE enum fetch_result need_summary(struct fetch *f, bool places, struct err *err);
MUST_USE enum fetch_result need_content(struct fetch *f, struct err *err);

struct byte_range {
	uint64_t from, to;
};

/* Where a part stands, its prefix counted; from > to: there is none. Needs nothing
 * before. */
MUST_USE enum fetch_result
section_find(struct fetch *f, const struct imap_section *section,
	     struct byte_range *out, const struct mime_place **place, struct err *err);

/* fetch_stream.c */

/* "label {n}" of what is `held` and then the bytes at..end of the content, as far as
 * the item wants them, and streams them. */
enum fetch_result
stream_literal(struct fetch *f, const struct fetch_op *op, struct byte_range range,
	       struct buf *out, struct err *err);
void stream_measure(struct fetch *f, struct byte_range range,
		    enum mime_encoding encoding, uint64_t enough);
/* Goes on. DONE: the stream is off (or was). */
MUST_USE enum fetch_result
stream_run(struct fetch *f, struct buf *out, struct err *err);
/* NULs become 0x80: a literal can not hold one [RFC9051 9]. */
void nul_hide(char *at, char *end);
/* Appends s without them. */
void put_without_nul(struct buf *out, struct span s);
/* The part of n bytes that <offset.count> wants. */
struct byte_range item_window(const struct imap_fetch_item *item, uint64_t n);
