#include "common/directory/object.h"

#include <stdio.h>
#include <time.h>

/* ---- times: UTC, as RFC 3339 or a date alone */

static bool
take_digits(struct span *rest, size_t n, char after, int *out)
{
	uint64_t number;

	if (rest->n < n || !number_parse(span_first(*rest, n), 9999, &number))
		return false;
	*rest = span_after(*rest, n);
	*out = (int)number;
	if (after == '\0')
		return true;
	if (rest->n == 0 || rest->at[0] != after)
		return false;
	*rest = span_after(*rest, 1);
	return true;
}

/* "08:30:00Z", what stands behind the T; nothing is midnight. */
static bool
take_clock(struct span rest, struct tm *tm)
{
	if (rest.n == 0)
		return true;
	if ((rest.at[0] != 'T' && rest.at[0] != ' ') || rest.n < 6)
		return false;
	rest = span_after(rest, 1);
	if (!take_digits(&rest, 2, ':', &tm->tm_hour) ||
	    !take_digits(&rest, 2, '\0', &tm->tm_min))
		return false;
	if (rest.n > 0 && rest.at[0] == ':') {
		rest = span_after(rest, 1);
		if (!take_digits(&rest, 2, '\0', &tm->tm_sec))
			return false;
	}
	return rest.n == 0 || span_equal(rest, SPAN("Z"));
}

static bool
time_parse(struct span text, uint64_t *out)
{
	struct tm tm = {0}, normal;
	time_t when;

	if (!take_digits(&text, 4, '-', &tm.tm_year) ||
	    !take_digits(&text, 2, '-', &tm.tm_mon) ||
	    !take_digits(&text, 2, '\0', &tm.tm_mday) || !take_clock(text, &tm))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	normal = tm;
	when = timegm(&normal);
	/* The 31st of a month that has 30 days became another day. */
	if (when < 0 || normal.tm_mday != tm.tm_mday || normal.tm_mon != tm.tm_mon ||
	    normal.tm_hour != tm.tm_hour || normal.tm_min != tm.tm_min)
		return false;
	*out = (uint64_t)when;
	return true;
}

static void
time_write(uint64_t when, struct buf *out)
{
	time_t seconds = (time_t)when;
	char text[40];
	struct tm tm;

	if (when > 0 && gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		buf_put_str(out, text);
}

/* ---- words */

/* The place of a word in the field's. */
static bool
word_find(const struct directory_field *f, struct span word, uint64_t *out)
{
	struct span rest = span_str(f->words);

	for (uint64_t i = 0; rest.n > 0; i++)
		if (span_equal_nocase(span_cut(&rest, ' '), word)) {
			*out = i;
			return true;
		}
	return false;
}

static bool
set_parse(const struct directory_field *f, struct span text, uint64_t *out)
{
	uint64_t bits = 0, bit;

	while (text.n > 0) {
		if (!word_find(f, span_trim(span_cut(&text, ','), " "), &bit))
			return false;
		bits |= (uint64_t)1 << bit;
	}
	*out = bits;
	return true;
}

static void
words_write(const struct directory_field *f, uint64_t number, struct buf *out)
{
	struct span rest = span_str(f->words);
	bool first = true;

	for (uint64_t i = 0; rest.n > 0; i++) {
		struct span word = span_cut(&rest, ' ');

		if (f->type == DIRECTORY_CHOICE ? number != i : !(number >> i & 1))
			continue;
		if (!first)
			buf_put_char(out, ',');
		buf_put(out, word);
		first = false;
	}
}

static bool
flag_parse(struct span text, uint64_t *out)
{
	static const char *const words[] = {"no",  "yes", "false", "true",
					    "off", "on",  "0",     "1"};

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (span_equal_nocase(text, span_str(words[i]))) {
			*out = i & 1;
			return true;
		}
	return false;
}

/* ---- numbers */

static bool
number_of(const struct directory_field *f, struct span text, uint64_t *out)
{
	bool none = text.n == 0 || span_equal_nocase(text, SPAN("none"));

	if (none)
		*out = 0;
	switch (f->type) {
	case DIRECTORY_FLAG:
		return flag_parse(text, out);
	case DIRECTORY_CHOICE:
		return word_find(f, text, out);
	case DIRECTORY_SET:
		return none || set_parse(f, text, out);
	case DIRECTORY_BYTES:
		return none || number_parse_bytes(text, out);
	case DIRECTORY_SECONDS:
		return none || number_parse_seconds(text, out);
	case DIRECTORY_TIME:
		return none || time_parse(text, out);
	default:
		return none || number_parse(text, UINT64_MAX, out);
	}
}

static int
say_number(const struct directory_field *f, struct err *err)
{
	static const char *const how[] = {
	    [DIRECTORY_NUMBER] = "is a number",
	    [DIRECTORY_BYTES] = "is a size: 500M, 10G, or none",
	    [DIRECTORY_SECONDS] = "is a time: 90s, 4h, 7d",
	    [DIRECTORY_TIME] = "is a moment: 2026-12-24, 2026-12-24T18:00:00Z, or none",
	    [DIRECTORY_FLAG] = "is yes or no",
	};

	if (f->words)
		return err_set(err, "%s is %sof: %s", f->name,
			       f->type == DIRECTORY_SET ? "some, with commas, "
							: "one ",
			       f->words);
	return err_set(err, "%s %s", f->name, how[f->type]);
}

/* ---- addresses */

/* A comma in quotes is part of the name [RFC5321 4.1.2]. */
static struct span
cut_address(struct span *rest)
{
	bool quoted = false;
	struct span address;
	size_t i;

	for (i = 0; i < rest->n && (quoted || rest->at[i] != ','); i++)
		if (rest->at[i] == '"')
			quoted = !quoted;
	address = span_trim(span_first(*rest, i), " \t\r\n");
	*rest = i < rest->n ? span_after(*rest, i + 1) : (struct span){0};
	return address;
}

static int
addresses_parse(const struct directory_field *f, struct span text, struct arena *arena,
		struct span *out, struct err *err)
{
	struct buf items = buf_make(f->max);
	int r = 0;

	while (text.n > 0) {
		struct span address = cut_address(&text);

		if (address.n > 0)
			directory_item_put(&items, address);
	}
	if (items.full || !arena_copy(arena, buf_span(&items), out))
		r = err_set(err, "too many addresses in %s", f->name);
	buf_release(&items);
	return r;
}

static void
addresses_write(struct span items, struct buf *out)
{
	struct cursor c = cursor_make(items);
	struct span item;
	bool first = true;

	while (directory_item_next(&c, &item)) {
		if (!first)
			buf_put_char(out, ',');
		buf_put(out, item);
		first = false;
	}
}

/* ---- any value */

int
directory_value_parse(const struct directory_field *f, struct span text,
		      struct arena *arena, struct directory_value *out, struct err *err)
{
	struct directory_value v = {.how = DIRECTORY_VALUE_SET};

	if (directory_field_is_number(f)) {
		if (!number_of(f, text, &v.number))
			return say_number(f, err);
	} else if (f->type == DIRECTORY_ADDRESSES) {
		if (addresses_parse(f, text, arena, &v.text, err) != 0)
			return -1;
	} else if (f->type == DIRECTORY_SECRET) {
		return err_set(err, "%s is not set as a text", f->name);
	} else {
		v.text = text;
	}
	*out = v;
	return 0;
}

void
directory_value_write(const struct directory_field *f, const struct directory_value *v,
		      struct buf *out)
{
	switch (f->type) {
	case DIRECTORY_FLAG:
		buf_put_str(out, v->number ? "yes" : "no");
		break;
	case DIRECTORY_CHOICE:
	case DIRECTORY_SET:
		words_write(f, v->number, out);
		break;
	case DIRECTORY_TIME:
		time_write(v->number, out);
		break;
	case DIRECTORY_NUMBER:
	case DIRECTORY_BYTES:
	case DIRECTORY_SECONDS:
		buf_putf(out, "%llu", (unsigned long long)v->number);
		break;
	case DIRECTORY_ADDRESSES:
		addresses_write(v->text, out);
		break;
	case DIRECTORY_SECRET:
		break;
	default:
		buf_put(out, v->text);
	}
}
