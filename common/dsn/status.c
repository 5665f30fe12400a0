/* The fields that programs read: message/delivery-status [RFC3464 2], or
 * message/global-delivery-status [RFC6533 4]. */
#include "common/dsn/internal.h"

#include "common/smtp/smtp.h"
#include "common/spool/spool.h"

#include <arpa/inet.h>

#define FIELD_BYTES_MAX 4096

static const char *const actions[] = {
    [DSN_FAILED] = "failed",       [DSN_DELAYED] = "delayed",
    [DSN_DELIVERED] = "delivered", [DSN_RELAYED] = "relayed",
    [DSN_EXPANDED] = "expanded",
};

struct status
row_status(const struct dsn_row *row)
{
	struct status s = {row->enhanced[0], row->enhanced[1], row->enhanced[2]};

	if (s.class == 0)
		s.class = row->code / 100;
	if (row->flags & DSN_EXPIRED)
		return (struct status){4, 4, 7};
	switch (row->action) {
	case DSN_FAILED:
		if (row->flags & DSN_OPERATOR)
			s.class = 5;
		break;
	case DSN_DELAYED:
		if (s.class != 4)
			return (struct status){4, 0, 0};
		break;
	default:
		if (s.class != 2)
			return (struct status){2, row->action == DSN_RELAYED ? 0 : 1,
					       row->action == DSN_RELAYED ? 0 : 5};
	}
	if (s.class != 2 && s.class != 4)
		s.class = 5;
	if (row->action == DSN_FAILED && s.class == 2)
		return (struct status){5, 0, 0};
	return s;
}

/* One field out of a value that is gathered in `value`. */
static void
field_end(struct buf *out, const char *name, struct buf *value)
{
	if (value->n > 0)
		dsn_field_put(out, name, span_trim(buf_span(value), " "));
	buf_reset(value);
}

/* On one line: not everybody who reads addresses undoes folds. */
static void
address_end(struct buf *out, const char *name, struct buf *value)
{
	if (value->n > DSN_WORD_BYTES) {
		field_end(out, name, value);
		return;
	}
	buf_putf(out, "%s: ", name);
	buf_put(out, buf_span(value));
	buf_put(out, SPAN("\r\n"));
	buf_reset(value);
}

static void
date_field(struct buf *out, const char *name, uint64_t us, struct buf *value)
{
	if (us == 0)
		return;
	dsn_date_put(value, us);
	field_end(out, name, value);
}

static void
utf8_put(struct buf *out, uint32_t c)
{
	char bytes[4];

	buf_put(out, span_make(bytes, utf8_encode(c, bytes)));
}

/* Takes "\x{HEX}" off the front of *s; false when there is none. */
static bool
code_point_take(struct span *s, uint32_t *c)
{
	struct span rest = *s, hex;
	uint8_t bytes[3] = {0};
	char digits[6] = "000000";

	if (!span_starts(rest, SPAN("\\x{")))
		return false;
	rest = span_after(rest, 3);
	if (span_find(rest, '}') == rest.n)
		return false;
	hex = span_cut(&rest, '}');
	if (hex.n == 0 || hex.n > sizeof(digits))
		return false;
	memcpy(digits + sizeof(digits) - hex.n, hex.at, hex.n);
	if (!hex_parse(span_make(digits, sizeof(digits)), bytes, sizeof(bytes)))
		return false;
	*c = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
	*s = rest;
	return true;
}

/* The embedded characters of [RFC6533 3] as themselves; what is none stays. */
static void
unitext_put(struct buf *out, struct span s)
{
	uint32_t c;

	while (s.n > 0) {
		if (code_point_take(&s, &c)) {
			utf8_put(out, c);
			continue;
		}
		buf_put_char(out, s.at[0]);
		s = span_after(s, 1);
	}
}

/* "rfc822; a@example.org", or "utf-8; ..." where it needs to be. */
static void
address_put(struct buf *out, const struct material *m, struct span address)
{
	buf_put(out, dsn_ascii(address) ? SPAN("rfc822; ") : SPAN("utf-8; "));
	dsn_clean_put(out, address, m->global);
}

/* [RFC3464 2.3.1]: what the sender's ORCPT said, its xtext undone. */
static void
original_put(struct buf *out, const struct material *m, struct span orcpt)
{
	struct buf plain = buf_make(DSN_ADDRESS_MAX);
	struct span address = orcpt, type = span_cut(&address, ';');

	dsn_clean_put(out, type, false);
	buf_put(out, SPAN("; "));
	if (span_equal_nocase(type, SPAN("utf-8"))) {
		if (m->global)
			unitext_put(&plain, address);
		else
			buf_put(&plain, address);
	} else if (!smtp_xtext_parse(address, &plain)) {
		buf_put(&plain, address);
	}
	dsn_clean_put(out, buf_span(&plain), m->global);
	buf_release(&plain);
}

/* "dns; mx.example.org (192.0.2.1)" out of "mx.example.org[192.0.2.1]:25". */
static void
host_put(struct buf *out, struct span host)
{
	struct span name = host, ip = span_after(host, span_find(host, '[') + 1);

	ip = span_first(ip, span_find(ip, ']'));
	name = span_first(name, span_find(name, '['));
	if (name.n == 0 && ip.n == 0)
		return;
	buf_put(out, SPAN("dns; "));
	if (name.n == 0) {
		buf_put_char(out, '[');
		dsn_clean_put(out, ip, false);
		buf_put_char(out, ']');
		return;
	}
	dsn_clean_put(out, name, false);
	if (ip.n > 0) {
		buf_put(out, SPAN(" ("));
		dsn_clean_put(out, ip, false);
		buf_put_char(out, ')');
	}
}

/* The words of the server as it said them; a sentence of ours is no SMTP. */
static void
diagnostic_put(struct buf *out, const struct material *m, const struct dsn_row *row)
{
	const uint16_t *e = row->enhanced;

	if (row->code == 0 && row->text.n == 0)
		return;
	if (row->code == 0) {
		buf_put(out, SPAN("X-Postroad; "));
	} else {
		buf_putf(out, "smtp; %u ", row->code);
		if (e[0] != 0)
			buf_putf(out, "%u.%u.%u ", e[0], e[1], e[2]);
	}
	dsn_clean_put(out, row->text, m->global);
}

static void
row_put(struct buf *out, const struct material *m, const struct dsn_row *row,
	struct buf *value)
{
	const struct dsn_request *r = m->letter->request;
	struct status s = row_status(row);

	buf_put(out, SPAN("\r\n"));
	if (row->orcpt.n > 0) {
		original_put(value, m, row->orcpt);
		address_end(out, "Original-Recipient", value);
	}
	address_put(value, m, row->final);
	address_end(out, "Final-Recipient", value);
	buf_put_str(value, actions[row->action]);
	field_end(out, "Action", value);
	buf_putf(value, "%u.%u.%u", s.class, s.subject, s.detail);
	field_end(out, "Status", value);
	host_put(value, row->host);
	field_end(out, "Remote-MTA", value);
	diagnostic_put(value, m, row);
	field_end(out, "Diagnostic-Code", value);
	date_field(out, "Last-Attempt-Date", row->tried_us, value);
	if (row->action == DSN_DELAYED)
		date_field(out, "Will-Retry-Until", r->until_us, value);
}

static void
client_put(struct buf *out, const struct dsn_request *r)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	bool four = r->client.n == 16 && memcmp(r->client.at, mapped, 12) == 0;

	if (r->helo.n == 0)
		return;
	buf_put(out, SPAN("dns; "));
	dsn_clean_put(out, r->helo, false);
	if (r->client.n == 16 &&
	    inet_ntop(four ? AF_INET : AF_INET6, r->client.at + (four ? 12 : 0), text,
		      sizeof(text)))
		buf_putf(out, " (%s)", text);
}

/* [RFC3464 2.2] */
static void
message_put(struct buf *out, const struct material *m, struct buf *value)
{
	const struct dsn_request *r = m->letter->request;
	struct buf envid = buf_make(DSN_ADDRESS_MAX);
	char id[QUEUE_ID_TEXT_SIZE];

	if (smtp_xtext_parse(r->envid, &envid))
		dsn_clean_put(value, buf_span(&envid), false);
	field_end(out, "Original-Envelope-Id", value);
	buf_put(value, SPAN("dns; "));
	dsn_clean_put(value, m->letter->hostname, false);
	field_end(out, "Reporting-MTA", value);
	client_put(value, r);
	field_end(out, "Received-From-MTA", value);
	date_field(out, "Arrival-Date", r->arrived_us, value);
	queue_id_format(m->letter->original_id, id);
	buf_put_str(value, id);
	field_end(out, "X-Postroad-Queue-Id", value);
	buf_release(&envid);
}

void
status_put(struct buf *out, const struct material *m)
{
	struct cursor rows = cursor_make(m->letter->request->rows);
	struct buf value = buf_make(FIELD_BYTES_MAX);
	struct dsn_row row;

	message_put(out, m, &value);
	while (dsn_row_next(&rows, &row))
		row_put(out, m, &row, &value);
	buf_release(&value);
}
