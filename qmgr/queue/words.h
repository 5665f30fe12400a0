/* qmgr/queue/words.h - texts that many messages share, each kept once
 *
 * Reasons and domains. Word 0 is the empty text and needs no care.
 */
#pragma once

#include "common/base/base.h"

#define WORD_BYTES_MAX 512 /* longer ones are cut */

struct word {
	char *text;
	uint32_t n;
	uint32_t users;
	uint32_t hash;
	uint32_t next;                /* in its bucket, or the next free one; 0 ends */
	uint32_t tag, tag_generation; /* its destination; generation 0: not known */
};

struct words {
	struct word *at; /* [0] is not used */
	uint32_t n, size;
	uint32_t free;
	uint32_t *buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_used;
};

void words_release(struct words *w);
/* One more user of the text. */
MUST_USE uint32_t word_take(struct words *w, struct span text);
/* The word of the text, or 0; no user more. */
MUST_USE uint32_t word_find(const struct words *w, struct span text);
/* One less; *word becomes 0. */
void word_drop(struct words *w, uint32_t *word);
MUST_USE struct span word_text(const struct words *w, uint32_t word);
