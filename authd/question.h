/* authd/question.h - one address that somebody wants resolved; shared by resolve.c,
 * lookup.c, quota.c and access.c */
#pragma once

#include "authd/access.h"
#include "authd/authd.h"

struct question {
	struct errand errand;
	TAILQ_ENTRY(question) waiting; /* while gives_up_ms is not 0 */
	struct ipc_resolve ask;        /* its spans point behind this struct */

	/* What it waits for besides the directory. */
	uint64_t account, domain; /* whose use must be known; 0 none */
	uint64_t gives_up_ms;

	struct access *access; /* lookup tables; null when there are none to ask */

	/* What the directory says; empty but within a run and its answer. */
	struct arena arena;
	enum directory_route_kind kind;
	struct directory_route route;
	bool returns;         /* to whom it stands for: `srs` and `address` say more */
	int srs;              /* enum srs_result */
	struct buf address;   /* that a return address stands for */
	struct buf rewritten; /* sender for other servers; empty: as it came */
	enum access_verdict tables; /* what lookup tables say of all that */
	struct span *hops;          /* of the targets outside; null: none */
	struct span relay_hop;      /* of an address that is sent on as it is */
	struct err err;

	char text[];
};

/* What follows the @. */
static inline struct span
address_domain(struct span address)
{
	return span_after(address, span_find_last(address, '@') + 1);
}

/* lookup.c: asks the directory all that the answer needs. */
void question_look_up(struct directory *d, struct errand *e);
void question_empty(struct question *q);

/* tables.c: false when q->tables says that it is not to go on. */
MUST_USE bool tables_judge(struct question *q);
/* As directory_resolve(), with the alias tables before it. */
void tables_resolve(struct directory *d, struct question *q,
		    const struct directory_policy *policy, struct span address);
void tables_hops(struct question *q);

/* quota.c */
enum room {
	ROOM_ENOUGH,
	ROOM_NONE,    /* over quota */
	ROOM_TOO_BIG, /* more than a message may have here */
	ROOM_ASKED,   /* q->account or q->domain has to be heard of first */
};
MUST_USE enum room question_room(struct question *q);
