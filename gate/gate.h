/* gate/gate.h - TLS and logins in front of the programs that serve mailboxes
 *
 * What    takes connections, holds the dialogue up to the login (gate/login),
 *         relays it to authd, and gives the connection away to the session
 *         program of the account: the socket itself when it is plain, one end of
 *         a pair that is pumped when it is under TLS. After that it sees bytes.
 * Trust   clients are the internet. authd decides who is logged in; the session
 *         program asks authd again, by ticket, and does not believe gate.
 * Memory  a struct client for each connection that is not given away.
 */
#pragma once

#include "common/base/base.h"
#include "common/front/front.h"
#include "common/net/net.h"
#include "common/proc/proc.h"
#include "common/tls/tls.h"
#include "gate/login/login.h"

#include <sys/queue.h>

/* A kind of listener; the table stands in services.c. */
struct gate_service {
	const char *listener;
	const struct login_protocol *protocol;
	bool implicit_tls;
	enum auth_service auth;
	enum ipc_kind program; /* that serves the session */
};
#define GATE_SERVICES 4

#define GATE_SLOT_BITS 24 /* of a tag; the rest counts exchanges */

extern const struct gate_service gate_services[GATE_SERVICES];

/* Null when gate knows no such listener. */
MUST_USE const struct gate_service *gate_service_find(struct span listener);

struct gate {
	struct proc *proc;
	struct listeners listeners;
	LIST_HEAD(, client) clients;
	struct login_policy policies[GATE_SERVICES];
	char *host_name; /* of the policies */
	struct certificate certificate;
	struct net_limits *limits;

	/* Clients by the low bits of a tag of theirs. */
	struct client **slots;
	uint32_t n_slots, first_free; /* the free ones are chained by free_slots */
	uint32_t *free_slots;
	uint64_t exchanges; /* makes the high bits */

	size_t n_clients, n_before_login, n_pumped;
	uint64_t connections, refused, logins, denials, pumped_bytes;
	uint64_t next_sid;
	bool draining;
};

enum client_state {
	CLIENT_HANDSHAKE, /* implicit TLS, before the greeting */
	CLIENT_LOGIN,
	CLIENT_SECURING, /* between STLS and the end of the handshake */
	CLIENT_PUMPED,   /* logged in: bytes go to and from `session` */
};

struct client {
	LIST_ENTRY(client) all;
	struct gate *gate;
	const struct gate_service *service;
	enum client_state state;
	struct net_stream *stream;
	struct net_stream *session; /* CLIENT_PUMPED */
	struct login *login;        /* until then */
	struct net_address address;
	struct net_key key;
	bool counted;      /* in limits */
	bool client_ended; /* sends no more */
	bool session_ended;
	bool exchange; /* authd knows it by the tag */
	uint32_t slot;
	uint64_t tag;
	uint64_t sid;
	uint64_t login_due_ms;
	/* From auth_done, until the connection is given away. */
	uint64_t account;
	char name[LOGIN_NAME_MAX + 1];
	uint8_t ticket[16];
};

/* --- client.c: from accept to close --------------------------------------- */

void client_accept(struct gate *g, const struct gate_service *service, int fd,
		   const struct net_peer *peer);
/* Goes on with the dialogue: there is input, output, or an answer. */
void client_drive(struct client *c);
/* Closes in order; reason is for the log. */
void client_close(struct client *c, const char *reason);
/* Tells a client that is not logged in, and closes. */
void client_end(struct client *c, enum login_ending why);
/* By the tag of an exchange; null when it is gone. */
MUST_USE struct client *client_find(struct gate *gate, uint64_t tag);
/* Closes at once what is still open, and forgets it. */
void client_free(struct client *c);
/* What both streams of a client report to, with the client as context. */
MUST_USE const struct net_callbacks *client_callbacks(void);
/* From now on all that its stream brings goes to `session`, and back. */
void client_pumped(struct client *c, struct net_stream *session);

/* --- exchange.c: logins at authd ------------------------------------------ */

/* Answers LOGIN_WANT_AUTH, now or later. */
void exchange_ask(struct client *c);
void exchange_cancel(struct client *c);
/* auth_challenge or auth_done. */
void exchange_message(struct gate *gate, const struct ipc_message *m);
/* authd is gone: all that wait get an answer. */
void exchanges_lost(struct gate *gate);

/* --- handover.c ----------------------------------------------------------- */

/* Gives a logged-in connection to its session program; false when that is away. */
MUST_USE bool handover(struct client *c);

/* --- pump.c --------------------------------------------------------------- */

/* Sizes of both streams of a pumped connection. */
extern const struct net_sizes pump_sizes;
/* Moves what can be moved, either way; closes when one side is through. */
void pump(struct client *c);
