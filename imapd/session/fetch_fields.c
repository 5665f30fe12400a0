/* header fields by name, found in one pass over a header block */
#include "imapd/session/fetch.h"

#define LETTER(c) ((unsigned char)(c)&31)

/* What no field can be called is not looked for. */
static bool
is_field_name(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.at[i] <= ' ' || name.at[i] == 127 || name.at[i] == ':')
			return false;
	return name.n > 0;
}

static bool
name_lower(struct span name, struct arena *arena, struct span *out)
{
	char *at = arena_new(arena, name.n, 1);

	for (size_t i = 0; at && i < name.n; i++)
		at[i] = ascii_lower(name.at[i]);
	*out = span_make(at, name.n);
	return at != NULL;
}

bool
names_compile(const struct imap_section *section, struct arena *arena,
	      struct fetch_names *out)
{
	size_t n = section->n_fields < UINT16_MAX ? section->n_fields : UINT16_MAX - 1;
	struct fetch_names names = {.inverted = section->text ==
						IMAP_SECTION_HEADER_FIELDS_NOT};

	names.trace = names.inverted;
	names.at = arena_new(arena, n + 1, sizeof(*names.at));
	if (!names.at)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct fetch_name *name = &names.at[i];
		uint16_t *first;

		if (!is_field_name(section->fields[i]))
			continue;
		if (!name_lower(section->fields[i], arena, &name->name))
			return false;
		first = &names.first[LETTER(name->name.at[0])];
		name->next = *first;
		*first = (uint16_t)(i + 1);
		names.trace = names.trace || mime_header_is_trace(name->name);
	}
	names.n = n;
	*out = names;
	return true;
}

/* Does the line begin "Name:" or "Name :"? `name` is in small letters. */
static bool
line_has_name(const char *line, const char *end, struct span name)
{
	const char *at = line + name.n;

	if ((size_t)(end - line) <= name.n)
		return false;
	if (*at != ':') {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (at == end || *at != ':' || at == line + name.n)
			return false;
	}
	for (size_t i = 1; i < name.n; i++)
		if (ascii_lower(line[i]) != name.at[i])
			return false;
	return ascii_lower(line[0]) == name.at[0];
}

static bool
line_is_wanted(const struct fetch_names *names, const char *line, const char *end)
{
	uint16_t i = names->first[LETTER(*line)];

	while (i > 0 && !line_has_name(line, end, names->at[i - 1].name))
		i = names->at[i - 1].next;
	return (i > 0) != names->inverted;
}

static void
runs_add(struct field_runs *runs, const char *from, const char *to)
{
	struct span *last = runs->n > 0 ? &runs->at[runs->n - 1] : NULL;

	runs->bytes += (uint64_t)(to - from);
	if (last && last->at + last->n == from) {
		last->n += (size_t)(to - from);
		return;
	}
	if (runs->n == runs->size) {
		runs->size = runs->size ? 2 * runs->size : 32;
		runs->at = memory_resize(runs->at, runs->size, sizeof(*runs->at));
	}
	runs->at[runs->n++] = span_make(from, (size_t)(to - from));
}

/* Just behind the line; null when a bare LF makes that unsure. */
static const char *
line_end(const char *line, const char *end, enum line_ends ends)
{
	const char *at = line;

	while (at < end) {
		const char *hit = memchr(at, '\n', (size_t)(end - at));

		if (!hit)
			return end;
		if (ends == LINES_BARE || (hit > line && hit[-1] == '\r'))
			return hit + 1;
		if (ends == LINES_UNSURE)
			return NULL;
		at = hit + 1;
	}
	return end;
}

static bool
line_is_empty(const char *line, const char *end, enum line_ends ends)
{
	if (end - line == 1)
		return ends == LINES_BARE && line[0] == '\n';
	return end - line == 2 && line[0] == '\r' && line[1] == '\n';
}

bool
names_collect(const struct fetch_names *names, struct span block, enum line_ends ends,
	      struct field_runs *out)
{
	const char *at = block.at, *end = block.at + block.n;
	bool keep = names->inverted;

	while (at < end) {
		const char *next = line_end(at, end, ends);

		if (!next)
			return false;
		if (line_is_empty(at, next, ends))
			keep = true;
		else if (*at != ' ' && *at != '\t')
			keep = line_is_wanted(names, at, next);
		if (keep)
			runs_add(out, at, next);
		at = next;
	}
	return true;
}
