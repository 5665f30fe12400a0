/* authd/access.h - what lookup tables say of a recipient
 *
 * What    access lists, aliases, routes and senders from the tables of the settings
 *         [common/lookup], asked in Postfix's orders. All of it runs within the work on
 *         the directory, again from its start when an answer has come.
 * Memory  a struct access lives as long as its question, and keeps what databases have
 *         answered; ACCESS_WAITS: wait, until again() is called.
 */
#pragma once

#include "authd/authd.h"
#include "common/lookup/lookup.h"
#include "common/spool/spool.h"

#define ACCESS_ALIAS_DEPTH_MAX 10
#define ACCESS_REPLY_MAX       (TABLE_REPLY_TEXT_MAX + 32)
#define ACCESS_TARGETS_MAX     DIRECTORY_TARGETS_MAX

enum access_verdict {
	ACCESS_FAULT = -1, /* err says why */
	ACCESS_NOTHING,    /* go on */
	ACCESS_REFUSED,    /* access->reply */
	ACCESS_DISCARD,
	ACCESS_WAITS,
};

struct access {
	struct authd *authd;
	struct lookup *lookup;
	struct buf reply; /* "550 5.7.1 Go away" */
	/* Of the last run over the access lists; empty where no table said so. */
	struct buf demands;              /* common/spool's list */
	struct buf if_permit, if_reject; /* as `reply` */
	unsigned n_actions, n_told;      /* in this run; in the log */
};

/* Null when no setting names a table. */
MUST_USE struct access *access_new(struct authd *a, lookup_again *again, void *context);
void access_free(struct access **x);

/* access.c: may this client send from that sender to this recipient? */
MUST_USE enum access_verdict
access_judge(struct access *x, const struct ipc_resolve *m, struct err *err);
/* The answer as the access lists want it, when everything else has been asked: put off
 * where they said DEFER_IF, and with their demands where it is to be taken. */
void access_settle(const struct access *x, struct ipc_resolved *m);
/* Null, or what is wrong with a value of a table, by what the settings use it for. */
const char *access_check(void *authd, const char *table, struct span value);

/* access_alias.c: the addresses that an address stands for by the alias tables; *n is
 * 0 when it is no alias. They live in the arena. */
MUST_USE enum access_verdict
access_aliases(struct access *x, struct span address, struct arena *arena,
	       struct span **out, size_t *n, struct err *err);

/* access_route.c: where mail for an address outside goes, as the `to` of a route; empty
 * when the tables do not say. */
MUST_USE enum access_verdict
access_route(struct access *x, struct span address, struct arena *arena,
	     struct span *next_hop, struct err *err);
/* May the login send as an address? *known: the tables say, and *may is what. */
MUST_USE enum access_verdict
access_sender(struct access *x, struct span login, struct span address, bool *known,
	      bool *may, struct err *err);

/* table_ask.c: `postroad table` */
void table_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_table_ask *m);

/* --- among the files of access */

/* The first of the keys that one of the tables has, key by key as Postfix's maps; the
 * index of the key in *which. */
MUST_USE enum table_result
access_find(struct access *x, const struct conf_list *tables,
	    const struct table_keys *keys, struct span *value, size_t *which,
	    struct err *err);
void access_refuse(struct access *x, const struct table_action *action);
/* access_action.c: what a table said of `key`. *over: this list asks no further. */
MUST_USE enum access_verdict
access_act(struct access *x, const char *table, struct span key, struct span value,
	   const struct ipc_resolve *m, bool *over, struct err *err);
