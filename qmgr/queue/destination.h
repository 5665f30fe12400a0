/* qmgr/queue/destination.h - where mail goes: all domains that one route leads from,
 * or one domain
 *
 * Known by a number, found by the key that the settings give a domain. The word of
 * a domain remembers its destination (word_tag()).
 */
#pragma once

#include "qmgr/queue/words.h"

#define DESTINATION_KEY_SIZE 264 /* "to:" and a domain */

struct destination {
	char *key; /* allocated; null: free */
	uint32_t key_bytes;
	uint32_t hash;
	uint32_t generation; /* other than in tags of former ones */
	uint32_t next;       /* in its bucket, or free */
};

struct destinations {
	struct destination *at;
	uint32_t n, size;
	uint32_t free;
	uint32_t *buckets;
	uint32_t n_buckets; /* a power of two */
	uint32_t n_used;
};

void destinations_release(struct destinations *all);
