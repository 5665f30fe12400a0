/* the records of summary.N */
#include "common/store/internal.h"

#define PLACE_BYTES 43

static void
place_put(const struct mime_place *p, struct buf *out)
{
	wire_put_u64(out, p->header_start);
	wire_put_u64(out, p->body_start);
	wire_put_u64(out, p->body_end);
	wire_put_u32(out, p->header_lines);
	wire_put_u32(out, p->body_lines);
	wire_put_u32(out, p->parent);
	wire_put_u32(out, p->next);
	wire_put_u8(out, p->kind);
	wire_put_u8(out, p->encoding);
	wire_put_u8(out, p->text);
}

static void
place_get(struct cursor *c, struct mime_place *p)
{
	p->header_start = wire_get_u64(c);
	p->body_start = wire_get_u64(c);
	p->body_end = wire_get_u64(c);
	p->header_lines = wire_get_u32(c);
	p->body_lines = wire_get_u32(c);
	p->parent = wire_get_u32(c);
	p->next = wire_get_u32(c);
	p->kind = wire_get_u8(c);
	p->encoding = wire_get_u8(c);
	p->text = wire_get_u8(c);
}

uint64_t
thread_key(const struct mime_summary *s)
{
	struct span root = s->references;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	root = span_first(root, span_find(root, '\n'));
	if (root.n == 0)
		root = s->message_id;
	if (root.n == 0)
		return 0;
	for (size_t i = 0; i < root.n; i++)
		hash = (hash ^ (uint8_t)root.at[i]) * UINT64_C(0x100000001b3);
	return hash | 1;
}

void
summary_put(const struct mime_summary *s, const uint8_t guid[STORE_GUID_BYTES],
	    struct buf *out)
{
	const struct span texts[] = {s->envelope,     s->body,       s->bodystructure,
				     s->headers,      s->preview,    s->base_subject,
				     s->from_mailbox, s->to_mailbox, s->cc_mailbox,
				     s->from_display, s->to_display, s->message_id,
				     s->references};

	buf_put(out, span_make(guid, STORE_GUID_BYTES));
	wire_put_u64(out, (uint64_t)s->date_seconds);
	wire_put_u64(out, s->header_bytes);
	wire_put_u64(out, s->lines);
	wire_put_u8(out, s->is_reply);
	for (size_t i = 0; i < N_ELEMS(texts); i++)
		wire_put_bytes(out, texts[i]);
	wire_put_u32(out, s->tree.n);
	for (uint32_t i = 0; i < s->tree.n; i++)
		place_put(&s->tree.places[i], out);
}

void
summary_places(struct store_summary *s, struct mime_place **places)
{
	struct cursor c = cursor_make(s->places_raw);

	*places = memory_resize(*places, s->n_places + 1, sizeof(**places));
	for (uint32_t i = 0; i < s->n_places; i++)
		place_get(&c, &(*places)[i]);
	s->places = *places;
}

bool
summary_decode(struct span payload, const uint8_t guid[STORE_GUID_BYTES],
	       struct store_summary *out)
{
	struct cursor c = cursor_make(payload);
	struct span id = wire_get_raw(&c, STORE_GUID_BYTES);
	struct span *const texts[] = {
	    &out->envelope,   &out->body,         &out->bodystructure, &out->headers,
	    &out->preview,    &out->base_subject, &out->from_mailbox,  &out->to_mailbox,
	    &out->cc_mailbox, &out->from_display, &out->to_display,    &out->message_id,
	    &out->references};

	if (c.failed || memcmp(id.at, guid, STORE_GUID_BYTES) != 0)
		return false;
	out->date_seconds = (int64_t)wire_get_u64(&c);
	out->header_bytes = wire_get_u64(&c);
	out->lines = wire_get_u64(&c);
	out->is_reply = wire_get_u8(&c) != 0;
	for (size_t i = 0; i < N_ELEMS(texts); i++)
		*texts[i] = wire_get_bytes(&c);
	out->n_places = wire_get_u32(&c);
	out->places = NULL;
	out->places_raw = c.rest;
	return !c.failed && c.rest.n == (uint64_t)out->n_places * PLACE_BYTES;
}
