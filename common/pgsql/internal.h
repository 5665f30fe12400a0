/* common/pgsql/internal.h - what the files of this room share
 *
 * pool.c        who waits, which connection takes which question, pauses
 * request.c     questions
 * connection.c  one connection: connecting, watching, giving up
 * talk.c        what goes over it: statements out, results in
 * session.c     a connection kept for a transaction
 * where.c       the connection's settings: hosts, addresses, presets
 * lookup.c      names of hosts, in a thread
 * answer.c      reading answers; verdict.c: what a failure means
 */
#pragma once

#include "common/pgsql/pgsql.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <libpq-fe.h>
#include <sys/queue.h>

#define STATEMENT_NAME_MAX 16
#define HOSTS_MAX          16
#define PAUSE_MIN_MS       100
#define FAILURES_DOWN      2

/* ---- what is asked */

struct pgsql_answer {
	PGresult **results; /* one a query; null: was not run */
	size_t n;
	char sqlstate[6];
};

struct piece {
	unsigned statement;
	size_t first, n; /* of the request's values */
};

enum request_state {
	REQUEST_WAITING, /* for a connection */
	REQUEST_RUNNING,
	REQUEST_ENDED, /* its outcome is known and will be told */
};

struct pgsql_request {
	TAILQ_ENTRY(pgsql_request) link; /* in pool->waiting or pool->ended */
	struct pgsql *pool;
	struct pgsql_session *session;
	struct pgsql_connection *connection; /* while it runs */
	enum request_state state;
	bool orphan;      /* nobody waits for the answer any more */
	bool asked_twice; /* after a lost connection */
	pgsql_answered *answered;
	void *context;
	uint64_t due_ms;
	struct piece *pieces;
	size_t n;
	const char **values; /* into `text`; null is NULL */
	char *text;
	struct pgsql_answer answer;
	enum pgsql_outcome outcome;
	struct err err;
};

TAILQ_HEAD(request_list, pgsql_request);

/* ---- connections */

enum connection_state {
	CONNECTION_CLOSED,
	CONNECTION_LOOKING, /* for the addresses of its hosts */
	CONNECTION_CONNECTING,
	CONNECTION_CHECKING, /* options.check is asked */
	CONNECTION_IDLE,
	CONNECTION_BUSY,
	CONNECTION_CLEANING, /* ROLLBACK after a session */
};

struct pgsql_connection {
	struct pgsql *pool;
	enum connection_state state;
	PGconn *pq;
	struct lookup *lookup;
	struct event io;  /* readable, or what connecting waits for */
	struct event out; /* writable, while something is unsent */
	struct event deadline;
	int fd; /* that the events are for; -1 none */
	struct pgsql_session *session;
	struct pgsql_request *request; /* that runs */
	struct pgsql_request *check;   /* the same while checking: ours */
	size_t sent, taken;            /* expected results, and those that came */
	bool prepared[PGSQL_STATEMENTS_MAX];
	/* What each expected result is of: -1 - n is preparing statement n. */
	int *expects;
	size_t expects_size;
	bool failed; /* a result of the running request was an error */
	bool going;  /* to be closed as soon as what runs has ended */
};

struct pgsql_session {
	struct pgsql *pool;
	struct pgsql_connection *connection; /* null before the first question */
	struct pgsql_request *request;       /* under way; null: none */
	bool begun, dead;
};

/* ---- the pool */

struct where;

struct pgsql {
	struct event_base *base;
	char *name;
	struct where *where;
	unsigned n; /* connections */
	struct pgsql_connection *connections;
	uint64_t timeout_ms;
	bool read_only, has_check;
	unsigned check; /* a statement */
	pgsql_judge *judge;
	void *context;
	char *statements[PGSQL_STATEMENTS_MAX];
	unsigned n_statements;
	struct request_list waiting, ended;
	size_t n_waiting;
	struct event kick;  /* hands out work and answers, outside of any call */
	struct event tick;  /* deadlines of who waits */
	struct event again; /* the next try to connect */
	unsigned pause_ms;
	unsigned tries; /* how often in a row connecting failed: which host is first */
	unsigned failures; /* since a connection last worked */
	bool down;         /* so many that questions fail at once */
	struct err fault;
	uint64_t asked, failed, conflicts, lost;
};

uint64_t pgsql_now_ms(void);

/* pool.c */
void pool_kick(struct pgsql *p);
void pool_connected(struct pgsql *p);
void pool_connect_failed(struct pgsql *p, const struct err *err);
/* A connection that worked is gone; the others are not to be trusted either. */
void pool_lost(struct pgsql *p, const struct err *err);
/* Its outcome is known; `answered` comes from the loop. */
void
request_end(struct pgsql_request *r, enum pgsql_outcome outcome, const struct err *err);
/* Its connection was lost: once more, or its end. */
void request_lost(struct pgsql_request *r, enum pgsql_outcome outcome,
		  const struct err *err);

void pool_take(struct pgsql *p, struct pgsql_request *r);

/* request.c */
/* One of this room's own: a statement without values, told to nobody. */
struct pgsql_request *request_plain(struct pgsql *p, unsigned statement);
/* Its results, to be asked again. */
void request_forget(struct pgsql_request *r);
void request_free(struct pgsql_request *r);

/* connection.c */
void connection_init(struct pgsql_connection *c, struct pgsql *pool);
void connection_open(struct pgsql_connection *c);
void connection_close(struct pgsql_connection *c);
/* A fault of a connection, in whatever state: it is closed and the pool told. */
void connection_fail(struct pgsql_connection *c, enum pgsql_outcome outcome,
		     const struct err *err);
void connection_run(struct pgsql_connection *c, struct pgsql_request *r);
/* Its session is gone: free for others, after ROLLBACK if need be. */
void connection_release(struct pgsql_connection *c);
void connection_free(struct pgsql_connection *c);
bool connection_works(const struct pgsql_connection *c);

/* talk.c */
MUST_USE int
talk_send(struct pgsql_connection *c, struct pgsql_request *r, struct err *err);
MUST_USE int talk_send_rollback(struct pgsql_connection *c, struct err *err);
/* Everything that is there; 1 when all that was sent is answered, -1 when the
 * connection is broken. */
MUST_USE int talk_take(struct pgsql_connection *c, struct err *err);

/* where.c */
MUST_USE int
where_new(const struct pgsql_options *o, struct where **out, struct err *err);
void where_free(struct where **w);
/* Hosts that need a lookup, at most HOSTS_MAX, "" for those that do not. */
size_t where_hosts(const struct where *w, const char *hosts[HOSTS_MAX]);
/* addresses[i] are host i's, separated by commas, or null. Starts with host number
 * `first`, modulo how many there are. Null with *err when it cannot be begun. */
PGconn *where_connect(const struct where *w, char *const addresses[HOSTS_MAX],
		      unsigned first, struct err *err);

/* lookup.c */
struct lookup;
typedef void
lookup_done(void *context, char *const addresses[HOSTS_MAX], const struct err *err);
struct lookup *hosts_lookup_new(struct event_base *base, const char *const *hosts,
				size_t n, lookup_done *done, void *context);
void hosts_lookup_free(struct lookup **l);

/* verdict.c */
enum pgsql_outcome verdict_of(const char *sqlstate);
/* What libpq says, on one line, without what it may cite of settings. */
void verdict_text(struct err *err, const char *pool, const char *text);
/* The server's side of the connection is not what we know: connect anew. function
 * is where in the server's sources it was said. */
bool verdict_stale(const char *sqlstate, const char *function);
