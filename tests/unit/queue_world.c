#include "tests/unit/queue_world.h"

uint64_t
world_roll(struct world *w, uint64_t n)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % n;
}

struct queue *
world_queue(uint64_t seed)
{
	struct queue_config config = {
	    .active_max = 20,
	    .instances = {INSTANCES, INSTANCES, 1},
	    .relay_recipients_max = 2,
	    .connections_first = 2,
	    .connections_max = 3,
	    .retry_min_s = 60,
	    .retry_max_s = 600,
	    .lifetime_s = 100000000,
	    .seed = seed
        };

	return queue_new(&config);
}

/* --- the spool of the model ----------------------------------------------- */

/* Accounts from REMOTE_FROM on are on other servers, in a few domains. An address
 * begins with the target's number. */
static struct target
letter_target(const struct letter *l, unsigned i, char *address, size_t size)
{
	uint64_t number = l->accounts[i];
	struct target t = {.kind = TARGET_ACCOUNT, .account = number};

	snprintf(address, size, "%u@d%u.example", i, (unsigned)(number % DOMAINS));
	t.address = span_str(address);
	if (number >= REMOTE_FROM) {
		t.kind = TARGET_REMOTE;
		t.account = 0;
	}
	return t;
}

void
letter_envelope(const struct letter *l, struct buf *out)
{
	struct buf list = buf_make(65536);
	struct envelope e = {.sender = SPAN("s@example.org"),
			     .n_recipients = l->n_targets};

	for (unsigned i = 0; i < l->n_targets; i++) {
		struct buf targets = buf_make(1024);
		char address[40];
		struct target t = letter_target(l, i, address, sizeof(address));
		struct envelope_recipient r = {.address = SPAN("r@example.org")};

		target_put(&targets, &t);
		r.targets = buf_span(&targets);
		recipient_put(&list, &r);
		buf_release(&targets);
	}
	e.recipients = buf_span(&list);
	envelope_put(out, &e);
	buf_release(&list);
}

struct place
world_place(struct world *w, uint32_t envelope_bytes)
{
	struct place p = {.offset = w->offset,
			  .content_bytes = 100,
			  .envelope_bytes = envelope_bytes,
			  .segment = w->segment};

	w->offset += 4096;
	return p;
}

void
world_segment_next(struct world *w)
{
	w->segment++;
	w->in_segment = 0;
	w->offset = 1024;
	queue_set_current(w->q, w->segment);
}

void
letter_arrives(struct world *w)
{
	struct letter *l = &w->letters[w->n_letters];
	struct buf bytes = buf_make(65536);

	if (w->n_letters == MESSAGES)
		return;
	if (w->in_segment++ == SEGMENT_OF)
		world_segment_next(w);
	l->id = ++w->n_letters;
	l->n_targets = 1 + (unsigned)world_roll(w, TARGETS);
	for (unsigned i = 0; i < l->n_targets; i++)
		l->accounts[i] =
		    1 + i * 5 + world_roll(w, 5) + (world_roll(w, 2) ? REMOTE_FROM : 0);
	letter_envelope(l, &bytes);
	l->place = world_place(w, (uint32_t)bytes.n);
	l->on_disk = true;
	buf_release(&bytes);
	assert_true(queue_add(w->q, l->id, &l->place, 0, w->now_s));
	assert_false(queue_add(w->q, l->id, &l->place, 0, w->now_s));
}

bool
letter_finished(const struct letter *l)
{
	if (l->removed)
		return true;
	for (unsigned i = 0; i < l->n_targets; i++)
		if (l->targets[i].got < GOT_MAIL)
			return false;
	return true;
}
