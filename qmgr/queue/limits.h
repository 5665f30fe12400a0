/* qmgr/queue/limits.h - how much an account sends in an hour and in a day
 *
 * Windows slide: of the period before, as much counts as still lies within the last
 * hour or day if its messages came evenly. The table is bounded; of too many accounts
 * the one that sent least lately is forgotten. The counts are noted in the state log
 * (limited.c), at most LIMITS_NOTE_S late.
 */
#pragma once

#include "common/base/base.h"

#define LIMITS_ACCOUNTS_MAX 16384
#define LIMITS_TELL_S       3600 /* postmaster hears of an account once in so long */
#define LIMITS_NOTE_S       10

enum limit {
	LIMIT_MESSAGES_HOUR,
	LIMIT_MESSAGES_DAY,
	LIMIT_RECIPIENTS_HOUR,
	LIMIT_RECIPIENTS_DAY,
	LIMIT_COUNT,
};

struct limit_window {
	uint32_t period; /* number of it since 1970 */
	uint32_t before, now;
};

/* What is noted of an account. */
struct limit_counts {
	uint64_t account;
	uint32_t told_s;  /* when postmaster was told; 0: never */
	uint32_t noted_s; /* when these were, that a former run left; 0: by none */
	struct limit_window windows[LIMIT_COUNT];
};

struct limit_account {
	struct limit_counts counts;
	uint32_t older, newer; /* by last use */
	uint32_t next;         /* in its bucket */
	bool changed;          /* since it was noted; those used last come first */
};

struct limits {
	struct limit_account *at;
	uint32_t n, size;
	uint32_t *buckets; /* LIMITS_ACCOUNTS_MAX of them */
	uint32_t oldest, newest;
};

void limits_init(struct limits *all);
void limits_release(struct limits *all);

/* Counts a message of the account to n recipients. False, and nothing counted, when
 * that is above a maximum (0: none); *out is then the first such limit. */
MUST_USE bool
limits_take(struct limits *all, const uint64_t max[LIMIT_COUNT], uint64_t account,
	    uint32_t n, uint32_t now_s, enum limit *out);
/* Puts back what was noted. */
void limits_restore(struct limits *all, const struct limit_counts *counts);
/* Is a message that arrived then in what a former run has counted? */
MUST_USE bool
limits_counted(const struct limits *all, uint64_t account, uint32_t arrived_s);
/* Nothing that was counted then counts any more. */
MUST_USE bool limits_past(const struct limit_counts *counts, uint32_t now_s);
/* Is postmaster to be told now that the account is above a limit? */
MUST_USE bool limits_tell(struct limits *all, uint64_t account, uint32_t now_s);
/* "100 messages an hour". */
void limits_text(enum limit limit, uint64_t max, struct buf *out);
