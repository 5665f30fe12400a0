/* admin/backup.h - what the files of `postroad backup` and `postroad restore` share
 *
 * docs/backup.md has the layout. A generation N is the folder generations/N with its
 * manifest; the mail of all generations lies in one tree, whose files only grow.
 * Errors are told where they happen.
 */
#pragma once

#include <stdio.h>

#include "admin/command.h"
#include "common/backup/backup.h"
#include "common/store/store.h"

#define BACKUP_PATH_MAX 4096
#define BACKUP_MANIFEST "manifest"
#define BACKUP_TREE     "mail"     /* and "mail-HEX" after the mail was once restored */
#define BACKUP_RESTORED "restored" /* file in mail_directory with that HEX */

/* --- the directory: backup_directory.c ------------------------------------ */

struct backup {
	const char *path;
	int fd;                /* of the directory */
	int lock;              /* held; -1 for who only reads */
	uint64_t *generations; /* that are whole, ascending */
	size_t n;
};

/* To be written to: made when it is not there, locked against another backup. To be
 * read: it must be one. */
MUST_USE int
backup_open(struct backup *b, const char *path, bool write, struct err *err);
void backup_close(struct backup *b);

/* The whole generation that --generation names, or the last; 0 after telling. */
MUST_USE uint64_t backup_choose(const struct backup *b, const char *option);

/* "generations/7/name" */
void backup_name(uint64_t generation, const char *name, char out[BACKUP_PATH_MAX]);
/* "mail/3f/000000000000123f" */
void backup_account_folder(struct span tree, uint64_t id, char out[BACKUP_PATH_MAX]);

MUST_USE int64_t backup_now_us(void);
/* Makes each folder that leads to the last part of `path` that is missing. */
MUST_USE int backup_folders(int dir, const char *path, mode_t mode, struct err *err);
/* All of the file system that `fd` is on. */
MUST_USE int backup_sync(int fd, struct err *err);

/* --- lists: backup_list.c ------------------------------------------------- */

/* A list that is being read. */
struct backup_list {
	FILE *file;
	struct backup_reader reader;
	char *line;
	size_t size;
	uint64_t trusted; /* lines that count, of one that was cut off */
};

/* 1: *row is the next, whose names live until the next call. 0: the end, and all was
 * whole; of one that was cut off: where it was synced last. -1: not whole. */
MUST_USE int backup_list_next(struct backup_list *l, struct backup_row *row);
/* One that was cut off, up to where all was synced. */
MUST_USE int backup_list_open_part(struct backup_list *l, int dir, const char *name,
				   struct err *err);
void backup_list_close(struct backup_list *l);

struct backup_piece {
	char name[STORE_CUT_NAME_MAX];
	char kept[BACKUP_NAME_MAX + 1];
	uint64_t bytes;
	uint32_t crc;
};

/* One account of a list. */
struct backup_pieces {
	uint64_t id;
	uint64_t position;
	struct backup_piece *at;
	size_t n;
};

MUST_USE const struct backup_piece *
backup_piece_find(const struct backup_pieces *pieces, const char *name);
void backup_piece_add(struct backup_pieces *pieces, const struct backup_piece *piece);

/* The accounts of a list one by one. */
struct backup_walk {
	struct backup_list list;
	struct backup_row row; /* read ahead */
	bool ahead;
	char tree[BACKUP_NAME_MAX + 1]; /* set from the start on */
	int64_t began_us;
	/* Rows that are no account; may be null. */
	void (*file)(void *context, const struct backup_row *row);
	void *context;
};

/* As backup_list_next(). *pieces is emptied first; its memory is the caller's to
 * free. */
MUST_USE int backup_walk_next(struct backup_walk *w, struct backup_pieces *pieces);
/* Opens the list of a whole generation; reads what stands before the accounts. */
MUST_USE int backup_walk_open(struct backup_walk *w, const struct backup *b,
			      uint64_t generation, struct err *err);
void backup_walk_close(struct backup_walk *w);

/* --- copying: backup_copy.c ----------------------------------------------- */

/* A folder with all that is in it; nothing is wrong when there is none. */
int backup_remove(const char *path, struct err *err);

/* Bytes [from, to) of `in` to the same place of `out` (-1: nowhere), their CRC added to
 * *crc. -1 also when there are fewer. */
MUST_USE int backup_copy(int in, int out, uint64_t from, uint64_t to, uint32_t *crc,
			 struct err *err);

/* --- a generation being made ---------------------------------------------- */

struct backup_job {
	struct admin *admin;
	struct backup *backup;
	uint64_t generation;
	FILE *list;
	struct backup_writer writer;
	char tree[BACKUP_NAME_MAX + 1];
	struct backup_walk base;     /* of the generation before, by turns */
	struct backup_pieces before; /* of it */
	bool has_base;
	struct backup_walk part; /* of a run that was cut off */
	struct backup_pieces begun;
	bool has_part;
	struct store *store;
	uint64_t unsynced; /* bytes copied since the last sync */
	struct {
		uint64_t accounts, changed, pieces, copied, bytes;
	} n;
};

MUST_USE int
backup_put(struct backup_job *job, const struct backup_row *row, struct err *err);
/* A file of the machine into the generation, as `name`. */
MUST_USE int backup_put_file(struct backup_job *job, int in, const char *name,
			     uint64_t bytes, struct err *err);
MUST_USE int backup_put_bytes(struct backup_job *job, struct span bytes,
			      const char *name, struct err *err);

/* The steps, in their order. */
MUST_USE int backup_queue(struct backup_job *job, struct err *err);
MUST_USE int backup_mail(struct backup_job *job, struct err *err);
MUST_USE int backup_accounts(struct backup_job *job, struct err *err);
MUST_USE int backup_settings(struct backup_job *job, struct err *err);

/* Removes generations so that `keep` are left, and all that none of these needs. */
MUST_USE int backup_expire(struct backup *b, uint64_t keep, struct err *err);
