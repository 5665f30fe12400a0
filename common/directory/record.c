#include "common/directory/record.h"

#define VERSION 1

/* ---- keys */

static void
key_put(struct record_key *key, struct span s)
{
	ASSERT(s.n <= sizeof(key->bytes) - key->n);
	if (s.n > 0)
		memcpy(key->bytes + key->n, s.at, s.n);
	key->n += s.n;
}

static struct record_key
key_make(enum record_kind kind, struct span s)
{
	struct record_key key = {.bytes = {(char)kind}, .n = 1};

	key_put(&key, s);
	return key;
}

struct span
record_key_span(const struct record_key *key)
{
	return span_make(key->bytes, key->n);
}

struct record_key
record_key_meta(const char *name)
{
	return key_make(RECORD_META, span_str(name));
}

struct record_key
record_key_domain(struct span domain)
{
	return key_make(RECORD_DOMAIN, domain);
}

struct record_key
record_key_id(uint64_t id)
{
	char bytes[8];

	for (int i = 7; i >= 0; i--, id >>= 8)
		bytes[i] = (char)(id & 0xff);
	return key_make(RECORD_ID, span_make(bytes, sizeof(bytes)));
}

struct record_key
record_key_name(enum record_kind kind, const struct directory_name *n)
{
	struct record_key key = key_make(kind, directory_name_domain(n));

	key_put(&key, span_make("", 1));
	key_put(&key, directory_name_local(n));
	return key;
}

struct record_key
record_key_names_of(enum record_kind kind, struct span domain)
{
	struct record_key key = key_make(kind, domain);

	if (domain.n > 0)
		key_put(&key, span_make("", 1));
	return key;
}

bool
record_key_address(struct span key, struct directory_name *out)
{
	struct span local = span_after(key, 1);
	struct span domain;

	if (span_find(local, '\0') == local.n)
		return false;
	domain = span_cut(&local, '\0');
	return directory_name_make(local, domain, out);
}

/* ---- values */

static void
value_begin(struct buf *out)
{
	buf_reset(out);
	wire_put_u8(out, VERSION);
}

static void
value_end(struct buf *out)
{
	wire_put_u32(out, crc32c(0, buf_span(out)));
}

/* A cursor behind the version, without the CRC; failed when either is wrong. */
static struct cursor
value_open(struct span value)
{
	size_t n = value.n < 5 ? 0 : value.n - 4;
	struct cursor crc = cursor_make(span_after(value, n));
	struct cursor c = cursor_make(span_first(value, n));
	uint32_t want = wire_get_u32(&crc);

	if (!cursor_done(&crc) || want != crc32c(0, c.rest) ||
	    wire_get_u8(&c) != VERSION)
		c.failed = true;
	return c;
}

/* A field that is a C string in the struct. */
static void
get_text(struct cursor *c, char *out, size_t size)
{
	if (!span_copy(wire_get_bytes(c), out, size))
		c->failed = true;
}

void
record_put_domain(const struct directory_domain *d, struct buf *out)
{
	value_begin(out);
	wire_put_bytes(out, span_str(d->name));
	wire_put_u64(out, d->id);
	wire_put_u8(out, d->enabled);
	wire_put_u64(out, d->first_account);
	value_end(out);
}

bool
record_get_domain(struct span value, struct directory_domain *out)
{
	struct cursor c = value_open(value);
	struct directory_domain d = {0};

	get_text(&c, d.name, sizeof(d.name));
	d.id = wire_get_u64(&c);
	d.enabled = wire_get_u8(&c) != 0;
	d.first_account = wire_get_u64(&c);
	if (!cursor_done(&c))
		return false;
	*out = d;
	return true;
}

void
record_put_account(const struct directory_account *a, struct buf *out)
{
	value_begin(out);
	wire_put_bytes(out, span_str(a->address));
	wire_put_u64(out, a->id);
	wire_put_u8(out, a->disabled);
	wire_put_u64(out, a->quota_bytes);
	wire_put_u64(out, a->created);
	directory_password_put(&a->password, out);
	value_end(out);
}

bool
record_get_account(struct span value, struct directory_account *out)
{
	struct cursor c = value_open(value);
	struct directory_account a = {0};

	get_text(&c, a.address, sizeof(a.address));
	a.id = wire_get_u64(&c);
	a.disabled = wire_get_u8(&c) != 0;
	a.quota_bytes = wire_get_u64(&c);
	a.created = wire_get_u64(&c);
	directory_password_get(&c, &a.password);
	if (!cursor_done(&c) || a.id == 0)
		return false;
	*out = a;
	return true;
}

void
record_put_targets(const struct span *targets, size_t n, struct buf *out)
{
	value_begin(out);
	wire_put_u32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_bytes(out, targets[i]);
	value_end(out);
}

bool
record_get_targets(struct span value, struct span *targets, size_t *n)
{
	struct cursor c = value_open(value);
	uint32_t count = wire_get_u32(&c);

	if (c.failed || count == 0 || count > DIRECTORY_TARGETS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++)
		targets[i] = wire_get_bytes(&c);
	if (!cursor_done(&c))
		return false;
	*n = count;
	return true;
}

void
record_put_number(uint64_t number, struct buf *out)
{
	value_begin(out);
	wire_put_u64(out, number);
	value_end(out);
}

bool
record_get_number(struct span value, uint64_t *out)
{
	struct cursor c = value_open(value);
	uint64_t number = wire_get_u64(&c);

	if (!cursor_done(&c))
		return false;
	*out = number;
	return true;
}

void
record_put_bytes(struct span bytes, struct buf *out)
{
	value_begin(out);
	wire_put_bytes(out, bytes);
	value_end(out);
}

bool
record_get_bytes(struct span value, struct span *out)
{
	struct cursor c = value_open(value);
	struct span bytes = wire_get_bytes(&c);

	if (!cursor_done(&c))
		return false;
	*out = bytes;
	return true;
}

void
record_put_object(const struct directory_object *object, struct buf *out)
{
	value_begin(out);
	directory_values_put(object, out);
	value_end(out);
}

bool
record_get_object(struct span value, struct directory_object *object)
{
	struct cursor c = value_open(value);
	struct directory_object o = {.kind = object->kind};

	if (!directory_values_get(&c, o.kind, o.values) || !cursor_done(&c))
		return false;
	memcpy(object->values, o.values, sizeof(o.values));
	return true;
}
