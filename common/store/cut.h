/* common/store/cut.h - which bytes are an account at one moment, for a backup
 *
 * Files are only appended to, so an account as of a durable position is a list of files
 * and how much of each counts. What was copied of a file by an earlier cut is the front
 * of what a later one names, as long as the file has its name. Who copies needs no
 * lock; a compaction may take a file away meanwhile: then the cut is made anew.
 * index, text and lock are left out: they are derived.
 */
#pragma once

#include "common/store/account.h"

#define STORE_CUT_NAME_MAX 32

struct store_cut_file {
	char name[STORE_CUT_NAME_MAX]; /* "journal.3" */
	uint64_t bytes;
};

struct store_cut {
	uint64_t position; /* all before it is in the files, and durable */
	struct store_cut_file *files;
	size_t n;
};

/* Syncs the disk when the last appends are not known to be durable; the lock is held
 * for moments only. OK, BUSY (a compaction came between: ask again), FAULT. Released by
 * store_cut_release(). */
MUST_USE enum store_result
store_cut(struct store_account *account, struct store_cut *out, struct err *err);
void store_cut_release(struct store_cut *cut);

/* The last journal file and its size, without opening the account: when both are what
 * the last cut had, nothing has happened since. OK, NONE (no account, or nothing in
 * it), FAULT. */
MUST_USE enum store_result store_cut_last(const struct store *store, uint64_t id,
					  struct store_cut_file *out, struct err *err);

/* To read a file of an account. OK, NONE (a compaction took it), FAULT. */
MUST_USE enum store_result store_cut_open(const struct store *store, uint64_t id,
					  const char *name, int *fd, struct err *err);
