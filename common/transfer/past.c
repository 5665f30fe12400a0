/* what the sources looked like when they were read last, as bytes
 *
 * u32 version, u32 n and n sources of 16 bytes, u8 n and n keywords (u8 bit, name),
 * then for each message: guid, u32 mailbox, u32 source, u8 flags, u64 keywords.
 */
#include "common/transfer/import_internal.h"

#define PAST_VERSION 1

/* --- reading -------------------------------------------------------------- */

static bool
sources_get(struct past *p, struct cursor *c)
{
	uint32_t n = wire_get_u32(c);

	if (c->failed || n > PAST_SOURCES_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct span s = wire_get_raw(c, PAST_SOURCE_BYTES);

		if (s.n == PAST_SOURCE_BYTES)
			memcpy(p->sources[i], s.at, s.n);
	}
	p->n_sources = n;
	return !c->failed;
}

static bool
keywords_get(struct past *p, struct cursor *c, past_keyword *bits, const void *context)
{
	for (unsigned n = wire_get_u8(c); n > 0 && !c->failed; n--) {
		uint8_t bit = wire_get_u8(c);
		struct span name = wire_get_bytes(c);

		if (bit >= STORE_KEYWORDS_MAX)
			return false;
		p->names[bit] = bits(context, name);
	}
	return !c->failed;
}

static uint64_t
keywords_now(const struct past *p, uint64_t keywords)
{
	uint64_t now = 0;

	for (int i = 0; i < STORE_KEYWORDS_MAX; i++)
		if (keywords >> i & 1)
			now |= p->names[i];
	return now;
}

static bool
row_get(struct past *p, struct cursor *c)
{
	struct span guid = wire_get_raw(c, STORE_GUID_BYTES);
	uint32_t mailbox = wire_get_u32(c), source = wire_get_u32(c);
	uint32_t flags = wire_get_u8(c);
	uint64_t keywords = wire_get_u64(c);
	struct guid_row *row;

	if (c->failed || mailbox == 0 || source >= p->n_sources)
		return false;
	row = guids_have(&p->rows, (const uint8_t *)guid.at, mailbox);
	row->source = source;
	row->flags = flags & STORE_FLAGS;
	row->keywords = keywords_now(p, keywords);
	return true;
}

bool
past_parse(struct past *p, struct span notes, past_keyword *bits, const void *context)
{
	struct cursor c = cursor_make(notes);
	bool good = wire_get_u32(&c) == PAST_VERSION && sources_get(p, &c) &&
		    keywords_get(p, &c, bits, context);

	while (good && c.rest.n > 0)
		good = row_get(p, &c);
	return good;
}

/* --- the source that is read now ------------------------------------------ */

static int
order_had(const void *a, const void *b)
{
	const struct past_had *x = a, *y = b;

	return x->mailbox < y->mailbox ? -1 : x->mailbox > y->mailbox;
}

static void
had_fill(struct past *p)
{
	p->had = memory_new(p->rows.n + 1, sizeof(*p->had));
	for (size_t i = 0; i < p->rows.size; i++) {
		const struct guid_row *row = &p->rows.at[i];
		struct past_had *had = &p->had[p->n_had];

		if (!row->used || row->source != p->source)
			continue;
		memcpy(had->guid, row->guid, sizeof(had->guid));
		had->mailbox = row->mailbox;
		p->n_had++;
	}
	if (p->n_had > 0)
		qsort(p->had, p->n_had, sizeof(*p->had), order_had);
}

void
past_begin(struct past *p, const char *path, struct span into)
{
	struct buf text = buf_make(64u << 10);
	uint8_t digest[DIGEST_BYTES];

	buf_put_str(&text, path);
	buf_put_char(&text, '\0');
	buf_put(&text, into);
	digest_of(buf_span(&text), digest);
	buf_release(&text);
	for (p->source = 0; p->source < p->n_sources; p->source++)
		if (memcmp(p->sources[p->source], digest, PAST_SOURCE_BYTES) == 0)
			break;
	/* Nobody has a thousand. Nothing may be taken for another's. */
	if (p->source == PAST_SOURCES_MAX)
		past_release(p);
	memcpy(p->sources[p->source], digest, PAST_SOURCE_BYTES);
	if (p->source == p->n_sources)
		p->n_sources++;
	had_fill(p);
}

const struct past_had *
past_had_in(const struct past *p, uint32_t mailbox, size_t *n)
{
	size_t low = 0, high = p->n_had;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->had[middle].mailbox < mailbox)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < p->n_had && p->had[low + *n].mailbox == mailbox;)
		++*n;
	return p->had + low;
}

/* --- writing -------------------------------------------------------------- */

static void
keywords_put(past_keyword_name *name, const void *context, struct buf *out)
{
	unsigned n = 0;

	for (int i = 0; i < STORE_KEYWORDS_MAX; i++)
		n += name(context, i).n > 0;
	wire_put_u8(out, (uint8_t)n);
	for (int i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (name(context, i).n == 0)
			continue;
		wire_put_u8(out, (uint8_t)i);
		wire_put_bytes(out, name(context, i));
	}
}

void
past_put(const struct past *p, past_keyword_name *name, past_keep *keep,
	 const void *context, struct buf *out)
{
	wire_put_u32(out, PAST_VERSION);
	wire_put_u32(out, p->n_sources);
	for (uint32_t i = 0; i < p->n_sources; i++)
		buf_put(out, span_make(p->sources[i], PAST_SOURCE_BYTES));
	keywords_put(name, context, out);
	for (size_t i = 0; i < p->rows.size; i++) {
		const struct guid_row *row = &p->rows.at[i];

		if (!row->used || !keep(context, row))
			continue;
		buf_put(out, span_make(row->guid, sizeof(row->guid)));
		wire_put_u32(out, row->mailbox);
		wire_put_u32(out, row->source);
		wire_put_u8(out, (uint8_t)row->flags);
		wire_put_u64(out, row->keywords);
	}
}

void
past_release(struct past *p)
{
	guids_release(&p->rows);
	free(p->had);
	*p = (struct past){0};
}
