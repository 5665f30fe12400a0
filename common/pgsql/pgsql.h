/* common/pgsql/pgsql.h - PostgreSQL from an event loop: pools of connections
 *
 * What    named pools of connections to a PostgreSQL each, statements that are
 *         prepared once a connection, transactions, answers from the loop.
 *         Pools share nothing: a dead database of one delays no other. A pool
 *         connects again by itself, with pauses of 0.1 s to
 *         PGSQL_PAUSE_MAX_MS; while it is known to be down, questions fail at
 *         once. Statements of one question leave together (pipeline).
 * Trust   values go as parameters, never into the text of a statement. What the
 *         server says is a peer's: rows are checked by who reads them, texts are
 *         escaped in log lines. No password is ever in a log line or an error.
 * Memory  the caller owns pool, sessions and requests. `answered` is never
 *         called from within the call that asked; an answer lives until it
 *         returns.
 *
 * Nothing here waits: hosts by name are looked up in a thread, connecting and
 * statements are watched by the loop, and each has a deadline.
 */
#pragma once

#include "common/base/base.h"

#define PGSQL_CONNECTIONS_MAX 64
#define PGSQL_WAITING_MAX     10000  /* questions without a connection yet */
#define PGSQL_STATEMENTS_MAX  256    /* of a pool */
#define PGSQL_QUERIES_MAX     100000 /* of one question */
#define PGSQL_PAUSE_MAX_MS    1000
#define PGSQL_CONNECT_MAX_MS  3000 /* a try at one server, if timeout_ms is more */

struct event_base;
struct pgsql;
struct pgsql_session;
struct pgsql_request;
struct pgsql_answer;

enum pgsql_outcome {
	PGSQL_DONE,
	PGSQL_CONFLICT,  /* 40001, 40P01: the whole transaction may be done again */
	PGSQL_LOST,      /* connection lost: it may have been done or not */
	PGSQL_DOWN,      /* no connection to be had: it was not done */
	PGSQL_TIMEOUT,   /* not within timeout_ms: it may have been done or not */
	PGSQL_BAD_VALUE, /* a value is not UTF-8 or has a NUL: nothing was sent */
	PGSQL_REFUSED,   /* the server says no; pgsql_answer_sqlstate() */
};

/* Judges a new connection by the answer to options.check; answer is null, and err
 * says why, when the server refused to answer that. -1 with a line for the
 * operator: the connection is closed and the pool stays down, trying again. */
typedef int
pgsql_judge(void *context, const struct pgsql_answer *answer, struct err *err);

struct pgsql_options {
	const char *name; /* of the pool, in log lines and errors: "directory" */
	/* "host=db.example.org dbname=postroad user=postroad sslmode=verify-full",
	 * or postgresql://..., as libpq reads it; several hosts are tried in
	 * turn. A password in it is an error, as are service and passfile. */
	const char *connection;
	/* Its first line is the password, read at each connect; null or "": none. */
	const char *password_file;
	/* Instead of the file; copied; null or "": none. */
	const char *password;
	unsigned connections; /* at most so many; opened as they are needed */
	uint64_t timeout_ms;  /* of a question, from asking to its answer */
	bool read_only;       /* the server refuses statements that change */
	const char *check;    /* statement for `judge`; null: none */
	pgsql_judge *judge;
	void *context; /* for judge */
};

/* Begins to connect. -1: the settings are wrong, *err says how. A database that is
 * down is no failure. */
MUST_USE int pgsql_new(struct event_base *base, const struct pgsql_options *options,
		       struct pgsql **out, struct err *err);
/* Sessions are freed, and requests answered or cancelled, before. */
void pgsql_free(struct pgsql **p);

/* The number of a statement in the pool; the same text gives the same number.
 * Parameters are $1, $2...; all go as text, so cast where it matters ($1::bigint). */
MUST_USE unsigned pgsql_statement(struct pgsql *p, const char *text);

/* ---- asking */

struct pgsql_query {
	unsigned statement;
	const struct span *values; /* copied; `at` null is NULL */
	size_t n;
};

/* err is null with PGSQL_DONE, answer with anything but DONE, CONFLICT, REFUSED. */
typedef void pgsql_answered(void *context, enum pgsql_outcome outcome,
			    const struct pgsql_answer *answer, const struct err *err);

/* Sends the queries together; after the first that fails none is run. Outside a
 * session they are one transaction of their own, which must do no harm when it is
 * done twice: a lost connection asks once more. `session` null: any connection. */
MUST_USE struct pgsql_request *pgsql_ask(struct pgsql *p, struct pgsql_session *session,
					 const struct pgsql_query *queries, size_t n,
					 pgsql_answered *answered, void *context);
/* `answered` comes no more. What was sent may still be done. */
void pgsql_cancel(struct pgsql_request **request);

/* A connection of one's own for a transaction: ask BEGIN, ..., COMMIT in it, one
 * question at a time. Freeing it rolls back what was not committed. After LOST,
 * DOWN or TIMEOUT a session is dead, and further questions are answered LOST. */
MUST_USE struct pgsql_session *pgsql_session_new(struct pgsql *p);
void pgsql_session_free(struct pgsql_session **session);

/* ---- answers */

/* Of the query's rows; 0 for a query that gives none. */
MUST_USE size_t pgsql_rows(const struct pgsql_answer *a, size_t query);
MUST_USE size_t pgsql_columns(const struct pgsql_answer *a, size_t query);
/* As text; `at` is null for NULL, or where there is no such row or column. */
MUST_USE struct span
pgsql_value(const struct pgsql_answer *a, size_t query, size_t row, size_t column);
/* The column's name, "" where there is none. */
MUST_USE const char *
pgsql_column_name(const struct pgsql_answer *a, size_t query, size_t column);
/* Rows that an INSERT, UPDATE or DELETE touched. */
MUST_USE uint64_t pgsql_touched(const struct pgsql_answer *a, size_t query);
/* Five characters after REFUSED or CONFLICT, "" otherwise. */
MUST_USE const char *pgsql_answer_sqlstate(const struct pgsql_answer *a);

/* One element off the front of the text of a one-dimensional array, "{a,"b c"}",
 * unquoted into *out (emptied first). *rest begins as the whole value. 1 an
 * element, 0 the end, -1 no array. NULL elements give an empty text. */
MUST_USE int pgsql_array_next(struct span *rest, struct buf *out);
/* Appends an element; `at` null is NULL. pgsql_array_end() after the last, also of
 * none. */
void pgsql_array_put(struct buf *out, struct span element);
void pgsql_array_end(struct buf *out);
/* bytea: "\x0a0b" as the server writes it. */
MUST_USE bool pgsql_bytes_get(struct span value, struct buf *out);
void pgsql_bytes_put(struct buf *out, struct span bytes);

/* ---- watching */

struct pgsql_state {
	bool up;              /* some connection works */
	unsigned connections; /* that work */
	size_t waiting;       /* questions without one */
	uint64_t asked, failed, conflicts, lost;
	struct err fault; /* why the last connect failed; text "" when up */
};

void pgsql_state(const struct pgsql *p, struct pgsql_state *out);
/* Log lines pgsql.up and pgsql.down, pgsql.notice for what the server remarks. */
