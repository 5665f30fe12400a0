#include "common/imap/cursor.h"

void
imap_fail(struct imap_cursor *c, const char *text)
{
	if (!imap_ok(c))
		return;
	c->result = IMAP_PARSE_BAD;
	c->text = text;
	c->at = c->end; /* nothing more is taken */
}

void
imap_fail_limit(struct imap_cursor *c, const char *text)
{
	if (!imap_ok(c))
		return;
	imap_fail(c, text);
	c->result = IMAP_PARSE_LIMIT;
}

bool
imap_next_is(const struct imap_cursor *c, char byte)
{
	return c->at < c->end && *c->at == byte;
}

bool
imap_take(struct imap_cursor *c, char byte)
{
	if (!imap_next_is(c, byte))
		return false;
	c->at++;
	return true;
}

void
imap_expect(struct imap_cursor *c, char byte, const char *text)
{
	if (!imap_take(c, byte))
		imap_fail(c, text);
}

void
imap_space(struct imap_cursor *c, const char *text)
{
	if (!imap_more(c))
		imap_fail(c, text);
}

bool
imap_more(struct imap_cursor *c)
{
	const char *at = c->at;

	while (at < c->end && *at == ' ')
		at++;
	if (at == c->at || at == c->end || *at == '\r' || *at == ')')
		return false;
	c->at = at;
	return true;
}

void
imap_end(struct imap_cursor *c)
{
	while (imap_take(c, ' '))
		;
	if (c->end - c->at != 2 || c->at[0] != '\r' || c->at[1] != '\n')
		imap_fail(c, "the end of the line was expected");
}

bool
imap_list_open(struct imap_cursor *c, const char *text)
{
	imap_expect(c, '(', text);
	while (imap_take(c, ' '))
		;
	return imap_ok(c);
}

bool
imap_list_next(struct imap_cursor *c, bool *first)
{
	const char *before = c->at;

	while (imap_take(c, ' '))
		;
	if (imap_take(c, ')') || !imap_ok(c))
		return false;
	if (!*first && c->at == before)
		imap_fail(c, "a space or ')' was expected");
	*first = false;
	return imap_ok(c);
}

/* --- words ---------------------------------------------------------------- */

struct span
imap_run(struct imap_cursor *c, enum imap_chars set)
{
	const char *start = c->at;

	while (c->at < c->end && imap_is(*c->at, set))
		c->at++;
	return span_make(start, (size_t)(c->at - start));
}

struct span
imap_atom(struct imap_cursor *c, const char *text)
{
	struct span word = imap_run(c, IMAP_C_ATOM);

	if (word.n == 0)
		imap_fail(c, text);
	return word;
}

bool
imap_take_word(struct imap_cursor *c, struct span word)
{
	const char *start = c->at;

	if (imap_same_word(imap_run(c, IMAP_C_ATOM), word))
		return true;
	c->at = start;
	return false;
}

bool
imap_word_find(struct span name, const struct imap_word *table, size_t n,
	       unsigned *value)
{
	for (size_t i = 0; i < n; i++) {
		if (!imap_same_word(name, table[i].name))
			continue;
		*value = table[i].value;
		return true;
	}
	return false;
}

unsigned
imap_word(struct imap_cursor *c, const struct imap_word *table, size_t n,
	  const char *text)
{
	unsigned value = 0;

	if (!imap_word_find(imap_run(c, IMAP_C_ATOM), table, n, &value))
		imap_fail(c, text);
	return value;
}

/* --- numbers -------------------------------------------------------------- */

uint64_t
imap_number(struct imap_cursor *c, uint64_t min, uint64_t max, const char *text)
{
	const char *start = c->at;
	uint64_t value = 0;

	while (c->at < c->end && ascii_digit(*c->at))
		c->at++;
	/* An nz-number does not begin in 0. */
	if (!number_parse(span_make(start, (size_t)(c->at - start)), max, &value) ||
	    value < min || (min > 0 && *start == '0')) {
		imap_fail(c, text);
		return 0;
	}
	return value;
}

static uint32_t
seq_number(struct imap_cursor *c)
{
	if (imap_take(c, '*'))
		return 0;
	return (uint32_t)imap_number(c, 1, UINT32_MAX,
				     "a set of numbers from 1 to 4294967295 or * "
				     "was expected");
}

static struct imap_range
seq_range(struct imap_cursor *c)
{
	uint32_t first = seq_number(c);

	return (struct imap_range){first, imap_take(c, ':') ? seq_number(c) : first};
}

void
imap_set(struct imap_cursor *c, struct imap_set *out)
{
	struct imap_range *at;
	size_t size = 1;

	*out = (struct imap_set){.saved = imap_take(c, '$')};
	if (out->saved)
		return;
	for (const char *p = c->at; p < c->end && imap_is(*p, IMAP_C_SET); p++)
		size += *p == ',';
	at = imap_new(c, size, sizeof(*at));
	if (!at)
		return;
	do
		at[out->n++] = seq_range(c);
	while (imap_take(c, ','));
	out->at = at;
}

static int64_t
partial_number(struct imap_cursor *c, bool *negative)
{
	static const char text[] = "PARTIAL: a range such as 1:100 or -1:-100 was "
				   "expected";
	bool minus = imap_take(c, '-');
	int64_t value = (int64_t)imap_number(c, 1, UINT32_MAX, text);

	*negative = minus;
	return minus ? -value : value;
}

void
imap_partial_range(struct imap_cursor *c, int64_t *first, int64_t *last)
{
	bool a, b;

	*first = partial_number(c, &a);
	imap_expect(c, ':', "PARTIAL: ':' was expected");
	*last = partial_number(c, &b);
	if (a != b)
		imap_fail(c, "PARTIAL: both ends count from the same side");
}

/* --- memory --------------------------------------------------------------- */

void *
imap_new(struct imap_cursor *c, size_t n, size_t size)
{
	void *at = imap_ok(c) ? arena_new(c->arena, n, size) : NULL;

	if (!at)
		imap_fail_limit(c, "the command is too long");
	return at;
}

bool
imap_grow(struct imap_cursor *c, void *array, size_t n, size_t size)
{
	void *old, *at;

	if (n > 0 && (n < 8 || (n & (n - 1)) != 0))
		return imap_ok(c);
	at = imap_new(c, n > 0 ? 2 * n : 8, size);
	if (!at)
		return false;
	memcpy(&old, array, sizeof(old));
	if (n > 0)
		memcpy(at, old, n * size);
	memcpy(array, &at, sizeof(at));
	return true;
}

struct span
imap_kept(struct imap_cursor *c, struct span s)
{
	if (c->keep && imap_ok(c) && !arena_copy(c->arena, s, &s))
		imap_fail_limit(c, "the command is too long");
	return s;
}
