#include "common/maildir/uidlist.h"

static bool
number_take(struct span word, uint32_t *out)
{
	uint64_t value;

	if (!number_parse(word, UINT32_MAX - 1, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

static struct span
line_take(struct span *rest)
{
	return span_trim(span_cut(rest, '\n'), "\r");
}

static bool
head_old(struct span line, struct uidlist_head *head)
{
	return number_take(span_cut(&line, ' '), &head->uidvalidity) &&
	       number_take(span_cut(&line, ' '), &head->uidnext);
}

static bool
head_new(struct span line, struct uidlist_head *head)
{
	while (line.n > 0) {
		struct span word = span_cut(&line, ' ');
		struct span value = span_after(word, 1);

		if (word.n == 0)
			continue;
		if ((word.at[0] == 'V' && !number_take(value, &head->uidvalidity)) ||
		    (word.at[0] == 'N' && !number_take(value, &head->uidnext)))
			return false;
	}
	return true;
}

bool
uidlist_head_next(struct span *rest, struct uidlist_head *out)
{
	struct uidlist_head head = {0};
	struct span line = line_take(rest), version = span_cut(&line, ' ');

	if (span_equal(version, SPAN("1")) && head_old(line, &head))
		head.version = 1;
	else if (span_equal(version, SPAN("3")) && head_new(line, &head))
		head.version = 3;
	if (head.version == 0 || head.uidvalidity == 0)
		return false;
	*out = head;
	return true;
}

static void
field_take(struct span word, struct uidlist_row *row)
{
	struct span value = span_after(word, 1);
	uint64_t us;

	switch (word.n > 1 ? word.at[0] : '\0') {
	case 'P':
		row->uidl = value;
		break;
	case 'G':
		row->guid = value;
		break;
	case 'T':
		if (number_parse(value, INT64_MAX, &us))
			row->saved_us = (int64_t)us;
		break;
	case 'I':
		if (number_parse(value, INT64_MAX, &us))
			row->internal_us = (int64_t)us;
		break;
	case 'F':
		row->flags = value;
		break;
	case 'K':
		if (hex_parse(value, &us, sizeof(us)))
			row->keywords = le64toh(us);
		break;
	}
}

static bool
row_parse(struct span line, unsigned version, struct uidlist_row *out)
{
	struct uidlist_row row = {0};

	if (!number_take(span_cut(&line, ' '), &row.uid) || row.uid == 0)
		return false;
	while (version > 1 && line.n > 0 && line.at[0] != ':')
		field_take(span_cut(&line, ' '), &row);
	row.file = version > 1 ? span_after(line, 1) : line;
	if (row.file.n == 0 || span_find(row.file, '/') < row.file.n)
		return false;
	*out = row;
	return true;
}

bool
uidlist_row_next(struct span *rest, unsigned version, struct uidlist_row *out)
{
	while (rest->n > 0)
		if (row_parse(line_take(rest), version, out))
			return true;
	return false;
}

void
uidlist_head_put(const struct uidlist_head *head, struct buf *out)
{
	buf_putf(out, "3 V%u N%u\n", (unsigned)head->uidvalidity,
		 (unsigned)head->uidnext);
}

/* May it stand between blanks? */
static bool
word_good(struct span word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.at[i] <= ' ' || word.at[i] == 0x7f)
			return false;
	return word.n > 0;
}

void
uidlist_row_put(const struct uidlist_row *row, struct buf *out)
{
	char hex[2 * sizeof(uint64_t) + 1];
	uint64_t keywords;

	buf_putf(out, "%u ", (unsigned)row->uid);
	if (word_good(row->guid)) {
		buf_put_char(out, 'G');
		buf_put(out, row->guid);
		buf_put_char(out, ' ');
	}
	if (word_good(row->uidl)) {
		buf_put_char(out, 'P');
		buf_put(out, row->uidl);
		buf_put_char(out, ' ');
	}
	if (row->saved_us > 0)
		buf_putf(out, "T%lld ", (long long)row->saved_us);
	if (row->internal_us > 0)
		buf_putf(out, "I%lld ", (long long)row->internal_us);
	if (word_good(row->flags)) {
		buf_put_char(out, 'F');
		buf_put(out, row->flags);
		buf_put_char(out, ' ');
	}
	if (row->keywords != 0) {
		keywords = htole64(row->keywords);
		hex_put(&keywords, sizeof(keywords), hex);
		buf_putf(out, "K%s ", hex);
	}
	buf_put_char(out, ':');
	buf_put(out, row->file);
	buf_put_char(out, '\n');
}
