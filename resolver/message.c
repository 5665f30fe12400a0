#include "resolver/message.h"

#define HEADER_BYTES   12
#define NAME_WIRE_MAX  255
#define JUMPS_MAX      64
#define TYPE_SOA       6
#define CLASS_IN       1
#define RCODE_NXDOMAIN 3

struct message {
	struct span packet;
	size_t at;
	bool failed; /* sticky */
};

/* One resource record; rdata starts at `data` and has n bytes. */
struct rr {
	char owner[DNS_NAME_MAX + 1];
	unsigned type, class;
	uint32_t ttl_s;
	size_t data, n;
};

/* --- numbers, names ------------------------------------------------------- */

static unsigned
get_u8(struct message *m)
{
	if (m->failed || m->at >= m->packet.n) {
		m->failed = true;
		return 0;
	}
	return (uint8_t)m->packet.at[m->at++];
}

static unsigned
get_u16(struct message *m)
{
	unsigned high = get_u8(m);

	return high << 8 | get_u8(m);
}

static uint32_t
get_u32(struct message *m)
{
	uint32_t high = get_u16(m);

	return high << 16 | get_u16(m);
}

/* One label onto the text; false: the text could not name it again. */
static bool
label_add(struct message *m, unsigned n, char *text, size_t *length)
{
	bool plain = true;

	if (*length + n + 1 > DNS_NAME_MAX + 1) {
		m->failed = true;
		return false;
	}
	if (*length > 0)
		text[(*length)++] = '.';
	for (unsigned i = 0; i < n && !m->failed; i++) {
		char c = ascii_lower((char)get_u8(m));

		plain = plain && c != '.' && c != '\0';
		text[(*length)++] = c == '\0' ? '?' : c;
	}
	return plain;
}

/* Follows pointers, which must point backwards [RFC1035 4.1.4]. True: `text` is a
 * name that dns_name_valid() takes, or empty for the root. */
static bool
get_name(struct message *m, char text[DNS_NAME_MAX + 2])
{
	size_t length = 0, back = m->at, resume = 0;
	bool plain = true;
	unsigned n;

	for (int jumps = 0; (n = get_u8(m)) != 0;) {
		if (n < 64) {
			plain = label_add(m, n, text, &length) && plain;
			continue;
		}
		jumps = n < 192 ? JUMPS_MAX : jumps + 1;
		n = (n & 63) << 8 | get_u8(m);
		if (resume == 0)
			resume = m->at;
		if (jumps >= JUMPS_MAX || n >= back || m->failed) {
			m->failed = true;
			break;
		}
		m->at = back = n;
	}
	if (resume != 0)
		m->at = resume;
	text[length] = '\0';
	return !m->failed && plain &&
	       (length == 0 || dns_name_valid(span_make(text, length)));
}

static void
get_rr(struct message *m, struct rr *rr)
{
	char owner[DNS_NAME_MAX + 2];

	if (!get_name(m, owner))
		owner[0] = '\0';
	memcpy(rr->owner, owner, sizeof(rr->owner));
	rr->owner[DNS_NAME_MAX] = '\0';
	rr->type = get_u16(m);
	rr->class = get_u16(m);
	rr->ttl_s = get_u32(m);
	if (rr->ttl_s > INT32_MAX) /* [RFC2181 8] */
		rr->ttl_s = 0;
	rr->n = get_u16(m);
	rr->data = m->at;
	if (m->failed || m->packet.n - m->at < rr->n)
		m->failed = true;
	else
		m->at += rr->n;
}

/* --- one record of the type that was asked for ---------------------------- */

static struct message
rdata(const struct message *m, const struct rr *rr)
{
	return (struct message){span_first(m->packet, rr->data + rr->n), rr->data,
				false};
}

static struct span
rest_of(struct message *d)
{
	struct span rest = span_after(d->packet, d->at);

	d->at = d->packet.n;
	return rest;
}

/* The strings of a TXT record, joined, into `text`. */
static void
txt_join(struct message *d, struct buf *text)
{
	while (d->at < d->packet.n && !d->failed) {
		unsigned n = get_u8(d);

		if (d->packet.n - d->at < n) {
			d->failed = true;
			return;
		}
		buf_put(text, span_make(d->packet.at + d->at, n));
		d->at += n;
	}
}

static void
tlsa_get(struct message *d, struct dns_record *r)
{
	r->usage = (uint8_t)get_u8(d);
	r->selector = (uint8_t)get_u8(d);
	r->matching = (uint8_t)get_u8(d);
	r->data = rest_of(d);
}

/* False: not well-formed. Spans point into d, `name` and `text`. */
static bool
record_get(struct message *d, struct dns_record *r, char name[DNS_NAME_MAX + 2],
	   struct buf *text)
{
	bool good = true;

	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		r->data = rest_of(d);
		good = r->data.n == (r->type == DNS_A ? 4 : 16);
		break;
	case DNS_MX:
		r->preference = (uint16_t)get_u16(d);
		good = get_name(d, name);
		break;
	case DNS_CNAME:
	case DNS_PTR:
		good = get_name(d, name) && *name != '\0';
		break;
	case DNS_TXT:
		txt_join(d, text);
		r->data = buf_span(text);
		break;
	case DNS_TLSA:
		tlsa_get(d, r);
		break;
	}
	r->name = span_str(name);
	return good && !d->failed && d->at == d->packet.n;
}

/* One that is not well-formed is left out. */
static void
record_put(const struct message *m, const struct rr *rr, enum dns_type type,
	   struct buf *records)
{
	struct message d = rdata(m, rr);
	struct dns_record r = {.type = type};
	struct buf text = buf_make(UINT16_MAX);
	char name[DNS_NAME_MAX + 2] = "";

	if (record_get(&d, &r, name, &text))
		dns_record_put(records, &r);
	buf_release(&text);
}

/* --- the whole ------------------------------------------------------------ */

struct reading {
	struct message m;
	unsigned n_answers, n_authority;
	size_t answers; /* where they start */
	enum dns_type type;
	struct buf *records;
	struct message_answer out;
};

static void
ttl_lower(struct message_answer *out, uint32_t ttl_s)
{
	if (ttl_s < out->ttl_s)
		out->ttl_s = ttl_s;
}

/* All records of the type at the name; how many there were. */
static size_t
records_take(struct reading *r, char cname[DNS_NAME_MAX + 2])
{
	struct rr rr;
	size_t n = 0;

	*cname = '\0';
	r->m.at = r->answers;
	for (unsigned i = 0; i < r->n_answers && !r->m.failed; i++) {
		get_rr(&r->m, &rr);
		if (r->m.failed || rr.class != CLASS_IN ||
		    strcmp(rr.owner, r->out.name) != 0)
			continue;
		if (rr.type == r->type && n < DNS_RECORDS_MAX) {
			n++;
			ttl_lower(&r->out, rr.ttl_s);
			record_put(&r->m, &rr, r->type, r->records);
		} else if (rr.type == DNS_CNAME) {
			struct message d = rdata(&r->m, &rr);

			ttl_lower(&r->out, rr.ttl_s);
			if (!get_name(&d, cname))
				r->m.failed = true;
		}
	}
	return n;
}

/* [RFC2308 5]: the lower of the SOA's TTL and its last field. */
static uint32_t
negative_ttl(struct reading *r)
{
	struct rr rr;

	for (unsigned i = 0; i < r->n_authority && !r->m.failed; i++) {
		struct message d;

		get_rr(&r->m, &rr);
		if (r->m.failed || rr.type != TYPE_SOA || rr.n < 4)
			continue;
		d = rdata(&r->m, &rr);
		d.at = rr.data + rr.n - 4;
		ttl_lower(&r->out, rr.ttl_s);
		ttl_lower(&r->out, get_u32(&d));
		return r->out.ttl_s;
	}
	return r->out.ttl_s < MESSAGE_NEGATIVE_TTL_S ? r->out.ttl_s
						     : MESSAGE_NEGATIVE_TTL_S;
}

/* Follows the CNAMEs to the records. */
static enum message_result
chain_follow(struct reading *r)
{
	char cname[DNS_NAME_MAX + 2];

	for (int hops = 0; hops <= MESSAGE_CNAMES_MAX; hops++) {
		size_t n = records_take(r, cname);

		if (r->m.failed)
			return MESSAGE_BROKEN;
		if (r->records->full)
			return MESSAGE_TOO_BIG;
		if (n > 0)
			return r->records->n > 0 ? MESSAGE_OK : MESSAGE_USELESS;
		if (*cname == '\0')
			return MESSAGE_NO_DATA;
		memcpy(r->out.name, cname, sizeof(r->out.name));
	}
	return MESSAGE_CHAIN;
}

/* Up to the first answer. */
static bool
head_read(struct reading *r)
{
	struct message *m = &r->m;
	unsigned questions;
	char name[DNS_NAME_MAX + 2];

	m->at = 2;
	r->out.rcode = get_u16(m) & 15;
	questions = get_u16(m);
	r->n_answers = get_u16(m);
	r->n_authority = get_u16(m);
	m->at = HEADER_BYTES;
	for (unsigned i = 0; i < questions && !m->failed; i++) {
		(void)get_name(m, name);
		(void)get_u32(m);
	}
	r->answers = m->at;
	return !m->failed;
}

static enum message_result
whole_read(struct reading *r)
{
	enum message_result result;

	if (!head_read(r))
		return MESSAGE_BROKEN;
	if (r->out.rcode != 0 && r->out.rcode != RCODE_NXDOMAIN)
		return MESSAGE_SERVER;
	result = chain_follow(r);
	if (result == MESSAGE_NO_DATA && r->out.rcode == RCODE_NXDOMAIN)
		result = MESSAGE_NO_NAME;
	if (result == MESSAGE_NO_DATA || result == MESSAGE_NO_NAME)
		r->out.ttl_s = negative_ttl(r);
	return r->m.failed ? MESSAGE_BROKEN : result;
}

enum message_result
message_read(struct span packet, struct span name, enum dns_type type,
	     struct buf *records, struct message_answer *out)
{
	struct reading r = {
	    .m = {packet, 0, false},
              .type = type, .records = records
        };
	enum message_result result;

	ASSERT(name.n <= DNS_NAME_MAX);
	for (size_t i = 0; i < name.n; i++)
		r.out.name[i] = ascii_lower(name.at[i]);
	r.out.ttl_s = UINT32_MAX;
	result = whole_read(&r);
	*out = r.out;
	return result;
}
