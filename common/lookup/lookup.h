/* common/lookup/lookup.h - the door of the room that asks lookup tables
 *
 * What    the tables of the settings, opened for reading: texts, patterns and networks
 *         in memory, Berkeley DB files as postmap makes them, PostgreSQL by
 *         common/pgsql. A file that has changed is read again, at the first question
 *         after LOOKUP_LOOK_MS; until it is right, the one before is used.
 *
 *         Most tables answer at once. With one that does not, lookup_get() says
 *         TABLE_WAIT; its asker unwinds, is called when the answer is there, and asks
 *         the same questions again: those answered before are remembered.
 * Trust   keys are a peer's: to a database they go as parameters only. Files are the
 *         operator's.
 * Memory  the caller owns struct lookups and each struct lookup. Values live as long
 *         as their struct lookup, or until lookup_begin().
 *
 * A table that is slow or dead delays only those who ask it.
 * Log lines: table.opened, table.problem.
 */
#pragma once

#include "common/base/base.h"
#include "common/conf/conf.h"
#include "common/table/table.h"

#define LOOKUP_LOOK_MS     1000       /* a file is looked at so often */
#define LOOKUP_SETTLE_S    1          /* a newer one may still be being written */
#define LOOKUP_LOCKED_MS   5000       /* how long postmap may keep a table locked */
#define LOOKUP_TIME_MAX_MS 15000      /* of all that one asker asks databases */
#define LOOKUP_BYTES_MAX   (1U << 20) /* of values of one asker; by databases; others */
#define LOOKUP_ANSWERS_MAX 1000       /* of one asker, by databases */

struct event_base;
struct lookups;
struct lookup;

/* Null, or what is wrong with a value of the table: asked for each of a table in memory
 * when it is read. */
typedef const char *lookup_check(void *context, const char *table, struct span value);

/* `check` may be null. */
MUST_USE struct lookups *
lookups_new(struct event_base *base, lookup_check *check, void *context);
/* All struct lookup are freed before. */
void lookups_free(struct lookups **ls);
/* Opens what is new or has another section; the others are checked again. Who waits
 * for one that goes away is called. */
void lookups_set(struct lookups *ls, const struct conf_tables *tables);

/* Called from the loop, never from within lookup_get(): ask again. */
typedef void lookup_again(void *context);

MUST_USE struct lookup *
lookup_new(struct lookups *ls, lookup_again *again, void *context);
void lookup_free(struct lookup **l);
/* All is asked again from the start: values that were given before are gone, but what
 * databases have answered is kept. */
void lookup_begin(struct lookup *l);

/* The value of a key; `part` is true for a part of what is looked up, which tables of
 * patterns are not asked for. */
MUST_USE enum table_result
lookup_get(struct lookup *l, struct span table, struct span key, bool part,
	   struct span *value, struct err *err);

/* The first key that the table has. */
MUST_USE enum table_result
lookup_first(struct lookup *l, struct span table, const struct table_keys *keys,
	     struct span *value, struct err *err);

/* Does the table know addresses only? */
MUST_USE bool lookup_of_networks(const struct lookup *l, struct span table);

/* For programs without a loop: waits for the answer. `value` is emptied first. */
MUST_USE enum table_result
lookup_now(struct lookups *ls, struct event_base *base, struct span table,
	   struct span key, struct buf *value, struct err *err);

/* Null, or what is wrong with a value of the table, by what the settings use it for. */
MUST_USE const char *
lookup_value_fault(const struct settings *s, const char *table, struct span value);

/* ---- how they are */

struct lookup_state {
	const char *name;
	enum table_kind kind;
	const char *file; /* or "" */
	bool ready;       /* there is something to ask */
	bool counted;     /* `entries` is known: the table is in memory */
	uint64_t entries;
	uint64_t asked, found, faults;
	struct err fault; /* why it is not ready, or not as the file says now */
	const struct table_problems *problems; /* of the file as it is now */
};

/* Of all tables together. */
struct lookup_sums {
	uint64_t ready, asked, found, faults, waiting;
};

void lookups_sums(const struct lookups *ls, struct lookup_sums *out);

MUST_USE size_t lookups_count(const struct lookups *ls);
/* i is less than lookups_count(); by name. */
void lookups_state(const struct lookups *ls, size_t i, struct lookup_state *out);
