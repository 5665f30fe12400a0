/* qmgr/state_file.h - the files in spool/state: made, read, removed
 *
 * Between state.c and state_file.c only.
 */
#pragma once

#include "qmgr/qmgr.h"

/* Reads what former runs noted. Slow; at the start only. */
MUST_USE int state_files_read(struct qmgr *m, struct err *err);
/* Has a new file made by a thread, then state_file_use() is called. */
void state_file_make(struct qmgr *m);
void state_file_use(struct qmgr *m, const struct log_file *file, uint64_t size);
void state_file_is_old(struct state *s, uint64_t number);
/* The snapshot is durable: what is older goes, but one to recycle. */
void state_files_remove(struct qmgr *m);
