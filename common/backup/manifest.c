/* lines of a backup's list */
#include "common/backup/backup.h"

#include <inttypes.h>

static const char *const words[BACKUP_ROWS] = {
    [BACKUP_ROW_VERSION] = "postroad-backup",
    [BACKUP_ROW_GENERATION] = "generation",
    [BACKUP_ROW_BEGAN] = "began",
    [BACKUP_ROW_HOST] = "host",
    [BACKUP_ROW_TREE] = "tree",
    [BACKUP_ROW_FILE] = "file",
    [BACKUP_ROW_ACCOUNT] = "account",
    [BACKUP_ROW_PIECE] = "piece",
    [BACKUP_ROW_SYNCED] = "synced",
    [BACKUP_ROW_END] = "end",
};

bool
backup_name_good(struct span name)
{
	if (name.n == 0 || name.n > BACKUP_NAME_MAX || name.at[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alnum(name.at[i]) && name.at[i] != '-' &&
		    name.at[i] != '_' && name.at[i] != '.')
			return false;
	return true;
}

bool
backup_path_good(struct span path)
{
	if (path.n == 0 || path.n > BACKUP_NAME_MAX || path.at[path.n - 1] == '/')
		return false;
	while (path.n > 0)
		if (!backup_name_good(span_cut(&path, '/')))
			return false;
	return true;
}

/* --- writing -------------------------------------------------------------- */

static void
put_version(const struct backup_row *row, struct buf *out)
{
	(void)row;
	buf_putf(out, " %d", BACKUP_VERSION);
}

static void
put_number(const struct backup_row *row, struct buf *out)
{
	buf_putf(out, " %" PRIu64, row->number);
}

static void
put_time(const struct backup_row *row, struct buf *out)
{
	char text[BACKUP_WHEN_TEXT];

	backup_when_put(row->time_us, text);
	buf_putf(out, " %s", text);
}

static void
put_name(const struct backup_row *row, struct buf *out)
{
	buf_put_char(out, ' ');
	buf_put(out, row->name);
}

static void
put_piece(const struct backup_row *row, struct buf *out)
{
	put_name(row, out);
	buf_putf(out, " %" PRIu64 " %08" PRIx32, row->bytes, row->crc);
	if (row->kept.n == 0 || span_equal(row->kept, row->name))
		return;
	buf_put_char(out, ' ');
	buf_put(out, row->kept);
}

static void
put_account(const struct backup_row *row, struct buf *out)
{
	buf_putf(out, " %016" PRIx64 " %" PRIu64, row->number, row->bytes);
}

static void
put_nothing(const struct backup_row *row, struct buf *out)
{
	(void)row;
	(void)out;
}

static void (*const puts_row[BACKUP_ROWS])(const struct backup_row *, struct buf *) = {
    [BACKUP_ROW_VERSION] = put_version, [BACKUP_ROW_GENERATION] = put_number,
    [BACKUP_ROW_BEGAN] = put_time,      [BACKUP_ROW_HOST] = put_name,
    [BACKUP_ROW_TREE] = put_name,       [BACKUP_ROW_FILE] = put_piece,
    [BACKUP_ROW_ACCOUNT] = put_account, [BACKUP_ROW_PIECE] = put_piece,
    [BACKUP_ROW_SYNCED] = put_nothing,
};

void
backup_row_put(struct backup_writer *w, const struct backup_row *row, struct buf *out)
{
	size_t start = out->n;

	ASSERT(row->kind < BACKUP_ROW_END);
	buf_put_str(out, words[row->kind]);
	puts_row[row->kind](row, out);
	buf_put_char(out, '\n');
	w->lines++;
	if (!out->full)
		w->crc = crc32c(w->crc, span_after(buf_span(out), start));
}

void
backup_end_put(struct backup_writer *w, struct buf *out)
{
	buf_putf(out, "%s %" PRIu64 " %08" PRIx32 "\n", words[BACKUP_ROW_END], w->lines,
		 w->crc);
}

/* --- reading -------------------------------------------------------------- */

static bool
get_number(struct span *rest, uint64_t *out)
{
	return number_parse(span_cut(rest, ' '), UINT64_MAX, out);
}

static bool
get_crc(struct span *rest, uint32_t *out)
{
	uint8_t bytes[4];

	if (!hex_parse(span_cut(rest, ' '), bytes, sizeof(bytes)))
		return false;
	*out = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
	return true;
}

static bool
get_version(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	(void)r;
	return get_number(&rest, &out->number) && out->number == BACKUP_VERSION &&
	       rest.n == 0;
}

static bool
get_generation(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	(void)r;
	return get_number(&rest, &out->number) && rest.n == 0;
}

static bool
get_time(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	(void)r;
	return backup_when_parse(rest, 0, &out->time_us);
}

static bool
get_name(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	(void)r;
	out->name = rest;
	return backup_name_good(rest);
}

static bool
get_kept(struct span rest, bool (*good)(struct span), struct backup_row *out)
{
	out->name = span_cut(&rest, ' ');
	if (!good(out->name) || !get_number(&rest, &out->bytes) ||
	    !get_crc(&rest, &out->crc))
		return false;
	out->kept = rest.n > 0 ? rest : out->name;
	return good(out->kept);
}

static bool
get_file(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	(void)r;
	return get_kept(rest, backup_path_good, out);
}

static bool
get_account(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	uint8_t bytes[8];

	if (!hex_parse(span_cut(&rest, ' '), bytes, sizeof(bytes)) ||
	    !get_number(&rest, &out->bytes) || rest.n > 0)
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		out->number = out->number << 8 | bytes[i];
	if (r->has_account && out->number <= r->account)
		return false;
	r->has_account = true;
	r->account = out->number;
	return true;
}

static bool
get_piece(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	out->number = r->account;
	return r->has_account && get_kept(rest, backup_name_good, out);
}

static bool
get_nothing(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	(void)r;
	(void)out;
	return rest.n == 0;
}

static bool
get_end(struct backup_reader *r, struct span rest, struct backup_row *out)
{
	if (!get_number(&rest, &out->number) || !get_crc(&rest, &out->crc) ||
	    rest.n > 0)
		return false;
	return out->number == r->lines && out->crc == r->crc;
}

static bool (*const gets_row[BACKUP_ROWS])(struct backup_reader *, struct span,
					   struct backup_row *) = {
    [BACKUP_ROW_VERSION] = get_version, [BACKUP_ROW_GENERATION] = get_generation,
    [BACKUP_ROW_BEGAN] = get_time,      [BACKUP_ROW_HOST] = get_name,
    [BACKUP_ROW_TREE] = get_name,       [BACKUP_ROW_FILE] = get_file,
    [BACKUP_ROW_ACCOUNT] = get_account, [BACKUP_ROW_PIECE] = get_piece,
    [BACKUP_ROW_SYNCED] = get_nothing,  [BACKUP_ROW_END] = get_end,
};

static bool
row_get(struct backup_reader *r, struct span line, struct backup_row *out)
{
	struct span rest = line, word = span_cut(&rest, ' ');

	for (int kind = 0; kind < BACKUP_ROWS; kind++) {
		if (!span_equal(word, span_str(words[kind])))
			continue;
		/* The first line, and only that, says what this is. */
		if ((kind == BACKUP_ROW_VERSION) != (r->lines == 0))
			return false;
		*out = (struct backup_row){.kind = (enum backup_row_kind)kind};
		return gets_row[kind](r, rest, out);
	}
	return false;
}

enum backup_read
backup_read_line(struct backup_reader *r, struct span line, struct backup_row *out)
{
	if (r->bad || r->ended || line.n > BACKUP_LINE_MAX || !row_get(r, line, out)) {
		r->bad = true;
		return BACKUP_READ_BAD;
	}
	r->ended = out->kind == BACKUP_ROW_END;
	r->lines++;
	r->crc = crc32c(crc32c(r->crc, line), SPAN("\n"));
	return r->ended ? BACKUP_READ_END : BACKUP_READ_ROW;
}
