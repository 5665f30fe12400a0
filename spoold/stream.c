#include "spoold/stream.h"

#include "spoold/opening.h"

/* What the store counts for a stream, by the state it is in. */
static void
count(struct stream *st, bool add)
{
	struct store *s = st->client->store;

	if (!add) {
		if (st->state == STREAM_HELD)
			s->held_bytes -= st->counted;
		if (st->state == STREAM_OPENING) {
			s->waiting_bytes -= st->counted;
			st->client->opening_bytes -= st->counted;
		}
		return;
	}
	st->counted = st->held.n;
	if (st->state == STREAM_HELD)
		s->held_bytes += st->counted;
	if (st->state == STREAM_OPENING) {
		s->waiting_bytes += st->counted;
		st->client->opening_bytes += st->counted;
	}
}

void
stream_enter(struct stream *st, enum stream_state to)
{
	count(st, false);
	if (to == STREAM_WRITING || to == STREAM_REFUSED)
		buf_release(&st->held);
	if (to == STREAM_REFUSED && st->segment) {
		if (st->segment->state == SEGMENT_OPEN)
			st->segment->state = SEGMENT_UNUSED;
		st->segment = NULL;
	}
	st->state = to;
	count(st, true);
}

void
stream_refuse(struct stream *st, enum spool_outcome outcome)
{
	st->outcome = outcome;
	stream_enter(st, STREAM_REFUSED);
}

static struct stream **
stream_find(struct client *c, uint64_t id)
{
	struct stream **at = &c->streams[id % STREAM_HASH_BUCKETS];

	while (*at && (*at)->head.id != id)
		at = &(*at)->next;
	return at;
}

/* Takes it out of its client and frees it, unless its file is just being made. */
static void
stream_end(struct stream **at)
{
	struct stream *st = *at;

	*at = st->next;
	st->client->n_streams--;
	stream_enter(st, STREAM_REFUSED);
	st->client = NULL;
	if (!st->opening)
		free(st);
}

void
stream_finish(struct stream *st)
{
	struct client *c = st->client;
	struct err err;

	if (st->state == STREAM_WRITING) {
		struct segment *g = st->segment;

		if (segment_stream_end(g, &st->head, c->origin, st->payload_bytes,
				       &err) == LOG_OK) {
			g->state = SEGMENT_SEALED;
			st->segment = NULL;
		} else {
			store_fail(c->store, g, &err);
			stream_refuse(st, store_outcome(&err));
		}
	}
	if (st->state == STREAM_HELD) {
		struct letter letter = {st->head, c->origin, buf_span(&st->held)};

		store_put(c->store, &letter);
	}
	if (st->state == STREAM_REFUSED)
		store_answer(c->store, c->origin, st->head.id, st->outcome);
	stream_end(stream_find(c, st->head.id));
}

void
stream_write(struct stream *st, struct span bytes)
{
	struct store *s = st->client->store;
	struct err err;

	switch (log_stream_piece(&st->segment->writer, &bytes, 1, &err)) {
	case LOG_OK:
		st->payload_bytes += bytes.n;
		return;
	case LOG_FULL:
		stream_refuse(st, SPOOL_FAULT);
		return;
	case LOG_DEAD:
		store_fail(s, st->segment, &err);
		stream_refuse(st, store_outcome(&err));
		return;
	}
}

static void
stream_hold(struct stream *st, struct span bytes)
{
	count(st, false);
	buf_put(&st->held, bytes);
	count(st, true);
	if (st->held.full)
		stream_refuse(st, SPOOL_FAULT);
}

static void
stream_take(struct stream *st, struct span bytes)
{
	const struct store *s = st->client->store;

	if (st->state == STREAM_WRITING) {
		stream_write(st, bytes);
		return;
	}
	if (st->state == STREAM_REFUSED)
		return;
	stream_hold(st, bytes);
	if (st->state == STREAM_HELD &&
	    (st->held.n > SPOOL_SHARED_MAX - SPOOL_HEAD_BYTES ||
	     s->held_bytes > STORE_HELD_MAX))
		stream_open(st, 0);
}

struct client *
client_new(struct store *s, struct origin origin)
{
	struct client *c = memory_new(1, sizeof(*c));

	c->store = s;
	c->origin = origin;
	return c;
}

void
client_free(struct client **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < STREAM_HASH_BUCKETS; i++)
		while ((*c)->streams[i])
			stream_end(&(*c)->streams[i]);
	free(*c);
	*c = NULL;
}

bool
client_full(const struct client *c)
{
	return c->opening_bytes > STREAM_OPENING_MAX;
}

bool
client_put(struct client *c, uint64_t id, uint32_t envelope_bytes, struct span bytes,
	   uint64_t now_us)
{
	struct letter letter = {
	    .head = {id, now_us, envelope_bytes, 0},
	    .origin = c->origin,
	    .bytes = bytes
        };

	if (envelope_bytes > bytes.n || !id_grants_use(&c->grants, id))
		return false;
	store_put(c->store, &letter);
	return true;
}

bool
client_begin(struct client *c, uint64_t id, uint32_t envelope_bytes, uint64_t size_hint,
	     struct span bytes, uint64_t now_us)
{
	struct stream **at = stream_find(c, id);
	struct stream *st;

	if (envelope_bytes > ENVELOPE_BYTES_MAX || !id_grants_use(&c->grants, id))
		return false;
	st = memory_new(1, sizeof(*st));
	st->client = c;
	st->head = (struct spool_head){id, now_us, envelope_bytes, 0};
	st->held = buf_make(STORE_WAITING_MAX);
	*at = st;
	c->n_streams++;
	if (c->n_streams > STREAMS_MAX)
		stream_refuse(st, SPOOL_FAULT);
	else if (size_hint > SPOOL_SHARED_MAX)
		stream_open(st, size_hint);
	stream_take(st, bytes);
	return true;
}

bool
client_piece(struct client *c, uint64_t id, struct span bytes)
{
	struct stream *st = *stream_find(c, id);

	if (!st || st->ended)
		return false;
	stream_take(st, bytes);
	return true;
}

/* Everything that was sent of it, the envelope at least. */
static bool
envelope_complete(const struct stream *st)
{
	uint64_t n = st->state == STREAM_WRITING ? st->payload_bytes
						 : SPOOL_HEAD_BYTES + st->held.n;

	return st->state == STREAM_REFUSED ||
	       n >= SPOOL_HEAD_BYTES + st->head.envelope_bytes;
}

bool
client_end(struct client *c, uint64_t id)
{
	struct stream *st = *stream_find(c, id);

	if (!st || st->ended || !envelope_complete(st))
		return false;
	st->ended = true;
	if (st->state != STREAM_OPENING)
		stream_finish(st);
	return true;
}

bool
client_abort(struct client *c, uint64_t id)
{
	struct stream **at = stream_find(c, id);

	if (*at && (*at)->ended)
		return false;
	if (*at)
		stream_end(at);
	else
		return id_grants_use(&c->grants, id); /* given up unused */
	return true;
}
