/* spoold/stream.h - messages that arrive in pieces, and who sends them
 *
 * What    one client for each channel from an smtpd: its granted ids and its
 *         unfinished messages. A message is held in memory while it may fit a
 *         shared segment; beyond, it is written to a segment of its own as it
 *         comes. What is aborted, or whose client goes away, leaves nothing.
 * Trust   the client may be a stolen smtpd: false means that it broke the rules
 *         and its channel must be dropped.
 */
#pragma once

#include "spoold/ids.h"
#include "spoold/store.h"

#define STREAM_OPENING_MAX  (1u << 20) /* bytes held while its file is being made */
#define STREAMS_MAX         16384      /* unfinished messages of one client */
#define STREAM_HASH_BUCKETS 1024

enum stream_state {
	STREAM_HELD,    /* in memory, may fit a shared segment */
	STREAM_OPENING, /* a file for it is being made */
	STREAM_WRITING, /* goes to its own segment */
	STREAM_REFUSED, /* the outcome is known; the rest is thrown away */
};

struct client;

struct stream {
	struct stream *next;   /* in its bucket */
	struct client *client; /* null: aborted while its file was being made */
	struct spool_head head;
	enum stream_state state;
	enum spool_outcome outcome; /* of STREAM_REFUSED */
	bool ended;
	bool opening; /* a thread is making its file */
	struct buf held;
	size_t counted; /* bytes of it that the store counts */
	uint64_t payload_bytes;
	struct segment *segment;
};

struct client {
	struct store *store;
	struct origin origin;
	struct id_grants grants;
	struct stream *streams[STREAM_HASH_BUCKETS];
	size_t n_streams;
	size_t opening_bytes; /* held by streams whose file is being made */
};

MUST_USE struct client *client_new(struct store *s, struct origin origin);
/* Aborts what is unfinished. */
void client_free(struct client **c);
/* True while the channel should not be read from. */
MUST_USE bool client_full(const struct client *c);

MUST_USE bool client_put(struct client *c, uint64_t id, uint32_t envelope_bytes,
			 struct span bytes, uint64_t now_us);
MUST_USE bool client_begin(struct client *c, uint64_t id, uint32_t envelope_bytes,
			   uint64_t size_hint, struct span bytes, uint64_t now_us);
MUST_USE bool client_piece(struct client *c, uint64_t id, struct span bytes);
MUST_USE bool client_end(struct client *c, uint64_t id);
MUST_USE bool client_abort(struct client *c, uint64_t id);
