/* header fields by name, found in one pass over a header block */
#include "imapd/session/fetch.h"

#define LETTER(c) ((unsigned char)(c) & (FETCH_LETTERS - 1))

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

/* In the order of bytes; b is in small letters. */
static int
name_order(struct span a, struct span b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int order =
		    (unsigned char)ascii_lower(a.at[i]) - (unsigned char)b.at[i];

		if (order != 0)
			return order;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static int
name_compare_letters(const void *x, const void *y)
{
	const struct span *a = x, *b = y;
	int order = LETTER(a->at[0]) - LETTER(b->at[0]);

	return order != 0 ? order : name_order(*a, *b);
}

/* All are there: where those of each letter begin. */
static void
names_index(struct fetch_names *names, size_t n)
{
	size_t i = 0;

	if (n > 1)
		qsort(names->at, n, sizeof(*names->at), name_compare_letters);
	for (size_t letter = 0; letter <= FETCH_LETTERS; letter++) {
		while (i < n && LETTER(names->at[i].at[0]) < letter)
			i++;
		names->first[letter] = (uint16_t)i;
	}
}

bool
names_compile(const struct imap_section *section, struct arena *arena,
	      struct fetch_names *out)
{
	size_t max = section->n_fields < UINT16_MAX ? section->n_fields : UINT16_MAX;
	struct fetch_names names = {.inverted = section->text ==
						IMAP_SECTION_HEADER_FIELDS_NOT};
	size_t n = 0;

	names.trace = names.inverted;
	names.at = arena_new(arena, max + 1, sizeof(*names.at));
	if (!names.at)
		return false;
	for (size_t i = 0; i < max; i++) {
		if (!is_field_name(section->fields[i]))
			continue;
		if (!name_lower(section->fields[i], arena, &names.at[n]))
			return false;
		names.trace = names.trace || mime_header_is_trace(names.at[n]);
		n++;
	}
	names_index(&names, n);
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

/* What stands before the ':' of a line and the blanks before that. */
static struct span
line_name(const char *line, const char *end)
{
	const char *at = line;

	while (at < end && *at != ':' && *at != ' ' && *at != '\t')
		at++;
	return span_make(line, (size_t)(at - line));
}

#define NAMES_FEW 8 /* are tried one after the other */

/* Does it begin with one of the names [low, high), which have its first letter? */
static bool
line_has_one(const struct fetch_names *names, size_t low, size_t high, const char *line,
	     const char *end)
{
	struct span name;

	if (high - low > NAMES_FEW) {
		name = line_name(line, end);
		while (high - low > 1) {
			size_t middle = low + (high - low) / 2;

			if (name_order(name, names->at[middle]) < 0)
				high = middle;
			else
				low = middle;
		}
	}
	while (low < high && !line_has_name(line, end, names->at[low]))
		low++;
	return low < high;
}

static bool
line_is_wanted(const struct fetch_names *names, const char *line, const char *end)
{
	const uint16_t *first = &names->first[LETTER(*line)];

	return line_has_one(names, first[0], first[1], line, end) != names->inverted;
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
		out->lines++;
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
