/* common/arrival/arrival.h - clients that gate has logged in, at a session program's
 * door
 *
 * What    takes connections from gate, redeems their tickets with authd, and hands on
 *         those that were true, with what authd says of the account. The others are
 *         told in the words of the program, and closed.
 * Trust   gate is not believed: who is logged in is what authd answers to the ticket.
 * Memory  a struct arrival for each connection whose ticket is asked about, which is
 *         as long as a ticket lives at the most.
 */
#pragma once

#include "common/base/base.h"
#include "common/ipc/ipc.h"
#include "common/net/net.h"
#include "common/proc/proc.h"

#define ARRIVAL_ADDRESS_MAX 320

struct arrival {
	int fd;              /* the taker's */
	struct span pending; /* what the client sent behind its login */
	struct span tag;     /* of the login; empty in POP3 */
	uint64_t account;    /* before authd has answered, as gate has it */
	uint64_t quota_bytes;
	uint64_t domain,
	    domain_quota_bytes;    /* of all accounts of its domain; 0: none */
	struct net_address client; /* without a port */
	bool tls;
	char address[ARRIVAL_ADDRESS_MAX + 1]; /* the login; empty before the answer */
};

struct arrival_callbacks {
	/* The login is true. fd is the program's from now on; the spans, and the
	 * arrival, live as long as the call. */
	void (*taken)(void *context, const struct arrival *a);
	/* It is not, or cannot be asked about: what is put into `out` is said, and the
	 * connection closed. */
	void (*refused)(void *context, const struct arrival *a, const char *reason,
			struct buf *out);
};

struct arrivals;

/* `service` is what a ticket must be for. */
MUST_USE struct arrivals *
arrivals_new(struct proc *p, enum auth_service service,
	     const struct arrival_callbacks *callbacks, void *context);

/* A session_open, whose fd is taken, or a ticket_redeemed; others are left alone. */
void arrivals_message(struct arrivals *all, const struct ipc_message *m, int fd);
/* authd is gone. */
void arrivals_unredeemed(struct arrivals *all);
/* From now on all are refused. */
void arrivals_stop(struct arrivals *all);
/* Those that wait for an answer. */
MUST_USE size_t arrivals_waiting(const struct arrivals *all);
