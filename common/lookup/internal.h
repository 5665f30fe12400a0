/* common/lookup/internal.h - what the files of this room share
 *
 * lookup.c     who asks, what it has been told; waiting
 * opened.c     one table: opening, looking whether its file has changed
 * postmap.c   the files that postmap makes; no other file knows Berkeley DB
 * database.c   PostgreSQL
 */
#pragma once

#include "common/lookup/lookup.h"
#include "common/pgsql/pgsql.h"

#include <sys/queue.h>

/* ---- postmap.c */

struct postmap;

/* DONE with a shared lock held for the time of the call only. */
MUST_USE int postmap_open(const char *path, enum table_kind kind, struct postmap **out,
			  struct err *err);
void postmap_free(struct postmap **b);
/* WAIT while postmap has it locked. The key must be folded. */
MUST_USE enum table_result
postmap_get(struct postmap *b, struct span key, struct buf *value, struct err *err);

/* ---- opened.c: a table */

struct stamp {
	uint64_t device, inode, bytes;
	int64_t changed_s, changed_ns;
};

struct lookups;

struct opened {
	const struct lookups *lookups;
	uint64_t id;            /* never used again */
	struct conf_table conf; /* texts of its own */
	enum table_kind kind;
	char *path;         /* of the file; "" none */
	struct stamp stamp; /* of the file as it was read last */
	bool stamped;
	uint64_t looked_ms; /* 0 never */
	struct table_map *map;
	struct postmap *postmap;
	struct database *database;
	struct table_problems problems;
	struct err fault;
	uint64_t asked, found, faults;
};

MUST_USE struct opened *
opened_new(const struct conf_table *conf, uint64_t id, struct lookups *ls);
void opened_free(struct opened **s);
MUST_USE bool opened_is(const struct opened *s, const struct conf_table *conf);
/* Looks at its file when that is due. */
void opened_look(struct opened *s);
/* What is in memory or in a file; not for PostgreSQL. */
MUST_USE enum table_result
opened_get(struct opened *s, struct span key, struct buf *value, struct err *err);
/* The whole file; -1 when it cannot be read. */
MUST_USE int opened_file_read(const char *path, struct buf *out, struct err *err);

/* ---- database.c: a table of PostgreSQL */

struct database;
struct database_request;

MUST_USE int
database_new(const struct conf_table *conf, struct event_base *base,
	     struct table_problems *problems, struct database **out, struct err *err);
void database_free(struct database **d);

typedef void database_answered(void *context, enum table_result result,
			       struct span value, const struct err *err);
/* NOT_FOUND: no query is worth sending. WAIT: *request is set, the answer comes from
 * the loop. */
MUST_USE enum table_result
database_ask(struct database *d, struct span key, database_answered *answered,
	     void *context, struct database_request **request);
void database_cancel(struct database_request **request);

/* ---- lookup.c */

struct answer; /* by a database, or on its way */

TAILQ_HEAD(answer_list, answer);
TAILQ_HEAD(lookup_list, lookup);

struct lookups {
	struct event_base *base;
	lookup_check *check;
	void *context;
	struct opened **sources; /* by name */
	size_t n;
	uint64_t next_id;
	struct lookup_list all;
};

uint64_t lookup_now_ms(void);
