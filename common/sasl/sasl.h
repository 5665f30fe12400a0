/* common/sasl/sasl.h - the server's side of a login (a client's: scram_client.h)
 *
 * What    PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as one state
 *         machine over messages (base64 and "*" belong to the protocol that
 *         carries them). Names and passwords come out prepared.
 * RFC     [RFC4616] PLAIN, [RFC5802] and [RFC7677] SCRAM, [RFC5929] and
 *         [RFC9266] channel bindings, [RFC4013] preparation.
 * Trust   every message is the peer's; nothing here asserts on one. Pure: the
 *         server's nonce, the keys and the channel's data come from the caller.
 * Memory  `struct sasl` is a value; sasl_release() wipes it.
 *
 * How to use
 *
 *   sasl_init(&s, SASL_SCRAM_SHA_256, &offer);
 *   no initial response?  sasl_prompt(&s, out), send it, wait for the answer
 *   r = sasl_step(&s, message, out)
 *     SASL_CONTINUE  send `out` as a challenge, step again with the answer
 *     SASL_LOOKUP    find the keys of sasl_name(&s), then
 *                    r = sasl_keys(&s, keys or fake keys, known, out)
 *     SASL_VERIFY    check sasl_password(&s) for sasl_name(&s) yourself
 *     SASL_DONE      sasl_name(&s) is logged in
 *     SASL_DENIED    wrong credentials; SASL_SYNTAX no such message
 */
#pragma once

#include "common/base/base.h"
#include "common/sasl/prepare.h"
#include "common/sasl/scram.h"
#include "common/sasl/scram_client.h"

#define SASL_NAME_MAX     320
#define SASL_PASSWORD_MAX 1024
#define SASL_MESSAGE_MAX  4096
#define SASL_BINDING_MAX  64
#define SASL_NONCE_MAX    512 /* client's and server's together */

enum sasl_mechanism {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_256_PLUS,
};
#define SASL_MECHANISMS 4

/* False for a mechanism we do not know; the case of letters does not matter. */
MUST_USE bool sasl_mechanism_find(struct span name, enum sasl_mechanism *out);
const char *sasl_mechanism_name(enum sasl_mechanism m);

/* PLAIN and LOGIN show the password to the channel: offer them only under TLS. */
MUST_USE bool sasl_mechanism_bares(enum sasl_mechanism m);

/* One kind of channel binding the connection has. */
struct sasl_binding {
	struct span type; /* "tls-exporter" or "tls-server-end-point" */
	struct span data; /* at most SASL_BINDING_MAX bytes */
};

struct sasl_offer {
	struct span nonce; /* fresh, random, printable without commas; 18 bytes up
			    * to 64. Only SCRAM reads it */
	const struct sasl_binding *bindings; /* those the connection has; copied */
	size_t n_bindings;                   /* at most 2 */
	bool plus_offered; /* the client was shown a -PLUS mechanism */
};

enum sasl_result {
	SASL_CONTINUE,
	SASL_LOOKUP,
	SASL_VERIFY,
	SASL_DONE,
	SASL_DENIED,
	SASL_SYNTAX,
};

enum sasl_state {
	SASL_STATE_FIRST,    /* nothing came yet */
	SASL_STATE_PASSWORD, /* LOGIN: the name came */
	SASL_STATE_KEYS,     /* SCRAM: waits for sasl_keys() */
	SASL_STATE_PROOF,    /* SCRAM: waits for client-final */
	SASL_STATE_LAST,     /* SCRAM: waits for the empty answer to v= */
	SASL_STATE_OVER,
};

struct sasl_bound {
	char type[24];
	uint8_t data[SASL_BINDING_MAX];
	size_t bytes;
};

struct sasl {
	enum sasl_mechanism mechanism;
	enum sasl_state state;
	bool plus_offered;
	bool known; /* the keys are of a real account */
	struct sasl_bound bound[2];
	size_t n_bound;
	int bound_used; /* index into bound, -1 without channel binding */
	char name[SASL_NAME_MAX];
	size_t name_bytes;
	char password[SASL_PASSWORD_MAX];
	size_t password_bytes;
	struct buf nonce;        /* the server's part until client-first came */
	struct buf gs2;          /* gs2-header as it came */
	struct buf auth_message; /* [RFC5802 3] AuthMessage, as far as it is known */
	struct scram_keys keys;
};

void sasl_init(struct sasl *s, enum sasl_mechanism m, const struct sasl_offer *offer);
void sasl_release(struct sasl *s);

/* What a server says first when the client sent no initial response: "Username:"
 * for LOGIN, nothing for the others. */
void sasl_prompt(const struct sasl *s, struct buf *out);

/* One message of the client's. `out` is emptied and then holds the challenge of
 * SASL_CONTINUE. After VERIFY, DONE, DENIED and SYNTAX the exchange is over. */
MUST_USE enum sasl_result
sasl_step(struct sasl *s, struct span message, struct buf *out);

/* After SASL_LOOKUP: the account's keys, or scram_keys_fake() with known false,
 * which fails with the proof and not before. */
MUST_USE enum sasl_result
sasl_keys(struct sasl *s, const struct scram_keys *keys, bool known, struct buf *out);

/* The prepared name, from LOOKUP or VERIFY on. */
struct span sasl_name(const struct sasl *s);
/* The prepared password, after VERIFY, until sasl_release(). */
struct span sasl_password(const struct sasl *s);
