#include "common/dsn/request.h"

#define N_KINDS   (DSN_NOTICE + 1)
#define N_ACTIONS (DSN_EXPANDED + 1)

/* A bit for each action that a kind of report may tell of. */
static const uint8_t actions[N_KINDS] = {
    [DSN_FAILURE] = 1 << DSN_FAILED,
    [DSN_DELAY] = 1 << DSN_DELAYED,
    [DSN_SUCCESS] = 1 << DSN_DELIVERED | 1 << DSN_RELAYED | 1 << DSN_EXPANDED,
    [DSN_NOTICE] = 0,
};

void
dsn_row_put(struct buf *rows, const struct dsn_row *r)
{
	wire_put_u8(rows, (uint8_t)r->action);
	wire_put_u8(rows, r->flags);
	wire_put_u16(rows, r->code);
	for (size_t i = 0; i < N_ELEMS(r->enhanced); i++)
		wire_put_u16(rows, r->enhanced[i]);
	wire_put_u64(rows, r->tried_us);
	wire_put_bytes(rows, span_first(r->final, DSN_ADDRESS_MAX));
	wire_put_bytes(rows, span_first(r->original, DSN_ADDRESS_MAX));
	wire_put_bytes(rows, span_first(r->orcpt, DSN_ADDRESS_MAX));
	wire_put_bytes(rows, span_first(r->text, DSN_TEXT_MAX));
	wire_put_bytes(rows, span_first(r->host, DSN_ADDRESS_MAX));
}

void
dsn_request_put(struct buf *out, const struct dsn_request *r)
{
	wire_put_u8(out, DSN_REQUEST_VERSION);
	wire_put_u8(out, (uint8_t)r->kind);
	wire_put_u8(out, r->ret);
	wire_put_u32(out, r->flags);
	wire_put_u64(out, r->arrived_us);
	wire_put_u64(out, r->until_us);
	wire_put_bytes(out, span_first(r->sender, DSN_ADDRESS_MAX));
	wire_put_bytes(out, span_first(r->envid, DSN_ADDRESS_MAX));
	wire_put_bytes(out, span_first(r->helo, DSN_ADDRESS_MAX));
	wire_put_bytes(out, r->client);
	wire_put_bytes(out, span_first(r->subject, DSN_TEXT_MAX));
	wire_put_bytes(out, span_first(r->text, DSN_NOTICE_MAX));
	wire_put_u32(out, r->n_rows);
	wire_put_bytes(out, r->rows);
}

/* Bytes with a length, at most `max` of them. */
static struct span
get_text(struct cursor *c, size_t max)
{
	struct span s = wire_get_bytes(c);

	if (s.n > max)
		c->failed = true;
	return s;
}

bool
dsn_row_next(struct cursor *rows, struct dsn_row *out)
{
	struct dsn_row r = {0};
	uint8_t action;

	if (rows->failed || rows->rest.n == 0)
		return false;
	action = wire_get_u8(rows);
	r.flags = wire_get_u8(rows);
	r.code = wire_get_u16(rows);
	for (size_t i = 0; i < N_ELEMS(r.enhanced); i++)
		r.enhanced[i] = wire_get_u16(rows);
	r.tried_us = wire_get_u64(rows);
	r.final = get_text(rows, DSN_ADDRESS_MAX);
	r.original = get_text(rows, DSN_ADDRESS_MAX);
	r.orcpt = get_text(rows, DSN_ADDRESS_MAX);
	r.text = get_text(rows, DSN_TEXT_MAX);
	r.host = get_text(rows, DSN_ADDRESS_MAX);
	if (action >= N_ACTIONS)
		rows->failed = true;
	if (rows->failed)
		return false;
	r.action = (enum dsn_action)action;
	*out = r;
	return true;
}

static bool
rows_possible(const struct dsn_request *r)
{
	struct cursor c = cursor_make(r->rows);
	struct dsn_row row;
	uint32_t n = 0;

	for (; dsn_row_next(&c, &row); n++)
		if (!(actions[r->kind] & 1u << row.action))
			return false;
	return !c.failed && n == r->n_rows && (n > 0) == (r->kind != DSN_NOTICE);
}

bool
dsn_request_parse(struct span bytes, struct dsn_request *out)
{
	struct cursor c = cursor_make(bytes);
	struct dsn_request r = {0};
	uint8_t version = wire_get_u8(&c), kind = wire_get_u8(&c);

	r.ret = wire_get_u8(&c);
	r.flags = wire_get_u32(&c);
	r.arrived_us = wire_get_u64(&c);
	r.until_us = wire_get_u64(&c);
	r.sender = get_text(&c, DSN_ADDRESS_MAX);
	r.envid = get_text(&c, DSN_ADDRESS_MAX);
	r.helo = get_text(&c, DSN_ADDRESS_MAX);
	r.client = wire_get_bytes(&c);
	r.subject = get_text(&c, DSN_TEXT_MAX);
	r.text = get_text(&c, DSN_NOTICE_MAX);
	r.n_rows = wire_get_u32(&c);
	r.rows = get_text(&c, DSN_ROWS_BYTES_MAX);
	if (!cursor_done(&c) || version != DSN_REQUEST_VERSION || kind >= N_KINDS)
		return false;
	r.kind = (enum dsn_kind)kind;
	if ((r.client.n != 0 && r.client.n != 16) || !rows_possible(&r))
		return false;
	*out = r;
	return true;
}
