/* common/backup/manifest.h - the list of what one generation of a backup holds
 *
 * Lines of words, each ended by LF:
 *
 *   postroad-backup 1
 *   generation 7
 *   began 2026-11-22T12:48:33Z
 *   host mx.example.org
 *   tree mail
 *   file directory 8192 1a2b3c4d
 *   account 000000000000123f 81920
 *   piece journal.3 1048576 a1b2c3d4
 *   piece data.1 268435456 00112233 data.1-7
 *   end 8 9f8e7d6c
 *
 * A file or piece has its name, how many bytes count, their CRC-32C, and the name it is
 * kept under where that is another. `end` has the number of lines before it and the
 * CRC-32C of their bytes; without it a list is not whole. Accounts ascend. "synced"
 * stands in lists that are being made only: what is listed before it is on disk.
 */
#pragma once

#include "common/base/base.h"

#define BACKUP_VERSION  1
#define BACKUP_LINE_MAX 1024
#define BACKUP_NAME_MAX 200 /* bytes of a name */

enum backup_row_kind {
	BACKUP_ROW_VERSION,
	BACKUP_ROW_GENERATION, /* number */
	BACKUP_ROW_BEGAN,      /* time_us */
	BACKUP_ROW_HOST,       /* name */
	BACKUP_ROW_TREE,       /* name: the folder that the pieces lie in */
	BACKUP_ROW_FILE,       /* name, bytes, crc */
	BACKUP_ROW_ACCOUNT,    /* number: its id; bytes: position of the cut */
	BACKUP_ROW_PIECE,      /* name, bytes, crc, kept: of the account before it */
	BACKUP_ROW_SYNCED,
	BACKUP_ROW_END,
	BACKUP_ROWS,
};

struct backup_row {
	enum backup_row_kind kind;
	uint64_t number;
	uint64_t bytes;
	uint32_t crc;
	int64_t time_us;
	struct span name; /* FILE: folders parted by "/" */
	struct span kept; /* as name, when it is no other */
};

/* Appends the line and counts it in. Names must be good. */
struct backup_writer {
	uint64_t lines;
	uint32_t crc;
};

void
backup_row_put(struct backup_writer *w, const struct backup_row *row, struct buf *out);
/* The last line. */
void backup_end_put(struct backup_writer *w, struct buf *out);

/* Letters, digits, and "-", "_", "." but not in front: one folder or file. */
MUST_USE bool backup_name_good(struct span name);
/* Such names, parted by "/". */
MUST_USE bool backup_path_good(struct span path);

enum backup_read {
	BACKUP_READ_ROW,
	BACKUP_READ_END, /* the list is whole */
	BACKUP_READ_BAD, /* no list, or a damaged one; for good */
};

/* Starts as {0}. */
struct backup_reader {
	uint64_t lines;
	uint32_t crc;
	uint64_t account; /* the last one, when has_account */
	bool has_account;
	bool ended, bad;
};

/* One line without its LF. The row's names point into it. What is behind the end is
 * bad. */
MUST_USE enum backup_read
backup_read_line(struct backup_reader *r, struct span line, struct backup_row *out);
