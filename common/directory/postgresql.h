/* common/directory/postgresql.h - the directory in PostgreSQL; for this room only
 *
 * What    the backend's calls answer from what its task has heard (postgresql_memo.h);
 *         what is missing is asked for, all at once, when the work has come back,
 *         and then the work runs again. A task that changes is one SERIALIZABLE
 *         transaction; on a conflict all of it is done again from the start.
 *
 * postgresql.c           calls, opening
 * postgresql_task.c      runs of a task, from begin to end
 * postgresql_ask.c       what one round asks, what its answer means
 * postgresql_settle.c    a COMMIT whose answer was lost
 * postgresql_row.c       records as rows; postgresql_relation.c: of which tables
 * postgresql_schema.c    the tables, by version
 */
#pragma once

#include "common/directory/internal.h"
#include "common/directory/postgresql_memo.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#define CHANGES_MAX      65000 /* records of one change */
#define TRIES_MAX        20    /* of a transaction that meets others */
#define PAGE_RECORDS     100   /* of a walk whose length nobody knows */
#define PAGE_RECORDS_MAX 1000

enum apply_state {
	APPLY_NONE,
	APPLY_WANTED, /* the work has said what to change */
	APPLY_SENT,   /* with COMMIT */
	APPLY_DONE,
};

struct postgresql_task {
	struct directory_task task; /* first */
	TAILQ_ENTRY(postgresql_task) link;
	struct postgresql *b;
	struct directory *d;
	enum directory_task_kind kind;
	directory_work *work;
	directory_finished *finished;
	void *context;
	struct memo memo;
	bool waits;  /* the last run asked for what is not here */
	bool runs;   /* inside work() */
	bool failed; /* `fault` says why; the next run is the last */
	struct err fault;
	struct pgsql_session *session; /* CHANGES */
	struct pgsql_request *request;
	bool begun;    /* the transaction */
	uint64_t txid; /* 0: not known yet */
	enum apply_state apply;
	struct backend_change *changes; /* in the memo's arena */
	size_t n_changes;
	struct err why; /* the last outcome that made it begin again */
	unsigned tries;
	struct event deadline;
	struct event settle; /* the next time to ask what became of COMMIT */
	bool settles;
	bool queued; /* waits for others that change */
};

TAILQ_HEAD(postgresql_tasks, postgresql_task);

struct sql;

struct postgresql {
	struct backend backend; /* first */
	struct event_base *base, *own_base;
	struct pgsql *pool;
	uint64_t timeout_ms;
	unsigned changing, changing_max;
	struct postgresql_tasks tasks; /* all of them */
	struct event next;             /* one of the queued begins */
	struct postgresql_task *current;
	struct memo direct[2]; /* of calls outside of tasks, newest first */
	struct sql *sql;       /* an operator's own tables; null: ours */
	struct buf sql_record; /* the last one made of them */
	int *statements;       /* numbers in the pool, by relation and form; -1 */
};

extern const struct backend_calls postgresql_calls;

/* The number of a statement, made when it is first used. */
unsigned postgresql_statement(struct postgresql *b, const struct relation *r,
			      enum row_statement s);
unsigned postgresql_walk_statement(struct postgresql *b, const struct relation *r,
				   size_t n, bool after);
unsigned
postgresql_count_statement(struct postgresql *b, const struct relation *r, size_t n);

/* postgresql_task.c */
MUST_USE bool
postgresql_begin(struct backend *, struct directory *, enum directory_task_kind,
		 directory_work *, directory_finished *, void *context,
		 struct directory_task **);
void postgresql_cancel(struct directory_task *);
void postgresql_wait(struct backend *, struct directory *, enum directory_task_kind,
		     directory_work *, void *context);
/* The next run, now that something was heard. */
void postgresql_run(struct postgresql_task *t);
/* The transaction is over, undone: once more from the start, or a fault. */
void postgresql_again(struct postgresql_task *t, const struct err *why);
void postgresql_fail(struct postgresql_task *t, const struct err *why);
/* Without its transaction, which is rolled back if it was not committed. */
void postgresql_leave(struct postgresql_task *t);
void postgresql_tasks_init(struct postgresql *b);

/* postgresql_ask.c: what the last run wants. */
void postgresql_ask(struct postgresql_task *t);

/* postgresql_settle.c: the connection was lost, or silent, after COMMIT was sent. */
void postgresql_settle(struct postgresql_task *t);
void postgresql_settle_init(struct postgresql_task *t);
