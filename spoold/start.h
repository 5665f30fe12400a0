/* spoold/start.h - what stands in the spool directory before the first message */
#pragma once

#include "spoold/store.h"

struct spool_start {
	int spool_fd;
	int dir_fd;                 /* spool/seg */
	struct log_numbers numbers; /* the segments that are there */
	uint32_t next_number;       /* no segment ever had it, or one above */
	uint32_t numbers_end;       /* reserved: see spool_numbers_reserve() */
	uint64_t first_id;
};

/* Makes spool/seg when it is missing, and moves spool/ids and spool/numbers on,
 * durably: no id and no number of this run was used in an earlier one, whatever the
 * clock says and whichever files are gone. */
MUST_USE int spool_start(const char *directory, uint64_t now_s, struct spool_start *out,
			 struct err *err);

/* The next run begins with this number. Durable on return. */
MUST_USE int spool_numbers_reserve(int spool_fd, uint32_t end, struct err *err);
