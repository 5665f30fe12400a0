/* The line of a destination: by tags, so that senders take turns, a message with many
 * recipients lets others through, and the small go before the large. */
#include "qmgr/queue/internal.h"

#define COST_JOB       64u /* of a transaction, whatever is in it */
#define COST_RECIPIENT 8u
#define COST_BYTES     1024u /* so many cost 1 */

static void
slot_put(struct queue *q, struct line *l, uint32_t i, uint32_t job)
{
	l->jobs[i] = job;
	q->jobs[job].line_at = i;
}

static bool
before(const struct queue *q, uint32_t a, uint32_t b)
{
	return q->jobs[a].tag < q->jobs[b].tag;
}

static void
sift_up(struct queue *q, struct line *l, uint32_t i, uint32_t job)
{
	while (i > 0 && before(q, job, l->jobs[(i - 1) / 2])) {
		slot_put(q, l, i, l->jobs[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	slot_put(q, l, i, job);
}

static void
sift_down(struct queue *q, struct line *l, uint32_t i, uint32_t job)
{
	for (;;) {
		uint32_t child = i * 2 + 1;

		if (child >= l->n)
			break;
		if (child + 1 < l->n && before(q, l->jobs[child + 1], l->jobs[child]))
			child++;
		if (!before(q, l->jobs[child], job))
			break;
		slot_put(q, l, i, l->jobs[child]);
		i = child;
	}
	slot_put(q, l, i, job);
}

static uint64_t
cost(const struct queue *q, const struct job *j)
{
	const struct entry *e = entry_at(&q->entries, q->works[j->work].ref);

	return COST_JOB + j->n * COST_RECIPIENT + e->content_bytes / COST_BYTES;
}

/* A tag says when it would be done if all in line were served alike. */
void
line_add(struct queue *q, uint32_t job)
{
	struct job *j = &q->jobs[job];
	struct flow *f = &q->destinations.flows.at[j->flow];
	struct line *l = &q->destinations.at[j->destination].line;

	j->tag = (f->tag > l->tag ? f->tag : l->tag) + cost(q, j);
	f->tag = j->tag;
	if (l->n == l->size) {
		l->size = l->size ? l->size * 2 : 8;
		l->jobs = memory_resize(l->jobs, l->size, sizeof(*l->jobs));
	}
	sift_up(q, l, l->n++, job);
}

void
line_remove(struct queue *q, const struct job *j)
{
	struct line *l = &q->destinations.at[j->destination].line;
	uint32_t i = j->line_at, last = l->jobs[--l->n];

	ASSERT(i <= l->n && l->jobs[i] == (uint32_t)(j - q->jobs));
	if (i == l->n)
		return;
	if (i > 0 && before(q, last, l->jobs[(i - 1) / 2]))
		sift_up(q, l, i, last);
	else
		sift_down(q, l, i, last);
}

struct job *
line_take(struct queue *q, struct line *l)
{
	struct job *j = &q->jobs[l->jobs[0]];

	line_remove(q, j);
	l->tag = j->tag;
	return j;
}
