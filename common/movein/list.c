#include "common/movein/list.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define INDEX_START 1024
#define NOTE_MAX    400

static const char *const kind_names[MOVEIN_KINDS] = {"domain", "account", "alias",
						     "list"};

const char *
movein_kind_name(enum movein_kind kind)
{
	return kind_names[kind];
}

void
movein_init(struct movein *m, size_t bytes_max)
{
	*m = (struct movein){.index_size = INDEX_START};
	arena_init(&m->arena, bytes_max);
	m->index = memory_new(INDEX_START, sizeof(*m->index));
}

void
movein_release(struct movein *m)
{
	arena_release(&m->arena);
	free(m->objects);
	free(m->index);
	free(m->notes);
	*m = (struct movein){0};
}

/* ---- finding by name */

static size_t
hash_name(enum movein_kind kind, struct span name)
{
	uint64_t hash = 0xcbf29ce484222325u + (uint64_t)kind; /* FNV-1a */

	for (size_t i = 0; i < name.n; i++)
		hash = (hash ^ (uint8_t)ascii_lower(name.at[i])) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

/* The place of the name in the index: what is there, or where it belongs. */
static uint32_t *
index_place(const struct movein *m, enum movein_kind kind, struct span name)
{
	size_t at = hash_name(kind, name) & (m->index_size - 1);

	for (;; at = (at + 1) & (m->index_size - 1)) {
		const struct movein_object *o;

		if (m->index[at] == 0)
			return &m->index[at];
		o = m->objects[m->index[at] - 1];
		if (o->kind == kind && span_equal_nocase(o->name, name))
			return &m->index[at];
	}
}

static void
index_grow(struct movein *m)
{
	free(m->index);
	m->index_size *= 2;
	m->index = memory_new(m->index_size, sizeof(*m->index));
	for (size_t i = 0; i < m->n; i++)
		*index_place(m, m->objects[i]->kind, m->objects[i]->name) =
		    (uint32_t)i + 1;
}

struct movein_object *
movein_find(const struct movein *m, enum movein_kind kind, struct span name)
{
	uint32_t place = *index_place(m, kind, name);

	return place ? m->objects[place - 1] : NULL;
}

/* ---- adding */

static bool
name_has_controls(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((uint8_t)name.at[i] <= ' ' || name.at[i] == 0x7f)
			return true;
	return false;
}

static bool
name_good(enum movein_kind kind, struct span name)
{
	size_t at = span_find_last(name, '@');

	if (name.n == 0 || name.n > MOVEIN_NAME_MAX || name_has_controls(name))
		return false;
	if (kind == MOVEIN_DOMAIN)
		return at == name.n;
	if (at + 1 >= name.n)
		return false;
	return at == 0 ? kind == MOVEIN_ALIAS : name.at[0] != '@';
}

/* A copy in lower case, with m->domain behind it when `whole` has none. */
static bool
copy_name(struct movein *m, enum movein_kind kind, struct span name, struct span *out)
{
	bool bare =
	    kind != MOVEIN_DOMAIN && span_find(name, '@') == name.n && m->domain.n > 0;
	size_t n = name.n + (bare ? 1 + m->domain.n : 0);
	char *at = arena_new(&m->arena, n + 1, 1);

	if (!at) {
		m->full = true;
		return false;
	}
	for (size_t i = 0; i < name.n; i++)
		at[i] = ascii_lower(name.at[i]);
	if (bare) {
		at[name.n] = '@';
		memcpy(at + name.n + 1, m->domain.at, m->domain.n);
	}
	*out = span_make(at, n);
	return true;
}

static struct movein_object *
object_new(struct movein *m, enum movein_kind kind, struct span name)
{
	struct movein_object *o = arena_new(&m->arena, 1, sizeof(*o));

	if (!o || m->n == UINT32_MAX - 1) {
		m->full = true;
		return NULL;
	}
	if (m->n == m->size) {
		m->size = m->size ? m->size * 2 : 64;
		m->objects = memory_resize(m->objects, m->size, sizeof(*m->objects));
	}
	*o = (struct movein_object){.kind = kind, .name = name};
	m->objects[m->n++] = o;
	*index_place(m, kind, name) = (uint32_t)m->n;
	if (m->n * 2 > m->index_size)
		index_grow(m);
	return o;
}

struct movein_object *
movein_add(struct movein *m, enum movein_kind kind, struct span name)
{
	struct movein_object *o, *domain;
	struct span copy;

	name = span_trim(name, " \t\r\n");
	if (name.n > MOVEIN_NAME_MAX || !copy_name(m, kind, name, &copy) ||
	    !name_good(kind, copy)) {
		movein_note(m, span_first(name, MOVEIN_NAME_MAX),
			    "no name for %s: left out",
			    kind == MOVEIN_DOMAIN ? "a domain" : "an address");
		return NULL;
	}
	o = movein_find(m, kind, copy);
	if (o)
		return o;
	if (kind == MOVEIN_DOMAIN)
		return object_new(m, kind, copy);
	domain = movein_add(m, MOVEIN_DOMAIN,
			    span_after(copy, span_find_last(copy, '@') + 1));
	if (!domain)
		return NULL;
	domain->members += copy.at[0] != '@';
	return object_new(m, kind, copy);
}

/* ---- values */

static struct span
keep(struct movein *m, struct span text)
{
	struct span copy = SPAN("");

	if (text.n > 0 && !arena_copy(&m->arena, text, &copy))
		m->full = true;
	return copy;
}

static struct movein_value *
value_of(const struct movein_object *o, const char *field)
{
	for (size_t i = 0; i < o->n_values; i++)
		if (strcmp(o->values[i].field, field) == 0)
			return &o->values[i];
	return NULL;
}

static void
value_add(struct movein *m, struct movein_object *o, const char *field,
	  struct span text)
{
	if (o->n_values == o->size) {
		size_t size = o->size ? o->size * 2 : 4;
		struct movein_value *values =
		    arena_new(&m->arena, size, sizeof(*values));

		if (!values || size > MOVEIN_VALUES_MAX * 2) {
			m->full = true;
			return;
		}
		if (o->n_values > 0)
			memcpy(values, o->values, o->n_values * sizeof(*values));
		o->values = values;
		o->size = size;
	}
	o->values[o->n_values++] = (struct movein_value){field, keep(m, text)};
}

void
movein_set(struct movein *m, struct movein_object *o, const char *field,
	   struct span value)
{
	struct movein_value *there = o ? value_of(o, field) : NULL;

	if (there)
		there->text = keep(m, value);
	else if (o)
		value_add(m, o, field, value);
}

void
movein_set_number(struct movein *m, struct movein_object *o, const char *field,
		  uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	movein_set(m, o, field, span_str(text));
}

void
movein_set_flag(struct movein *m, struct movein_object *o, const char *field,
		bool value)
{
	movein_set(m, o, field, value ? SPAN("yes") : SPAN("no"));
}

static bool
has_value(const struct movein_object *o, const char *field, struct span text)
{
	for (size_t i = 0; i < o->n_values; i++)
		if (strcmp(o->values[i].field, field) == 0 &&
		    span_equal_nocase(o->values[i].text, text))
			return true;
	return false;
}

void
movein_put(struct movein *m, struct movein_object *o, const char *field,
	   struct span address)
{
	struct buf whole = buf_make(MOVEIN_NAME_MAX);

	address = span_trim(address, " \t\r\n");
	if (!o || address.n == 0)
		return;
	buf_put(&whole, address);
	if (span_find(address, '@') == address.n)
		buf_put(&whole, span_after(o->name, span_find_last(o->name, '@')));
	if (whole.full || name_has_controls(buf_span(&whole)))
		movein_note(m, o->name, "%s '%.*s' is no address: left out", field,
			    SPAN_ARG(span_first(address, 100)));
	else if (!has_value(o, field, buf_span(&whole)))
		value_add(m, o, field, buf_span(&whole));
	buf_release(&whole);
}

void
movein_set_password(struct movein *m, struct movein_object *o, struct span text)
{
	if (o)
		o->password = keep(m, text);
}

void
movein_set_mail(struct movein *m, struct movein_object *o, struct span text)
{
	if (o)
		o->mail = keep(m, text);
}

struct span
movein_get(const struct movein_object *o, const char *field)
{
	const struct movein_value *there = value_of(o, field);

	return there ? there->text : SPAN("");
}

size_t
movein_count(const struct movein_object *o, const char *field)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_values; i++)
		n += strcmp(o->values[i].field, field) == 0;
	return n;
}

/* ---- notes */

void
movein_note(struct movein *m, struct span name, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (m->n_notes == m->notes_size) {
		m->notes_size = m->notes_size ? m->notes_size * 2 : 16;
		m->notes = memory_resize(m->notes, m->notes_size, sizeof(*m->notes));
	}
	m->notes[m->n_notes++] =
	    (struct movein_note){keep(m, name), keep(m, span_str(text))};
}
