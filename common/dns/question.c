#include "common/dns/question.h"

/* --- one question --------------------------------------------------------- */

struct dns_question *
dns_question_new(struct dns_key key)
{
	struct dns_question *q = memory_new(1, sizeof(*q));
	char *name = memory_new(key.name.n + 1, 1);

	for (size_t i = 0; i < key.name.n; i++)
		name[i] = ascii_lower(key.name.at[i]);
	q->key = (struct dns_key){key.type, span_make(name, key.name.n)};
	TAILQ_INIT(&q->asks);
	return q;
}

static void
question_free(struct dns_question *q)
{
	free((char *)q->key.name.at);
	free(q->bytes);
	free(q);
}

static struct span
bytes_add(struct dns_question *q, struct span s)
{
	char *at = q->bytes + q->n_bytes;

	if (s.n > 0)
		memcpy(at, s.at, s.n);
	q->n_bytes += s.n;
	return span_make(at, s.n);
}

static void
bytes_make(struct dns_question *q, size_t n)
{
	ASSERT(!q->known);
	q->known = true;
	q->bytes = memory_new(n + 1, 1);
}

void
dns_question_set_dns(struct dns_question *q, const struct dns_answer *answer)
{
	bytes_make(q, answer->name.n + answer->records.n + answer->text.n);
	q->dns = *answer;
	q->dns.name = bytes_add(q, answer->name);
	q->dns.records = bytes_add(q, answer->records);
	q->dns.text = bytes_add(q, answer->text);
}

void
dns_question_set_sts(struct dns_question *q, const struct sts_answer *answer)
{
	bytes_make(q, answer->id.n + answer->hosts.n + answer->text.n);
	q->sts = *answer;
	q->sts.id = bytes_add(q, answer->id);
	q->sts.hosts = bytes_add(q, answer->hosts);
	q->sts.text = bytes_add(q, answer->text);
}

/* What it counts towards the limit of bytes. */
static size_t
question_bytes(const struct dns_question *q)
{
	return sizeof(*q) + q->key.name.n + q->n_bytes;
}

/* --- the table ------------------------------------------------------------ */

void
dns_table_init(struct dns_table *t)
{
	*t = (struct dns_table){0};
	for (size_t i = 0; i < N_ELEMS(t->open); i++)
		TAILQ_INIT(&t->open[i]);
	TAILQ_INIT(&t->known);
}

static struct dns_question_list *
open_list(struct dns_table *t, const struct dns_question *q)
{
	return &t->open[q->key.type == DNS_KEY_STS];
}

static struct dns_question_bucket *
bucket_of(struct dns_table *t, struct dns_key key)
{
	uint32_t hash = key.type * 2654435761u;

	for (size_t i = 0; i < key.name.n; i++)
		hash = (hash ^ (uint8_t)ascii_lower(key.name.at[i])) * 16777619u;
	return &t->buckets[(hash ^ hash >> 16) & (DNS_BUCKETS - 1)];
}

/* Out of the lists; freed unless somebody is there. */
static void
unlist(struct dns_table *t, struct dns_question *q)
{
	LIST_REMOVE(q, bucket);
	TAILQ_REMOVE(&t->known, q, order);
	t->n_known--;
	t->n_bytes -= question_bytes(q);
	q->listed = false;
	if (q->users == 0)
		question_free(q);
}

void
dns_table_release(struct dns_table *t)
{
	struct dns_question *q;

	while ((q = TAILQ_FIRST(&t->known)))
		unlist(t, q);
	for (size_t i = 0; i < N_ELEMS(t->open); i++) {
		while ((q = TAILQ_FIRST(&t->open[i]))) {
			TAILQ_REMOVE(&t->open[i], q, order);
			question_free(q);
		}
	}
}

struct dns_question *
dns_table_find(struct dns_table *t, struct dns_key key, uint64_t now_ms)
{
	struct dns_question *q;

	LIST_FOREACH(q, bucket_of(t, key), bucket)
	if (q->key.type == key.type && span_equal_nocase(q->key.name, key.name))
		break;
	if (q && q->known && q->until_ms <= now_ms) {
		unlist(t, q);
		return NULL;
	}
	if (q && q->known) {
		TAILQ_REMOVE(&t->known, q, order);
		TAILQ_INSERT_TAIL(&t->known, q, order);
	}
	return q;
}

struct dns_question *
dns_table_find_open(struct dns_table *t, uint64_t tag)
{
	struct dns_question *q;

	LIST_FOREACH(q, &t->tags[tag & (DNS_TAG_BUCKETS - 1)], tags)
	if (q->tag == tag)
		return q;
	return NULL;
}

struct dns_question *
dns_table_late(struct dns_table *t, uint64_t now_ms)
{
	for (size_t i = 0; i < N_ELEMS(t->open); i++) {
		struct dns_question *q = TAILQ_FIRST(&t->open[i]);

		if (q && q->until_ms <= now_ms)
			return q;
	}
	return NULL;
}

void
dns_table_open(struct dns_table *t, struct dns_question *q, uint64_t tag,
	       uint64_t deadline_ms)
{
	q->tag = tag;
	q->until_ms = deadline_ms;
	q->listed = true;
	LIST_INSERT_HEAD(bucket_of(t, q->key), q, bucket);
	LIST_INSERT_HEAD(&t->tags[tag & (DNS_TAG_BUCKETS - 1)], q, tags);
	TAILQ_INSERT_TAIL(open_list(t, q), q, order);
	t->n_open++;
}

void
dns_table_close(struct dns_table *t, struct dns_question *q, uint64_t until_ms)
{
	ASSERT(q->known && q->listed);
	LIST_REMOVE(q, tags);
	TAILQ_REMOVE(open_list(t, q), q, order);
	t->n_open--;
	q->until_ms = until_ms;
	TAILQ_INSERT_TAIL(&t->known, q, order);
	t->n_known++;
	t->n_bytes += question_bytes(q);
	while (t->n_known > DNS_CLIENT_CACHE_MAX ||
	       t->n_bytes > DNS_CLIENT_CACHE_BYTES_MAX)
		unlist(t, TAILQ_FIRST(&t->known));
}

void
dns_question_join(struct dns_question *q)
{
	q->users++;
}

void
dns_question_leave(struct dns_question *q)
{
	ASSERT(q->users > 0);
	if (--q->users == 0 && !q->listed)
		question_free(q);
}
