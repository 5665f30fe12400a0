/* imapd/session/search.h - what SEARCH, SORT and THREAD share; private to their files
 *
 * A command goes through phases: its keys are compiled into a program of tests, cheap
 * ones first; the program looks at message after message; SORT and THREAD gather keys
 * of what was found and put it in order; the answer is put. Each phase is called until
 * it is done, for one bounded step at a time. Message numbers do not change meanwhile;
 * a message that somebody else expunges does not match any more.
 */
#pragma once

#include "common/text/text.h"
#include "imapd/session/inner.h"

#define SEARCH_RECORDS_STEP  40000 /* messages looked at in one step, without text */
#define SEARCH_SUMMARY_COST  30    /* a summary, in such messages */
#define SEARCH_ORDER_STEP    25000 /* items moved by a step of sorting */
#define SEARCH_NODES_STEP    15000 /* nodes seen by a step of threading */
#define SEARCH_PUT_STEP      40000 /* numbers put in one step */
#define SEARCH_CHARSET_BYTES ((size_t)1 << 20)

/* What a phase came to. */
enum search_work {
	SEARCH_NEXT, /* done: the next phase */
	SEARCH_TURN,
	SEARCH_ROOM,
	SEARCH_LOCK,
	SEARCH_ENDED, /* the command is done, its result set */
};

typedef enum search_work search_phase(struct session *s, struct step *step);

/* --- the program: search_compile.c ---------------------------------------- */

/* One key, or several that are joined. */
struct search_test {
	enum imap_key_kind kind; /* never NOT */
	bool negate;
	uint8_t cost;
	struct search_test *first, *next; /* of AND and OR: by cost; siblings */
	uint64_t bits;                    /* flags or keywords */
	uint64_t number;
	int64_t from_us, to_us; /* dates: from_us <= date < to_us */
	int32_t from_day, to_day;
	struct span name, needle;          /* the needle is folded */
	struct imap_ranges own;            /* numbers of a set that no other test has */
	const struct imap_ranges *numbers; /* of a set, as message numbers */
	size_t range;                      /* of them; messages come in order */
	uint8_t guid[STORE_GUID_BYTES];
	uint32_t block; /* the block of texts that was searched for the needle last */
	bool in_block;  /* it stands somewhere in that */
	bool looked_holds;
	uint32_t looked; /* the message whose text was looked at last; 0: none */
};

struct search_program {
	struct search_test *tests; /* in the session's arena; the first is the root */
	size_t n;
	const struct imap_ranges *numbers; /* no other can match; null: all */
};

/* --- order: sort_merge.c -------------------------------------------------- */

/* What is sorted: first by `prefix`, then by the key's bytes beyond its first eight,
 * which alone are kept in `keys`. */
struct sort_item {
	uint64_t prefix;
	size_t offset;   /* of what `prefix` has not, in `keys`; THREAD: the node */
	uint32_t length; /* of the whole key */
	uint32_t number;
};

/* A merge sort that stops and goes on; stable. */
struct sort_merge {
	struct sort_item *items, *spare;
	size_t n;
	const char *keys;
	size_t width; /* of the runs that are in order; 0: not begun */
	size_t left, i, j, to;
};

/* --- threads -------------------------------------------------------------- */

/* Texts, each once, with a number kept for it. */
struct thread_name {
	uint64_t hash;
	size_t offset;
	uint32_t length;
	uint32_t value;
};

struct thread_names {
	struct buf bytes;
	struct thread_name *at;
	uint32_t *slots; /* index + 1 in `at`; open addressing, a power of two */
	size_t n, size, n_slots;
	uint64_t seed;
};

/* A message, or one that only others speak of. Node 0 is none. */
struct thread_node {
	uint32_t parent;
	uint32_t first, last, next; /* children, and siblings, in order */
	uint32_t number;            /* 0: a dummy */
	uint32_t subject;           /* 0: the empty one */
	bool reply;
	bool has_child; /* or had one */
};

struct thread {
	struct thread_node *nodes;
	size_t n, size;
	struct thread_names ids, subjects;
	/* The message whose references are being linked. */
	uint32_t message, previous;
	size_t references_done;
	/* The passes over all messages in the order of their dates. */
	size_t at;
	uint32_t *roots; /* nodes at the top, in order */
	size_t n_roots;
	uint32_t *table; /* by subject: the node that stands for it */
	bool cleared;
	struct thread_node top;
	uint32_t putting; /* the node to be put, or to be left; 0: none */
	bool put_begun, leaving;
};

/* --- texts: search_text.c ------------------------------------------------- */

/* That of a message, and of those that follow it when one after the other is asked for.
 * Valid for one step. */
struct search_text {
	uint32_t number; /* whose text `parts` is; 0: none */
	uint32_t last;   /* whose text was asked for last, in this step or before */
	struct text_parts parts;
	struct store_text_block block; /* n 0: none */
	size_t at;                     /* of the block's items */
	uint32_t blocks;               /* number of the block; 0: none yet */
};

/* --- a command under way -------------------------------------------------- */

/* What is put of the numbers found, one after the other. */
struct search_answer {
	bool begun;
	bool as_set;          /* "1:3,7" instead of "1 2 3 7" */
	bool put_one;         /* something was put of this list */
	size_t at, end;       /* positions among what was found, in its order */
	size_t range;         /* of `found` that holds position `at` */
	size_t range_at;      /* position of that range's first */
	uint32_t first, last; /* a stretch that is not put yet; 0: none */
};

struct search {
	size_t phase;
	struct search_program program;
	struct imap_ranges all;   /* every message */
	struct imap_ranges saved; /* "$", as message numbers, for all tests of it */
	bool saved_known;
	struct view_walk walk;
	int64_t now_us; /* when it began: what WITHIN is measured by */

	struct imap_ranges found; /* message numbers */
	size_t n_found;
	uint64_t modseq_first, modseq_last, modseq_highest;

	/* Budgets of the step under way. */
	int64_t records_left;
	int64_t text_left;
	bool moved;      /* a test read the view anew: records are elsewhere */
	bool broken_off; /* the step ends between two texts of one message */
	enum store_result trouble; /* what a test met that cannot be read just now */
	struct err err;
	struct search_text text;

	struct buf scratch;
	struct buf keys;
	struct sort_merge merge;
	struct thread thread;
	struct search_answer answer;
};

/* A step that walks over messages begins. */
void search_budget(struct session *s);
/* A store call gave neither OK nor DAMAGED: LOCK, TURN (the view was read anew: try
 * the message again), or ENDED. */
MUST_USE enum search_work
search_trouble(struct session *s, enum store_result result, struct err *err);

search_phase search_compile;
search_phase search_scan;
search_phase search_save;
search_phase search_put;
search_phase sort_gather;
search_phase sort_order;
search_phase thread_gather;
search_phase thread_forget_ids;
search_phase thread_forget_order;
search_phase thread_settle;
search_phase thread_gather_roots;
search_phase thread_fill_table;
search_phase thread_merge_subjects;
search_phase thread_group_subjects;
search_phase thread_arrange;
search_phase thread_put;

/* The needles and sets of a program. */
void search_program_release(struct search_program *program);
/* What a test looks at. */
struct search_candidate {
	struct session *s;
	struct search *w;
	uint32_t number;
	const struct store_record *record;
};

/* Tests that read the text. False, with w->trouble or w->moved set, when they could
 * not. */
MUST_USE bool
search_test_header(const struct search_candidate *m, struct search_test *t);
MUST_USE bool search_test_body(const struct search_candidate *m, struct search_test *t);
MUST_USE bool search_test_text(const struct search_candidate *m, struct search_test *t);
/* Texts of messages to come are there already. */
MUST_USE bool search_text_at_hand(const struct search *w);
/* The texts that are held are not valid any more. */
void search_text_forget(struct search *w);

/* Sent date [RFC5256 2.2]. */
MUST_USE int64_t search_sent_date(const struct store_summary *summary,
				  const struct store_record *record);

/* A text as i;unicode-casemap compares it byte by byte [RFC5051 2]. */
void sort_casemap(struct span utf8, struct buf *out);

/* NO [LIMIT]. */
MUST_USE enum search_work search_too_much(struct session *s);

/* Takes items and memory for as many; the keys stay the caller's. */
void sort_merge_begin(struct sort_merge *m, struct sort_item *items, size_t n,
		      const char *keys);
/* Moves at most about that many items; true when all are in order. */
MUST_USE bool sort_merge_step(struct sort_merge *m, size_t moves);
/* All are in order: only they are kept. */
void sort_merge_end(struct sort_merge *m);
void sort_merge_release(struct sort_merge *m);

/* Room for so many is made at once; there may be more, while their texts take no more
 * than so many bytes. */
void thread_names_init(struct thread_names *names, uint64_t seed, size_t expected,
		       size_t bytes_max);
/* That it takes now. */
MUST_USE size_t thread_names_bytes(const struct thread_names *names);
void thread_names_release(struct thread_names *names);
/* The number kept for a text, 0 at first; null when there is no room for more. Valid
 * until the next call. */
MUST_USE uint32_t *thread_names_get(struct thread_names *names, struct span text);

void thread_release(struct thread *t);
/* A new dummy. */
MUST_USE uint32_t thread_node_new(struct thread *t);
