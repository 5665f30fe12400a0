/* smtpd/demands.h - what access tables want done with the message of one client
 *
 * What    the demands of all its recipients together: hold it, other recipients, more
 *         of them, header fields. Those of a recipient count once it is accepted, which
 *         it is when it is known where the addresses among them lead:
 *
 *           demands_begin(d, list, targets);
 *           while (demands_unknown(d, &address)) { ask; demands_learn(d, ...); }
 *           if (demands_accept(d)) the recipient is taken, d->targets are its own
 *
 * Trust   the list and the targets are authd's, and checked.
 * Memory  a client has one only from the first demand of a transaction on; bounded by
 *         the MAX of each buf.
 */
#pragma once

#include "common/base/base.h"
#include "common/spool/spool.h"

#define DEMANDS_FIELDS_MAX (32u << 10) /* bytes of all header fields */
#define DEMANDS_BCC_MAX    100u        /* addresses */

struct demands {
	bool hold;
	struct buf redirect; /* an address; empty: none */
	struct buf bcc;      /* addresses, each as wire_put_bytes() has it */
	struct buf fields;   /* whole lines, folded */
	size_t n_bcc, n_fields;
	struct buf
	    known; /* addresses and where they lead, as an envelope's recipients */
	/* Of the recipient that is asked about. */
	bool open;
	struct buf list, targets;
};

MUST_USE struct demands *demands_new(void);
void demands_free(struct demands **d);

/* A recipient that leads to `targets` comes with demands; what another one came with,
 * and was not accepted, is forgotten. */
void demands_begin(struct demands *d, struct span list, struct span targets);
void demands_forget(struct demands *d);
/* The next address among its demands of which nothing is known; it points into *d. */
MUST_USE bool demands_unknown(const struct demands *d, struct span *address);
/* `targets` is whole and not empty. */
void demands_learn(struct demands *d, struct span address, struct span targets);
/* All is known: its demands hold from now on. False: they are too many for one message,
 * and it must not be accepted. */
MUST_USE bool demands_accept(struct demands *d);

/* Makes the list of the client's n recipients, as in an envelope, that of the message;
 * how many those are. */
MUST_USE size_t demands_recipients(const struct demands *d, struct buf *list, size_t n);
