/* common/dns/dns.h - the door of the room that knows what the DNS says
 *
 * What    the words of an answer (here), the list of records in an ipc dns_answer
 *         (record.h), and the client of resolved (client.h), who asks for all.
 * RFC     [RFC1035 3.3] types, [RFC7672 2.1] what "secure" is needed for.
 * Trust   an answer comes from resolved, which is believed about security but not
 *         about form: a list that is damaged is found to be, and names and sizes
 *         are checked before anyone uses them.
 * Memory  records point into the answer; an answer lives until the callback that
 *         brought it returns.
 */
#pragma once

#include "common/base/base.h"

/* A name as text without the dot at its end [RFC1035 2.3.4]. */
#define DNS_NAME_MAX 253

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52,
};

enum dns_outcome {
	DNS_OK,
	DNS_NO_NAME, /* there is no such name: NXDOMAIN */
	DNS_NO_DATA, /* there is, but without a record of this type */
	DNS_LATER,   /* nobody knows now: no server answers, or the answer is bogus */
	DNS_OUTCOME_COUNT,
};

enum dns_security {
	DNS_INSECURE, /* the zone is not signed, or nothing proves that it should be */
	DNS_SECURE,   /* signatures prove the answer, each CNAME on the way included */
	DNS_BOGUS,    /* signatures are wrong or missing: only with DNS_LATER */
	DNS_SECURITY_COUNT,
};

struct dns_answer {
	enum dns_outcome outcome;
	enum dns_security security; /* of a NO_NAME and NO_DATA too */
	uint32_t ttl_s;
	struct span name; /* where the CNAMEs led; what was asked when there are none */
	struct span
	    records;      /* dns_record_next() takes them off; DNS_OK: at least one */
	struct span text; /* why there are none, for a human; may be empty */
};

/* "MX"; "?" for what is no dns_type. */
MUST_USE const char *dns_type_name(unsigned type);
MUST_USE bool dns_type_known(unsigned type);
/* "secure" */
MUST_USE const char *dns_security_name(enum dns_security security);

/* Is it a name to ask for: labels of 1 to 63 printable ASCII characters other than
 * space, quotes and backslash, at most DNS_NAME_MAX together, no dot at the end?
 * Underscores are right (TLSA, MTA-STS); hosts are held to no stricter form. */
MUST_USE bool dns_name_valid(struct span name);

/* The name under which PTR records of an address stand; ip: 16 bytes, IPv4 mapped
 * [RFC1035 3.5] [RFC3596 2.5]. */
void dns_reverse_put(const uint8_t ip[16], struct buf *out);
/* "_25._tcp.mx.example.org" [RFC6698 3] */
void dns_tlsa_put(struct span host, uint16_t port, struct buf *out);

#include "common/dns/record.h"
#include "common/dns/client.h"
