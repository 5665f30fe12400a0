/* smtpd/name.h - what the machine of a client is called, and can prove it
 *
 * What    a name from the PTR records of its address, whose own address records have
 *         that address too. Asked of resolved from the connect on, and given up when
 *         the DNS takes too long.
 * RFC     [RFC1912 2.1] PTR and address records match. [RFC8601 3] verified name.
 * Trust   who has the address says what its PTR records are: a name of theirs counts
 *         once the name's own zone has the address, and is checked for its form.
 * Memory  a struct name a client, from its connect on; only where a table wants it.
 */
#pragma once

#include "common/base/base.h"
#include "common/dns/dns.h"

struct event_base;
struct name;

#define NAMES_MAX 4 /* of one address that are looked at: the first by alphabet */

enum name_state {
	NAME_ASKED,
	NAME_KNOWN,
	NAME_NONE,   /* there is none, or its zone does not have the address */
	NAME_UNSURE, /* the DNS did not say, or not in time */
};

/* The state is no longer NAME_ASKED; called once, from the loop. */
typedef void name_done(void *context);

/* ip: 16 bytes, IPv4 mapped. */
MUST_USE struct name *
name_new(struct event_base *base, struct dns_client *dns, const uint8_t ip[16],
	 uint64_t patience_ms, name_done *done, void *context);
/* Null is allowed. */
void name_free(struct name **n);

MUST_USE enum name_state name_state(const struct name *n);
/* Lower case, without a dot at its end; empty unless NAME_KNOWN. */
MUST_USE struct span name_text(const struct name *n);

/* The names to look at: the first NAMES_MAX by alphabet, each once, of a list of PTR
 * records; those that can be no host are left out. */
MUST_USE size_t name_candidates(struct span records,
				char names[NAMES_MAX][DNS_NAME_MAX + 1]);
/* Is the address among these A or AAAA records? */
MUST_USE bool name_confirms(struct span records, const uint8_t ip[16]);
