/* spoold/start.h - what stands in the spool directory before the first message */
#pragma once

#include "spoold/store.h"

struct spool_start {
	int dir_fd;                 /* spool/seg */
	struct log_numbers numbers; /* the segments that are there */
	uint64_t first_id;
};

/* Makes spool/seg when it is missing, and moves spool/ids on, durably: no id of
 * this run was used in an earlier one, whatever the clock says. */
MUST_USE int spool_start(const char *directory, uint64_t now_s, struct spool_start *out,
			 struct err *err);
