/* common/dns/record.h - the records of an answer, one after another
 *
 * The list inside ipc dns_answer. All records have the type that was asked for;
 * CNAMEs on the way to them are followed by resolved. Little-endian:
 *
 *   record   u16 type | by type:
 *   A        4 bytes            AAAA  16 bytes
 *   MX       u16 preference, bytes name (empty: the null MX [RFC7505 3])
 *   CNAME    bytes name         PTR   bytes name
 *   TXT      bytes text: the strings of the record, joined [RFC7208 3.3]
 *   TLSA     u8 usage, u8 selector, u8 matching, bytes data
 */
#pragma once

#include "common/base/base.h"
#include "common/dns/dns.h"

#define DNS_RECORDS_BYTES_MAX (48u << 10) /* a list that fits into one ipc message */
#define DNS_RECORDS_MAX       1000u       /* of one answer */

struct dns_record {
	enum dns_type type;
	uint16_t preference; /* MX */
	struct span name;    /* MX, CNAME, PTR: lower case, without the last dot */
	struct span data;    /* A, AAAA: 4 or 16 bytes; TXT: the text; TLSA: its data */
	uint8_t usage, selector, matching; /* TLSA */
};

/* The record must be one that dns_record_next() would take. */
void dns_record_put(struct buf *list, const struct dns_record *r);

/* The next of `list`, which starts as cursor_make(answer->records). False at the
 * end, or (the cursor has failed) on damage: an unknown type, a name that is none,
 * too few bytes. */
MUST_USE bool dns_record_next(struct cursor *list, struct dns_record *out);

/* Is all of it a list of 0 to DNS_RECORDS_MAX records of this type? */
MUST_USE bool dns_records_valid(struct span list, enum dns_type type);

/* The 16 bytes (IPv4 mapped) of an A or AAAA record. */
void dns_record_ip(const struct dns_record *r, uint8_t ip[16]);
