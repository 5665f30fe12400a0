/* tests/unit/queue_fixture.h - a queue with two instances of local, and messages for it
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "qmgr/queue/queue.h"

static inline struct queue *
queue_make(void)
{
	struct queue_config config = {.active_max = 10,
				      .instances = 2,
				      .retry_min_s = 300,
				      .retry_max_s = 14400,
				      .lifetime_s = 86400,
				      .seed = 1};
	struct queue *q = queue_new(&config);

	queue_instance_up(q, 0);
	queue_instance_up(q, 1);
	return q;
}

/* An envelope to the targets of the list, allocated. */
static inline char *
envelope_of(const struct target *targets, size_t n, uint32_t *bytes)
{
	struct buf list = buf_make(65536), out = buf_make(65536), one = buf_make(65536);
	char *copy;

	for (size_t i = 0; i < n; i++)
		target_put(&one, &targets[i]);
	struct envelope_recipient r = {.address = SPAN("r@example.org"),
				       .targets = buf_span(&one)};
	recipient_put(&list, &r);
	struct envelope e = {.recipients = buf_span(&list), .n_recipients = 1};
	envelope_put(&out, &e);
	*bytes = (uint32_t)out.n;
	copy = span_dup(buf_span(&out));
	buf_release(&list);
	buf_release(&out);
	buf_release(&one);
	return copy;
}

static const struct target target_here = {
    TARGET_ACCOUNT, 4, {"a@example.org", 13},
      {0              }
};
static const struct target target_there = {
    TARGET_REMOTE, 0, {"b@example.net", 13},
      {0              }
};

/* Adds message `id` and brings it to the point where its jobs exist. */
static inline void
message_start(struct queue *q, uint64_t id, const struct target *targets, size_t n,
	      uint32_t now_s)
{
	struct queue_load load;
	uint32_t bytes;
	char *envelope = envelope_of(targets, n, &bytes);
	struct place p = {.offset = 1024 + 4096 * id,
			  .content_bytes = 10,
			  .envelope_bytes = bytes,
			  .segment = 1};

	assert_true(queue_add(q, id, &p, 0, now_s));
	assert_true(queue_next_load(q, now_s, &load));
	assert_int_equal(load.id, id);
	queue_loaded(q, load.ref, (uint64_t)now_s * 1000000, envelope, now_s);
}

/* The only waiting message is loaded again. */
static inline void
message_again(struct queue *q, const struct target *targets, size_t n, uint32_t now_s)
{
	struct queue_load load;
	uint32_t bytes;
	char *envelope = envelope_of(targets, n, &bytes);

	assert_true(queue_next_load(q, now_s, &load));
	queue_loaded(q, load.ref, 1000000000, envelope, now_s);
}
