/* common/sasl/scram_client.h - the client's half of SCRAM-SHA-256
 *
 * RFC     [RFC5802 3] [RFC5802 5] the exchange, [RFC7677 3] SHA-256; no channel binding
 *         ("n"). It ends well only when the server has proved that it knows the keys.
 * Trust   every message is the server's; what it may make us compute is limited.
 * Memory  scram_client_free() wipes what is secret.
 */
#pragma once

#include "common/base/base.h"

/* More rounds than these are refused: 0.5 s of work. */
#define SCRAM_CLIENT_ITERATIONS_MAX 1000000

enum scram_client_result {
	SCRAM_CLIENT_OK,
	SCRAM_CLIENT_SYNTAX, /* no such message, or not for our nonce */
	SCRAM_CLIENT_ROUNDS, /* fewer rounds than 4,096 or more than we compute */
	SCRAM_CLIENT_FALSE,  /* the server refused, or does not know the keys itself */
};

struct scram_client;

/* nonce: random, printable, without a comma. Null when name or password is none
 * [RFC4013]. */
MUST_USE struct scram_client *
scram_client_new(struct span name, struct span password, struct span nonce);
void scram_client_free(struct scram_client **c);

/* client-first, to be sent first. */
void scram_client_first(const struct scram_client *c, struct buf *out);

/* Takes server-first, appends client-final. */
MUST_USE enum scram_client_result
scram_client_final(struct scram_client *c, struct span server_first, struct buf *out);

/* Takes server-final. */
MUST_USE enum scram_client_result
scram_client_check(const struct scram_client *c, struct span server_final);
