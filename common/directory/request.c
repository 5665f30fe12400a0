#include "common/directory/request.h"

#define VERSION 1

/* ---- requests and rows as bytes */

static void
put_spans(const struct span *spans, size_t n, struct buf *out)
{
	wire_put_u32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_bytes(out, spans[i]);
}

static struct span *
get_spans(struct cursor *c, struct arena *arena, size_t *n)
{
	uint32_t count = wire_get_u32(c);
	struct span *spans = NULL;

	if (count > DIRECTORY_TARGETS_MAX)
		c->failed = true;
	if (!c->failed)
		spans = arena_new(arena, count ? count : 1, sizeof(*spans));
	if (!spans) {
		c->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++)
		spans[i] = wire_get_bytes(c);
	*n = count;
	return spans;
}

void
directory_request_put(const struct directory_request *r, struct buf *out)
{
	wire_put_u8(out, VERSION);
	wire_put_u8(out, (uint8_t)r->verb);
	wire_put_bytes(out, r->name);
	wire_put_bytes(out, r->after);
	wire_put_u32(out, r->limit);
	wire_put_u64(out, r->quota_bytes);
	directory_password_put(&r->password, out);
	put_spans(r->targets, r->n_targets, out);
}

bool
directory_request_get(struct span bytes, struct arena *arena,
		      struct directory_request *out)
{
	struct cursor c = cursor_make(bytes);
	struct directory_request r = {0};
	uint8_t version = wire_get_u8(&c), verb = wire_get_u8(&c);

	r.name = wire_get_bytes(&c);
	r.after = wire_get_bytes(&c);
	r.limit = wire_get_u32(&c);
	r.quota_bytes = wire_get_u64(&c);
	directory_password_get(&c, &r.password);
	r.targets = get_spans(&c, arena, &r.n_targets);
	if (!cursor_done(&c) || version != VERSION || verb >= DIRECTORY_VERBS)
		return false;
	r.verb = (enum directory_verb)verb;
	*out = r;
	return true;
}

void
directory_row_put(const struct directory_row *row, struct buf *out)
{
	wire_put_u8(out, (uint8_t)row->kind);
	wire_put_bytes(out, row->name);
	wire_put_u64(out, row->id);
	wire_put_u8(out, row->disabled);
	wire_put_u64(out, row->quota_bytes);
	wire_put_u64(out, row->created);
	wire_put_bytes(out, row->scheme);
	wire_put_u8(out, row->has_scram);
	put_spans(row->targets, row->n_targets, out);
}

bool
directory_row_get(struct span bytes, struct arena *arena, struct directory_row *out)
{
	struct cursor c = cursor_make(bytes);
	struct directory_row row = {0};
	uint8_t kind = wire_get_u8(&c);

	row.name = wire_get_bytes(&c);
	row.id = wire_get_u64(&c);
	row.disabled = wire_get_u8(&c) != 0;
	row.quota_bytes = wire_get_u64(&c);
	row.created = wire_get_u64(&c);
	row.scheme = wire_get_bytes(&c);
	row.has_scram = wire_get_u8(&c) != 0;
	row.targets = get_spans(&c, arena, &row.n_targets);
	if (!cursor_done(&c) || kind > DIRECTORY_ROW_ALIAS)
		return false;
	row.kind = (enum directory_row_kind)kind;
	*out = row;
	return true;
}

uint8_t
directory_result_byte(enum directory_result r)
{
	return r == DIRECTORY_FAULT ? UINT8_MAX : (uint8_t)r;
}

enum directory_result
directory_result_of(uint8_t byte)
{
	return byte <= DIRECTORY_LIMIT ? (enum directory_result)byte
					  : DIRECTORY_FAULT;
}

static const char *const verb_names[DIRECTORY_VERBS] = {
    [DIRECTORY_DOMAIN_ADD] = "domain add",
    [DIRECTORY_DOMAIN_REMOVE] = "domain remove",
    [DIRECTORY_DOMAIN_ENABLE] = "domain enable",
    [DIRECTORY_DOMAIN_DISABLE] = "domain disable",
    [DIRECTORY_DOMAIN_LIST] = "domain list",
    [DIRECTORY_ACCOUNT_ADD] = "account add",
    [DIRECTORY_ACCOUNT_REMOVE] = "account remove",
    [DIRECTORY_ACCOUNT_SHOW] = "account show",
    [DIRECTORY_ACCOUNT_LIST] = "account list",
    [DIRECTORY_ACCOUNT_PASSWORD] = "account passwd",
    [DIRECTORY_ACCOUNT_QUOTA] = "account quota",
    [DIRECTORY_ACCOUNT_ENABLE] = "account enable",
    [DIRECTORY_ACCOUNT_DISABLE] = "account disable",
    [DIRECTORY_ALIAS_ADD] = "alias add",
    [DIRECTORY_ALIAS_REMOVE] = "alias remove",
    [DIRECTORY_ALIAS_SHOW] = "alias show",
    [DIRECTORY_ALIAS_LIST] = "alias list",
};

const char *
directory_verb_name(enum directory_verb verb)
{
	return verb_names[verb];
}

const char *
directory_result_name(enum directory_result r)
{
	static const char *const names[] = {"done", "exists", "not found", "in use",
					    "bad name", "bad value", "limit"};

	return r == DIRECTORY_FAULT ? "fault" : names[r];
}
