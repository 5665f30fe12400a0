/* common/dns/client.h - asks resolved, for a program with a channel to it
 *
 * What    questions with a callback each. Equal questions under way are asked once;
 *         answers are kept as long as their TTL says, so that many deliveries to
 *         one domain cost one message. While resolved is away, questions wait for
 *         it until their deadline, and are asked again when it is back.
 * Trust   an answer that is damaged, or to no question, is the peer's fault:
 *         dns_client_message() says so and the owner drops the peer.
 * Memory  bounded: DNS_CLIENT_CACHE_MAX answers and DNS_CLIENT_CACHE_BYTES_MAX bytes;
 *         what is asked for least recently goes first.
 *
 * Callbacks run from the loop, never from within dns_client_ask(). In a callback
 * everything is allowed but dns_client_free().
 */
#pragma once

#include "common/base/base.h"
#include "common/dns/dns.h"
#include "common/ipc/ipc.h"
#include "common/sts/sts.h"

struct event_base;
struct dns_client;
struct dns_ask;

#define DNS_CLIENT_CACHE_MAX       8192u
#define DNS_CLIENT_CACHE_BYTES_MAX (8u << 20)
#define DNS_CLIENT_OPEN_MAX        20000u /* questions under way; more: DNS_LATER */
#define DNS_CLIENT_TTL_MAX_S       3600u  /* no answer is kept for longer */
#define DNS_CLIENT_LATER_S         5u     /* so long "later" is not asked again */
#define DNS_CLIENT_STS_S           60u    /* a policy; resolved keeps it for longer */
/* Questions without an answer end as LATER; resolved itself gives up before. */
#define DNS_CLIENT_DNS_MS 15000u
#define DNS_CLIENT_STS_MS 90000u

struct sts_answer {
	enum sts_mode mode;
	struct span id;
	struct span hosts; /* sts_hosts_match() of common/sts looks into it */
	struct span text;  /* why there is none, for a human; may be empty */
};

/* The answer and all it points to live until the callback returns. */
typedef void dns_done(void *context, const struct dns_answer *answer);
typedef void sts_done(void *context, const struct sts_answer *answer);

/* clock_ms: milliseconds that never jump; proc_ticks_ms() of a program. */
MUST_USE struct dns_client *
dns_client_new(struct event_base *base, uint64_t (*clock_ms)(void));
/* Open questions are forgotten, without a callback. */
void dns_client_free(struct dns_client **client);

/* The channel to resolved; null when it went down. peer_up() and peer_down() of the
 * program call it. */
void dns_client_set_peer(struct dns_client *client, struct ipc_peer *peer);

/* A dns_answer or sts_answer came. False: it breaks the rules, drop that peer. */
MUST_USE bool
dns_client_message(struct dns_client *client, const struct ipc_message *m);

/* Asks for the records of a name (any case, no dot at its end; one that is no name
 * gets DNS_NO_NAME). Never null. The handle is gone when the callback is called. */
MUST_USE struct dns_ask *
dns_client_ask(struct dns_client *client, enum dns_type type, struct span name,
	       dns_done *done, void *context);
/* The MTA-STS policy of a mail domain [RFC8461 3]. */
MUST_USE struct dns_ask *
dns_client_ask_sts(struct dns_client *client, struct span domain, sts_done *done,
		   void *context);
/* The callback will not be called. Null is allowed; *ask becomes null. */
void dns_client_cancel(struct dns_ask **ask);

struct dns_client_count {
	uint64_t asked;   /* messages to resolved */
	uint64_t cached;  /* answered from memory */
	uint64_t shared;  /* waited for an equal question */
	uint64_t late;    /* no answer within the deadline */
	uint64_t open;    /* under way now */
	uint64_t answers; /* kept now */
};

MUST_USE struct dns_client_count dns_client_count(const struct dns_client *client);
