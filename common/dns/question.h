/* common/dns/question.h - questions under way and answers that are still good
 *
 * Private to this room: the memory of the client (client.c), without I/O and clock.
 * A question is open until it is answered, then known until it is dropped: when it
 * is too old, or the oldest of too many. Whoever asks joins it and leaves it; it
 * lives as long as it stands in the table or somebody is there.
 */
#pragma once

#include "common/dns/client.h"

#include <sys/queue.h>

#define DNS_KEY_STS     0x10000u /* beside the enum dns_type: a policy */
#define DNS_BUCKETS     8192u    /* a power of two */
#define DNS_TAG_BUCKETS 4096u    /* the same */

TAILQ_HEAD(dns_ask_list, dns_ask);
TAILQ_HEAD(dns_question_list, dns_question);
LIST_HEAD(dns_question_bucket, dns_question);

struct dns_key {
	uint32_t type; /* enum dns_type, or DNS_KEY_STS */
	struct span name;
};

struct dns_question {
	LIST_ENTRY(dns_question) bucket, tags;
	TAILQ_ENTRY(dns_question) order; /* open: by deadline; known: by use */
	struct dns_key key;              /* its name is lower case */
	bool known, listed;              /* listed: stands in the table */
	uint64_t tag;                    /* open */
	uint64_t until_ms; /* open: the deadline; known: how long it is good */
	size_t users;
	struct dns_ask_list asks; /* who waits; the client's */
	struct dns_answer dns;    /* known; points into bytes */
	struct sts_answer sts;
	char *bytes;
	size_t n_bytes;
};

struct dns_table {
	struct dns_question_bucket buckets[DNS_BUCKETS];
	struct dns_question_bucket tags[DNS_TAG_BUCKETS];
	struct dns_question_list open[2]; /* records, policies: each by deadline */
	struct dns_question_list known;   /* least recently used first */
	size_t n_open, n_known, n_bytes;
};

void dns_table_init(struct dns_table *t);
/* Nobody may have joined a question of it any more. */
void dns_table_release(struct dns_table *t);

/* Null: it is to be asked. An answer that is too old is dropped here. */
MUST_USE struct dns_question *
dns_table_find(struct dns_table *t, struct dns_key key, uint64_t now_ms);
MUST_USE struct dns_question *dns_table_find_open(struct dns_table *t, uint64_t tag);
/* One whose deadline is over; it is to be answered. */
MUST_USE struct dns_question *dns_table_late(struct dns_table *t, uint64_t now_ms);

/* A new question is known, to nobody but its maker, as soon as an answer is set;
 * in the table it is from dns_table_open() on. */
MUST_USE struct dns_question *dns_question_new(struct dns_key key);
void dns_table_open(struct dns_table *t, struct dns_question *q, uint64_t tag,
		    uint64_t deadline_ms);
/* Copies of all that the answer points to. */
void dns_question_set_dns(struct dns_question *q, const struct dns_answer *answer);
void dns_question_set_sts(struct dns_question *q, const struct sts_answer *answer);
/* It has its answer, which is good until then; without users it may be freed. */
void dns_table_close(struct dns_table *t, struct dns_question *q, uint64_t until_ms);

void dns_question_join(struct dns_question *q);
void dns_question_leave(struct dns_question *q);
