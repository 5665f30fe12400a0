/* resolver/message.h - an answer's bytes, as they were on the wire, into records
 *
 * RFC     [RFC1035 4.1] message, [RFC1035 4.1.4] compression, [RFC2308 5] how long
 *         "no" is good.
 * Trust   nothing is: a name that points forwards or in circles, a record that is
 *         short, a size that lies end the parsing. Pure.
 */
#pragma once

#include "common/dns/dns.h"

#define MESSAGE_CNAMES_MAX     8
#define MESSAGE_NEGATIVE_TTL_S 60 /* where no SOA says how long "no" is good */

enum message_result {
	MESSAGE_OK,      /* there are records */
	MESSAGE_NO_NAME, /* NXDOMAIN */
	MESSAGE_NO_DATA,
	MESSAGE_SERVER, /* the server could not answer, by its code */
	MESSAGE_CHAIN,  /* too many CNAMEs, or in a circle */
	MESSAGE_TOO_BIG,
	MESSAGE_USELESS, /* records of the type, none of them well-formed */
	MESSAGE_BROKEN,
};

struct message_answer {
	char name[DNS_NAME_MAX + 1]; /* where the CNAMEs led, lower case */
	uint32_t ttl_s;              /* the lowest on the way */
	unsigned rcode;
};

/* Appends the records of `type` to *records, whose limit is the answer's. */
MUST_USE enum message_result
message_read(struct span packet, struct span name, enum dns_type type,
	     struct buf *records, struct message_answer *out);
