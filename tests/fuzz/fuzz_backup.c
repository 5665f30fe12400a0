/* tests/fuzz/fuzz_backup.c - a backup's list of any bytes; what is taken is written the
 * same */
#include "common/backup/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_row(const struct backup_row *row)
{
	struct buf out = buf_make(2 * BACKUP_LINE_MAX);
	struct backup_writer w = {0};
	struct backup_reader r = {.lines = row->kind != BACKUP_ROW_VERSION,
				  .has_account = row->kind == BACKUP_ROW_PIECE,
				  .account = row->number};
	struct backup_row again;

	backup_row_put(&w, row, &out);
	ASSERT(backup_read_line(&r, span_first(buf_span(&out), out.n - 1), &again) ==
	       BACKUP_READ_ROW);
	ASSERT(again.number == row->number && again.bytes == row->bytes &&
	       again.crc == row->crc && span_equal(again.name, row->name) &&
	       span_equal(again.kept, row->kept));
	ASSERT(row->name.n == 0 || backup_path_good(row->name));
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size);
	struct backup_reader r = {0};
	struct backup_row row;
	int64_t us;

	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');

		if (backup_when_parse(line, INT64_C(1795351713000000), &us))
			ASSERT(us > INT64_MIN / 2);
		if (backup_read_line(&r, line, &row) == BACKUP_READ_ROW)
			check_row(&row);
	}
	return 0;
}
