#include "common/directory/record.h"

#define VERSION_PLAIN  1 /* numbers, bytes; objects as they once were */
#define VERSION_OBJECT 2

/* ---- keys */

static const enum record_kind kinds[DIRECTORY_KINDS] = {
    [DIRECTORY_DOMAIN] = RECORD_DOMAIN, [DIRECTORY_ACCOUNT] = RECORD_ACCOUNT,
    [DIRECTORY_ALIAS] = RECORD_ALIAS,   [DIRECTORY_LIST] = RECORD_LIST,
    [DIRECTORY_GROUP] = RECORD_GROUP,   [DIRECTORY_APP_PASSWORD] = RECORD_APP_PASSWORD,
};

static void
key_put(struct record_key *key, struct span s)
{
	ASSERT(s.n <= sizeof(key->bytes) - key->n);
	if (s.n > 0)
		memcpy(key->bytes + key->n, s.at, s.n);
	key->n += s.n;
}

/* Only the bytes that count are written: keys are made often. */
static void
key_begin(struct record_key *key, enum record_kind kind, struct span s)
{
	key->bytes[0] = (char)kind;
	key->n = 1;
	key_put(key, s);
}

struct span
record_key_span(const struct record_key *key)
{
	return span_make(key->bytes, key->n);
}

struct record_key
record_key_meta(const char *name)
{
	struct record_key key;

	key_begin(&key, RECORD_META, span_str(name));
	return key;
}

struct record_key
record_key_domain(struct span domain)
{
	struct record_key key;

	key_begin(&key, RECORD_DOMAIN, domain);
	return key;
}

struct record_key
record_key_id(uint64_t id)
{
	struct record_key key;
	char bytes[8];

	for (int i = 7; i >= 0; i--, id >>= 8)
		bytes[i] = (char)(id & 0xff);
	key_begin(&key, RECORD_ID, span_make(bytes, sizeof(bytes)));
	return key;
}

struct record_key
record_key_of(enum directory_kind kind, const struct directory_name *n,
	      struct span label)
{
	struct record_key key;

	key_begin(&key, kinds[kind], directory_name_domain(n));
	if (kind == DIRECTORY_DOMAIN)
		return key;
	key_put(&key, span_make("", 1));
	key_put(&key, directory_name_local(n));
	if (kind != DIRECTORY_APP_PASSWORD)
		return key;
	key_put(&key, span_make("", 1));
	key_put(&key, label);
	return key;
}

struct record_key
record_key_in(enum directory_kind kind, const struct directory_name *in)
{
	struct record_key key;

	key_begin(&key, kinds[kind], (struct span){0});
	if (in->bytes == 0 || kind == DIRECTORY_DOMAIN)
		return key;
	key_put(&key, directory_name_domain(in));
	key_put(&key, span_make("", 1));
	if (in->local_bytes == 0)
		return key;
	key_put(&key, directory_name_local(in));
	key_put(&key, span_make("", 1));
	return key;
}

bool
record_key_name(enum directory_kind kind, struct span key, struct record_name *out)
{
	struct span rest = span_after(key, 1), domain, local;

	out->label[0] = '\0';
	if (key.n < 2 || key.at[0] != (char)kinds[kind])
		return false;
	if (kind == DIRECTORY_DOMAIN)
		return directory_name_make((struct span){0}, rest, &out->name);
	if (span_find(rest, '\0') == rest.n)
		return false;
	domain = span_cut(&rest, '\0');
	local = kind == DIRECTORY_APP_PASSWORD ? span_cut(&rest, '\0') : rest;
	if (kind == DIRECTORY_APP_PASSWORD &&
	    (rest.n == 0 || !span_copy(rest, out->label, sizeof(out->label))))
		return false;
	return directory_name_make(local, domain, &out->name);
}

bool
record_key_address(struct span key, struct directory_name *out)
{
	struct record_name name;

	if (!record_key_name(DIRECTORY_ACCOUNT, key, &name))
		return false;
	*out = name.name;
	return true;
}

/* ---- values */

static void
value_begin(struct buf *out, uint8_t version)
{
	buf_reset(out);
	wire_put_u8(out, version);
}

static void
value_end(struct buf *out)
{
	wire_put_u32(out, crc32c(0, buf_span(out)));
}

/* A cursor behind the version, without the CRC; failed when that is wrong. */
static struct cursor
value_open(struct span value, uint8_t *version)
{
	size_t n = value.n < 5 ? 0 : value.n - 4;
	struct cursor crc = cursor_make(span_after(value, n));
	struct cursor c = cursor_make(span_first(value, n));
	uint32_t want = wire_get_u32(&crc);

	if (!cursor_done(&crc) || want != crc32c(0, c.rest))
		c.failed = true;
	*version = wire_get_u8(&c);
	return c;
}

void
record_put_object(const struct directory_object *o, struct buf *out)
{
	value_begin(out, VERSION_OBJECT);
	directory_values_put(o, out);
	value_end(out);
}

/* ---- objects of version 1 */

static void
old_domain(struct cursor *c, struct directory_object *o)
{
	(void)wire_get_bytes(c);
	directory_put_number(o, FIELD_DOMAIN_ID, wire_get_u64(c));
	directory_put_number(o, FIELD_DOMAIN_ENABLED, wire_get_u8(c) != 0);
	directory_put_number(o, FIELD_DOMAIN_FIRST_ACCOUNT, wire_get_u64(c));
}

static void
old_account(struct cursor *c, struct directory_object *o)
{
	(void)wire_get_bytes(c);
	directory_put_number(o, FIELD_ACCOUNT_ID, wire_get_u64(c));
	directory_put_number(o, FIELD_ACCOUNT_DISABLED, wire_get_u8(c) != 0);
	directory_put_number(o, FIELD_ACCOUNT_QUOTA_BYTES, wire_get_u64(c));
	directory_put_number(o, FIELD_ACCOUNT_CREATED, wire_get_u64(c));
	directory_put_text(o, FIELD_ACCOUNT_PASSWORD, c->rest);
	c->rest = (struct span){0};
}

static void
old_alias(struct cursor *c, struct directory_object *o)
{
	struct span items;
	uint32_t count = wire_get_u32(c);

	items = c->rest;
	for (uint32_t i = 0; i < count && !c->failed; i++)
		(void)wire_get_bytes(c);
	directory_put_text(o, FIELD_ALIAS_TARGETS, items);
}

static bool
get_old(struct cursor *c, struct directory_object *o)
{
	static void (*const get[])(struct cursor *, struct directory_object *) = {
	    [DIRECTORY_DOMAIN] = old_domain,
	    [DIRECTORY_ACCOUNT] = old_account,
	    [DIRECTORY_ALIAS] = old_alias,
	};

	if ((size_t)o->kind >= N_ELEMS(get))
		return false;
	get[o->kind](c, o);
	return true;
}

bool
record_get_object(struct span value, struct directory_object *out)
{
	struct directory_object o = {.kind = out->kind};
	uint8_t version;
	struct cursor c = value_open(value, &version);

	if (c.failed || version < VERSION_PLAIN || version > VERSION_OBJECT)
		return false;
	if (version == VERSION_PLAIN ? !get_old(&c, &o)
				     : !directory_values_get(&c, o.kind, o.values))
		return false;
	if (!cursor_done(&c))
		return false;
	memcpy(out->values, o.values, sizeof(o.values));
	return true;
}

/* ---- other values */

void
record_put_number(uint64_t number, struct buf *out)
{
	value_begin(out, VERSION_PLAIN);
	wire_put_u64(out, number);
	value_end(out);
}

bool
record_get_number(struct span value, uint64_t *out)
{
	uint8_t version;
	struct cursor c = value_open(value, &version);
	uint64_t number = wire_get_u64(&c);

	if (!cursor_done(&c) || version != VERSION_PLAIN)
		return false;
	*out = number;
	return true;
}

void
record_put_bytes(struct span bytes, struct buf *out)
{
	value_begin(out, VERSION_PLAIN);
	wire_put_bytes(out, bytes);
	value_end(out);
}

bool
record_get_bytes(struct span value, struct span *out)
{
	uint8_t version;
	struct cursor c = value_open(value, &version);
	struct span bytes = wire_get_bytes(&c);

	if (!cursor_done(&c) || version != VERSION_PLAIN)
		return false;
	*out = bytes;
	return true;
}
