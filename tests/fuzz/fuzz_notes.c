/* Any bytes as a record of the state log: the queue restored from them works. */
#include "qmgr/queue/queue.h"

#define NOW_S 1000

static void
messages_walk(struct queue *q)
{
	const struct entry *e;
	uint64_t after = 0;
	uint32_t segment;

	while ((e = queue_walk(q, after))) {
		after = e->id;
		if (queue_entry_status(e) > QUEUE_HELD)
			abort();
		if (!queue_command(q, after, QUEUE_REQUEUE, NOW_S))
			abort();
	}
	queue_snapshot_start(q);
	while (!queue_snapshot_step(q, 3))
		;
	queue_set_current(q, 1);
	while (queue_next_done(q, &segment))
		;
}

/* Every envelope is damaged, so all end on hold and can be removed. */
static void
messages_try(struct queue *q)
{
	const struct entry *e;
	struct queue_load load;

	queue_instance_up(q, JOB_LOCAL, 0);
	while (queue_next_load(q, NOW_S, &load))
		queue_loaded(q, load.ref, 0, memory_new(load.place.envelope_bytes, 1),
			     NOW_S);
	while ((e = queue_walk(q, 0)))
		if (!queue_command(q, e->id, QUEUE_REMOVE, NOW_S))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_config config = {
	    .active_max = 10,
	    .instances = {1, 1, 1},
	    .relay_recipients_max = 100,
	    .connections_first = 2,
	    .connections_max = 4,
	    .retry_min_s = 1,
	    .retry_max_s = 2,
	    .lifetime_s = 3
        };
	struct queue *q = queue_new(&config);
	struct cursor c = cursor_make(span_make(data, size));
	struct note n;

	while (note_next(&c, &n))
		queue_restore(q, &n, NOW_S);
	queue_restored(q);
	messages_walk(q);
	messages_try(q);
	queue_free(&q);
	return 0;
}
