/* delivery/remote/remote.h - what the files of the program share
 *
 * The way of a job, which is one transaction from qmgr: it belongs to a destination
 * (destination.c), by route or by its recipients' domain. When that has a connection
 * at rest, the job gets it. Else the way there is looked up (resolve.c: a plan of
 * remote_hop, with DNS), and the job goes through the addresses of it (try.c), one
 * connection after another (connection.c, talk.c), until each recipient has an answer
 * that counts, or there are no more addresses. Answers go to qmgr and the log
 * (report.c) as soon as they are known.
 */
#pragma once

#include "common/base/base.h"
#include "common/dns/dns.h"
#include "common/net/net.h"
#include "common/proc/proc.h"
#include "common/segments/segments.h"
#include "common/spool/spool.h"
#include "common/tls/tls.h"
#include "delivery/remote/hop/hop.h"
#include "delivery/remote/session/session.h"

#include <sys/queue.h>

#define JOBS_MAX          40000u
#define CONNECTIONS_MAX   20000u       /* of this process, at rest or not */
#define WHOLE_BYTES_MAX   (256u << 20) /* messages that are rewritten, all together */
#define PIECE_BYTES       (64u << 10)  /* of content read at once */
#define BURST_BYTES       (64u << 10)  /* content that is sent without waiting */
#define TALKS_MAX         2u           /* servers that one job has a transaction with */
#define OWN_ADDRESSES_MAX 256u
#define RESULTS_BYTES     (40u << 10) /* of results in one message to qmgr */
#define WAY_FRESH_MIN_S   5u
#define WAY_FRESH_MAX_S   300u /* the DNS is asked again after so long */

struct event;
struct connection;
struct destination;
struct remote;

/* --- the way to a destination --------------------------------------------- */

/* What the settings and the DNS say; shared by those who are on it. */
struct way {
	unsigned refs;
	struct hop_plan *plan;
	uint64_t fresh_until_ms;
	bool lmtp;
	bool auth_without_tls;        /* the operator has switched TLS off here */
	char *user, *password;        /* null: no login */
	struct net_address source[2]; /* for IPv6 and IPv4, where has_source */
	bool has_source[2];
};

MUST_USE struct way *way_ref(struct way *w);
void way_unref(struct way **w);

/* --- jobs ----------------------------------------------------------------- */

struct job {
	TAILQ_ENTRY(job) link; /* in its destination's list of those who wait */
	bool waits;
	struct destination *destination;
	struct connection *connection;
	uint64_t number; /* qmgr's */
	uint64_t epoch;  /* of the channel it came by; to another it means nothing */
	uint64_t id, offset, content_bytes;
	uint32_t segment, flags;
	uint8_t ret;
	struct span sender, envid; /* behind the recipients */

	/* n recipients without an answer that counts. The last n_later have had one
	 * from the server at hand, which another may better: it stands in `pending`.
	 * So does, for the last n_covered, that of a server before. */
	size_t n, n_later, n_covered;
	struct buf pending;
	char pending_tls[48];

	struct way *way;
	struct hop_try tries[HOP_ADDRESSES_MAX];
	size_t n_tries, next_try;
	bool has_tries;
	bool plain;    /* the handshake failed where TLS need not be */
	bool unshared; /* a connection that was kept had ended: takes none again */
	unsigned talks;
	size_t n_failed, n_failed_forever; /* tries that came to no transaction */
	bool busy;                         /* one of them said so */
	struct relay_result why;           /* of one of them; texts are the job's */
	struct relay_recipient recipients[];
};

TAILQ_HEAD(job_list, job);

/* Null when the message makes no sense. */
MUST_USE struct job *job_new(const struct ipc_relay *m, uint64_t epoch);
/* Its connection must be gone, and its results told. */
void job_free(struct job **job);

/* try.c */
void job_start(struct remote *r, struct job *job);
/* Not this address, for that reason; the next one, or the end. */
void
job_next(struct remote *r, struct job *job, const struct relay_result *why, bool busy);
/* A server that took some of its recipients takes no more over one connection. */
void job_once_more(struct remote *r, struct job *job);
/* The same address without STARTTLS, whose handshake failed and need not be. */
void job_again_plain(struct remote *r, struct job *job);
/* A transaction has left recipients for another server than that of t. */
void job_elsewhere(struct remote *r, struct job *job, const struct hop_try *t);
/* No address is left, or none should be tried. */
void job_give_up(struct remote *r, struct job *job);
/* There is no way: all of it has this end. */
void job_fail(struct remote *r, struct job *job, const struct hop_failure *f);
/* Without results: qmgr is to try again. */
void job_give_back(struct remote *r, struct job *job, const char *text);
/* drop.c: what is not at the end of its message goes back to qmgr; with `all`,
 * everything. Connections at rest are closed. */
void jobs_drop(struct remote *r, bool all);
/* May another server be asked about recipients that this one refused for now? */
MUST_USE bool job_may_go_on(const struct job *job, const struct hop_try *t);

/* --- destinations --------------------------------------------------------- */

struct destination {
	struct destination *chain; /* next of the same hash */
	char *key;
	uint64_t hash;
	char *domain;        /* of the recipients, in A-labels, or a literal */
	struct conf_hop hop; /* where qmgr wants it to go; host is null: anywhere */
	bool require_tls;
	struct way *way;
	struct asking *asking; /* while the way is looked up */
	struct job_list waiting;
	LIST_HEAD(, connection) at_rest; /* the last used comes first */
	size_t n_jobs, n_connections;
	bool retired; /* the settings have changed: it only ends what is on its way */
};

struct destinations {
	struct destination **hash;
	size_t size, n; /* size: a power of two */
};

void destinations_init(struct destinations *all);
/* `next_hop` is a route's `to`, or empty; null when it is neither. */
MUST_USE struct destination *destinations_get(struct remote *r, struct span domain,
					      struct span next_hop, bool require_tls);
/* Frees it when nobody is there. */
void destination_settle(struct remote *r, struct destination *d);
/* Other settings may lead each recipient elsewhere: those who wait go back to qmgr,
 * what has a connection ends as it began, and all new jobs have new destinations. */
void destinations_retire(struct remote *r);
/* Calls each, which may close connections and end jobs of that destination. */
void destinations_each(struct remote *r,
		       void (*each)(struct remote *r, struct destination *d));

/* resolve.c: d->way, or the end of all jobs that wait for it. */
void resolve_start(struct remote *r, struct destination *d);
void resolve_cancel(struct destination *d);
/* nexthop.c: what the settings want for a destination. */
void nexthop_wish(struct remote *r, const struct destination *d, struct hop_wish *wish);
MUST_USE struct way *nexthop_way(struct remote *r, const struct destination *d);
/* In A-labels and lower case; a literal, and what cannot be, as it is. */
MUST_USE char *nexthop_domain(struct span domain);

/* --- connections ---------------------------------------------------------- */

enum connection_state {
	CONNECTION_OPENING,
	CONNECTION_TALKING,
	CONNECTION_AT_REST,
};

struct connection {
	LIST_ENTRY(connection) link; /* of those at rest */
	LIST_ENTRY(connection) all;
	struct remote *remote;
	struct destination *destination;
	enum connection_state state;
	struct way *way;
	struct hop_try try;
	struct net_connect *opening;
	struct net_stream *stream;
	struct session *session;
	struct job *job;
	bool plain; /* STARTTLS is not to be used */
	bool in_transaction;
	bool reused;  /* by the job it has */
	bool heard;   /* something came since the job got it */
	bool talked;  /* had a transaction of that job */
	bool settled; /* it was ready once */
	uint64_t transactions;
	uint64_t content_at; /* how much of the content the session has */
	char *whole;         /* a message that it rewrites */
	size_t whole_bytes;
	unsigned turn; /* of the session's wait */
	enum session_wait wait;
	char tls[48]; /* "TLSv1.3 dane"; empty: none */
	char host[DNS_NAME_MAX + NET_ADDRESS_TEXT_MAX + 4];
};

/* A new one for a job. */
void connection_open(struct remote *r, struct job *job, const struct hop_try *t);
/* One at rest that can take the job; null when there is none. */
MUST_USE struct connection *
connection_find(struct destination *d, const struct job *job);
void connection_give(struct connection *c, struct job *job);
/* May there be one more? If need be, one at rest makes room. */
MUST_USE bool connection_room(struct remote *r);
/* Ends it at once, or in order behind what is unsent. Its job, if any, must have been
 * taken off. */
void connection_break(struct connection *c);
void connection_close(struct connection *c);
void connection_take_job(struct connection *c);
/* Says QUIT, where it is at rest, and closes. */
void connection_quit(struct connection *c);
void connection_rest(struct connection *c);
/* Is the end of a message sent whose answer is not here? */
MUST_USE bool connection_awaits_end(const struct connection *c);

/* talk.c: follows the session's wishes. The connection may be gone afterwards. */
void talk_go(struct connection *c);

/* content.c: the next piece, or the whole, to the session. False: it could not be
 * read, and the connection is gone. */
MUST_USE bool piece_give(struct connection *c);
MUST_USE bool whole_give(struct connection *c);
void whole_release(struct connection *c);

/* transaction.c: with the first recipients of the job that fit. */
void transaction_start(struct connection *c);
/* It is over. True when the connection goes on with its job. */
MUST_USE bool transaction_end(struct connection *c);
/* The server closed a connection that was kept, and has answered nothing. */
MUST_USE bool transaction_was_stale(const struct connection *c);

/* --- report.c ------------------------------------------------------------- */

/* One recipient has its result: into the log, and to qmgr. */
void report_result(struct remote *r, const struct job *job, struct span recipient,
		   const struct relay_result *result, const char *tls);
/* All that were put go to qmgr. */
void report_flush(struct remote *r, const struct job *job);
/* The job is over; frees it. */
void report_end(struct remote *r, struct job *job, enum relay_connection connection,
		struct span provider, const char *text);
/* A server does not do the TLS that a policy asks for: "remote.dane" and so on. */
void report_policy(const struct connection *c, const char *event, const char *why);

/* --- the program ---------------------------------------------------------- */

struct remote {
	struct proc *proc;
	struct dns_client *dns;
	struct tls_client *tls;
	struct segments segments;
	struct destinations destinations;
	LIST_HEAD(, connection) connections;
	struct hop_health *health;
	struct net_address own[OWN_ADDRESSES_MAX];
	size_t n_own;
	struct net_address interfaces[OWN_ADDRESSES_MAX];
	size_t n_interfaces;
	uint64_t epoch;
	uint64_t random;
	size_t n_jobs, n_connections, n_at_rest;
	size_t whole_bytes;
	struct event *wake;     /* another turn */
	struct event *patience; /* in an orderly stop */
	bool draining;
	struct buf results; /* of one job, in one turn */
	char *piece;        /* PIECE_BYTES of content */
	struct {
		uint64_t delivered, deferred, failed, transactions, connects, reused,
		    unreachable, tls, verified;
	} count;
};

MUST_USE uint64_t remote_random(struct remote *r);
