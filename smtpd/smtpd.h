/* smtpd/smtpd.h - mail from other servers, from users and from this machine
 *
 * What    the I/O around the dialogue (smtpd/session): takes connections, asks
 *         authd who may send what to whom, streams messages to spoold.
 * Trust   clients are the internet. This program opens nothing and can touch no
 *         message once spoold has it.
 * Memory  a struct client and a session for each connection, about 2 KB; a
 *         message under way at most HELD_BYTES_MAX more.
 */
#pragma once

#include "common/base/base.h"
#include "common/front/front.h"
#include "common/net/net.h"
#include "common/proc/proc.h"
#include "common/spool/spool.h"
#include "common/tls/tls.h"
#include "smtpd/demands.h"
#include "smtpd/ids.h"
#include "smtpd/name.h"
#include "smtpd/session/session.h"

#include <sys/queue.h>

/* A kind of listener; the table stands in settings.c. */
struct smtpd_service {
	const char *listener;
	enum session_kind kind;
	bool implicit_tls;
	bool starttls;
	bool logins; /* users log in here, and must */
};
#define SMTPD_SERVICES 5

extern const struct smtpd_service smtpd_services[SMTPD_SERVICES];

/* Null when there is no such listener. */
MUST_USE const struct smtpd_service *smtpd_service_find(struct span listener);

LIST_HEAD(client_list, client);
TAILQ_HEAD(client_queue, client);

#define CLIENT_BUCKETS 1024

struct smtpd {
	struct proc *proc;
	struct listeners listeners;
	struct client_list clients;
	struct client_list by_tag[CLIENT_BUCKETS]; /* authd owes an answer */
	struct client_list by_id[CLIENT_BUCKETS];  /* a message is under way */
	struct client_queue for_id;                /* wait for a grant */
	struct client_queue for_room; /* wait until spoold has taken more */

	struct session_policy policies[SMTPD_SERVICES][2]; /* calm; under load */
	char *host_name;
	struct certificate certificate;
	struct net_limits *limits;
	struct dns_client *dns;
	struct id_pool ids;
	struct buf envelope, recipients; /* of the message that is just sent */
	uint64_t next_tag, next_sid;
	bool draining;

	size_t n_clients, n_before_login;
	struct smtpd_counts {
		uint64_t connections, turned_away, messages, message_bytes, recipients,
		    refused, logins;
	} count;
};

/* What a client waits for; nothing is parsed meanwhile. */
enum client_wait {
	WAIT_NOTHING,
	WAIT_AUTHD,
	WAIT_NAME,  /* the client's own, at its first MAIL */
	WAIT_ID,    /* in for_id */
	WAIT_ROOM,  /* in for_room */
	WAIT_SPOOL, /* for spool_done */
	WAIT_TLS,
};

enum message_state {
	MESSAGE_NONE,
	MESSAGE_HELD,     /* an id is taken, all bytes are in `content` */
	MESSAGE_STREAMED, /* spoold has its beginning */
	MESSAGE_SENT,     /* spoold has all of it: its id is used for ever */
};

struct client {
	LIST_ENTRY(client) all;
	LIST_ENTRY(client) tagged; /* while tag is not 0 */
	LIST_ENTRY(client) message_link;
	TAILQ_ENTRY(client) queued;
	struct smtpd *smtpd;
	const struct smtpd_service *service;
	struct net_stream *stream;
	struct session *session;
	enum client_wait wait;
	struct net_address address;
	struct net_key key;
	struct name *name; /* null: it is not asked for */
	bool announced;    /* it is in the log */
	bool local;        /* a Unix socket */
	bool counted;      /* in limits */
	bool exempt;       /* from limits */
	bool trusted;      /* see struct session_peer */
	bool may_relay;    /* without a login */
	bool ended;        /* the client sends no more */
	bool exchange;     /* authd knows a login under way by exchange_tag */
	bool logged_in;
	bool barred;             /* its account was closed */
	bool discard;            /* a table wants this message taken and forgotten */
	struct demands *demands; /* what else tables want of it; null: nothing */
	uint64_t tag;            /* of the question to authd; 0: none */
	uint64_t exchange_tag;
	uint64_t sid, account;
	unsigned errors; /* counted in limits so far */

	enum message_state message;
	uint64_t id;
	char id_text[QUEUE_ID_TEXT_SIZE];
	uint64_t message_bytes;
	struct buf content;
};

/* --- settings.c ----------------------------------------------------------- */

/* Policies and limits from the settings, at start and at each reload. */
void settings_apply(struct smtpd *d);

/* --- client.c: from accept to close --------------------------------------- */

void client_accept(struct smtpd *d, const struct smtpd_service *service, int fd,
		   const struct net_peer *peer);
/* Closes in order; `reason` is for the log. Frees it. */
void client_close(struct client *c, const char *reason);
/* Its address for a log line, in the caller's array; "local" on a Unix socket. */
MUST_USE const char *
client_text(const struct client *c, char text[NET_ADDRESS_TEXT_MAX]);
/* That it has connected is in the log from now on. */
void client_announce(struct client *c);
/* Ends what may be ended, now or when its message is answered. */
void client_stop(struct client *c);

/* Its login is no longer good: ends it, now or when its message is answered. */
void client_bar(struct client *c);

/* --- drive.c: the dialogue ------------------------------------------------ */

/* Goes on as far as it can; may free the client. */
void client_drive(struct client *c);
/* What was waited for is there. */
void client_resume(struct client *c);
/* Waiting for `what` from now on; leaves queues of what it waited for. */
void client_wait(struct client *c, enum client_wait what);

/* --- ask.c: questions to authd -------------------------------------------- */

/* Each answers the want of the session, at once (true) or later. */
MUST_USE bool ask_sender(struct client *c);
MUST_USE bool ask_auth(struct client *c);
/* resolved, sender_checked, auth_challenge, auth_done. */
void ask_message(struct smtpd *d, const struct ipc_message *m);
/* authd is gone: all who wait get an answer. */
void ask_lost(struct smtpd *d);
/* The client goes away. */
void ask_forget(struct client *c);

/* An answer to `tag` is awaited from now on. */
void ask_await(struct client *c, uint64_t tag);
/* Null when it is away. */
MUST_USE struct ipc_peer *ask_authd(const struct client *c);
MUST_USE bool ask_rate_allows(struct client *c, enum net_event event);

/* --- rcpt.c: recipients ----------------------------------------------------- */

/* As ask_sender(). */
MUST_USE bool ask_rcpt(struct client *c);
/* Answers, or asks for more: then an answer is awaited again. */
void rcpt_resolved(struct client *c, const struct ipc_resolved *m);
/* authd is gone while it was to answer. */
void rcpt_lost(struct client *c);

/* --- message.c: messages to spoold ---------------------------------------- */

/* Each answers the want of the session, at once (true) or later. */
MUST_USE bool message_begin(struct client *c);
MUST_USE bool message_piece(struct client *c);
MUST_USE bool message_end(struct client *c);
void message_abort(struct client *c);
/* id_grant, spool_done. */
void
message_message(struct smtpd *d, struct ipc_peer *spoold, const struct ipc_message *m);
/* spoold is gone: messages under way are lost, nothing was acknowledged. */
void message_lost(struct smtpd *d);
/* End of a turn: goes on with who waited for room in the channel. */
void message_turn(struct smtpd *d);
