/* tests/unit/queue_fixture.h - a queue with two processes of each kind, and messages
 * for it
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
	struct queue_config config = {
	    .active_max = 10,
	    .instances = {2, 2, 1},
	    .relay_recipients_max = 3,
	    .connections_first = 2,
	    .connections_max = 4,
	    .retry_min_s = 300,
	    .retry_max_s = 14400,
	    .lifetime_s = 86400,
	    .seed = 1
        };
	struct queue *q = queue_new(&config);

	for (uint32_t i = 0; i < 2; i++) {
		queue_instance_up(q, JOB_LOCAL, i);
		queue_instance_up(q, JOB_REMOTE, i);
	}
	return q;
}

static struct span fixture_sender = {"s@example.org", 13};
static uint8_t fixture_notify;
static uint32_t fixture_flags;   /* enum envelope_flag */
static uint64_t fixture_account; /* of me@example.org, who logged in; 0: nobody */

/* An envelope to the targets of the list, allocated. */
static inline char *
envelope_of(const struct target *targets, size_t n, uint32_t *bytes)
{
	struct buf list = buf_make(1u << 20), out = buf_make(1u << 20),
		   one = buf_make(1u << 20);
	char *copy;

	for (size_t i = 0; i < n; i++)
		target_put(&one, &targets[i]);
	struct envelope_recipient r = {.address = SPAN("r@example.org"),
				       .notify = fixture_notify,
				       .targets = buf_span(&one)};
	recipient_put(&list, &r);
	struct envelope e = {.flags = fixture_flags,
			     .sender = fixture_sender,
			     .account = fixture_account,
			     .recipients = buf_span(&list),
			     .n_recipients = 1};
	if (e.account != 0)
		e.login = SPAN("me@example.org");
	envelope_put(&out, &e);
	*bytes = (uint32_t)out.n;
	copy = span_dup(buf_span(&out));
	buf_release(&list);
	buf_release(&out);
	buf_release(&one);
	return copy;
}

static const struct target target_here = {
    .kind = TARGET_ACCOUNT, .account = 4, .address = {"a@example.org", 13}
};
static const struct target target_there = {
    .kind = TARGET_REMOTE, .address = {"b@example.net", 13}
};

static inline struct target
remote_to(const char *address)
{
	return (struct target){.kind = TARGET_REMOTE, .address = span_str(address)};
}

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

/* --- a remote that answers at once ---------------------------------------- */

/* The next transaction of either instance. */
static inline bool
relay_take(struct queue *q, struct queue_relay *out, uint32_t *instance, uint32_t now_s)
{
	for (*instance = 0; *instance < 2; ++*instance)
		if (queue_next_relay(q, *instance, now_s, out))
			return true;
	return false;
}

/* Every recipient of the list gets the same result. */
static inline void
relay_results(struct buf *out, struct span recipients, const struct relay_result *like)
{
	struct cursor c = cursor_make(recipients);
	struct relay_recipient r;

	while (relay_recipient_next(&c, &r)) {
		struct relay_result result = *like;

		result.ordinal = r.ordinal;
		relay_result_put(out, &result);
	}
}

static inline void
relay_end(struct queue *q, uint32_t instance, const struct queue_relay *r,
	  enum relay_connection connection, const struct relay_result *like,
	  uint32_t now_s)
{
	struct buf results = buf_make(1u << 20);
	struct ipc_relayed relayed = {
	    .job = r->job, .last = 1, .connection = (uint8_t)connection};

	relay_results(&results, r->recipients, like);
	relayed.results = buf_span(&results);
	assert_true(queue_relayed(q, instance, &relayed, now_s));
	assert_false(queue_relayed(q, instance, &relayed, now_s));
	buf_release(&results);
}

/* A transaction of one recipient ends so. */
static inline void
relay_finish(struct queue *q, uint32_t instance, uint64_t job,
	     enum relay_connection connection, enum delivery_outcome outcome,
	     const char *provider, uint32_t now_s)
{
	struct relay_result result = {.outcome = (uint8_t)outcome};
	struct buf results = buf_make(1000);
	struct ipc_relayed relayed = {.job = job,
				      .last = 1,
				      .connection = (uint8_t)connection,
				      .provider = span_str(provider)};

	relay_result_put(&results, &result);
	relayed.results = buf_span(&results);
	assert_true(queue_relayed(q, instance, &relayed, now_s));
	buf_release(&results);
}

/* The next transaction ends so; false when there is none. */
static inline bool
relay_one(struct queue *q, enum delivery_outcome outcome,
	  enum relay_connection connection, uint32_t now_s)
{
	static const struct relay_result like[] = {
	    [DELIVERY_DONE] = {.outcome = DELIVERY_DONE,
			       .code = 250,
			       .enhanced = {2, 0, 0},
			       .text = SPAN("queued"),
			       .host = SPAN("mx.example.net[192.0.2.1]")},
	    [DELIVERY_DEFERRED] = {.outcome = DELIVERY_DEFERRED,
                               .code = 451,
                               .enhanced = {4, 7, 1},
                               .text = SPAN("greylisted"),
                               .host = SPAN("mx.example.net[192.0.2.1]")},
	    [DELIVERY_FAILED] = {.outcome = DELIVERY_FAILED,
                               .code = 550,
                               .enhanced = {5, 1, 1},
                               .text = SPAN("no such user"),
                               .host = SPAN("mx.example.net[192.0.2.1]")},
	};
	struct queue_relay r;
	uint32_t instance;

	if (!relay_take(q, &r, &instance, now_s))
		return false;
	relay_end(q, instance, &r, connection, &like[outcome], now_s);
	return true;
}

/* Message `id` to another server, tried once in vain. */
static inline void
message_deferred(struct queue *q, uint64_t id, uint32_t now_s)
{
	message_start(q, id, &target_there, 1, now_s);
	assert_true(relay_one(q, DELIVERY_DEFERRED, RELAY_TALKED, now_s));
}
