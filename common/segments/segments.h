/* common/segments/segments.h - the door to the spool's files, as qmgr passes them
 *
 * What    the descriptors that came by ipc segment_fd, by number, and reading
 *         from them. For the programs that deliver: they open no file.
 * Trust   place and length come from another program: nothing beyond the end of
 *         a file is read, and no number that was never passed.
 * Memory  16 bytes a segment; descriptors are owned until dropped or released.
 */
#pragma once

#include "common/base/base.h"
#include "common/ipc/ipc.h"

struct segment {
	uint32_t number;
	int fd;
	uint64_t size; /* as last seen */
};

struct segments {
	struct segment *at;
	size_t n, size;
};

enum segments_result {
	SEGMENTS_OK,
	SEGMENTS_UNKNOWN, /* never passed, or dropped */
	SEGMENTS_BEYOND,  /* the bytes are not all within the file */
	SEGMENTS_FAULT,   /* the disk failed */
};

/* Takes fd; one of the same number is replaced. */
void segments_put(struct segments *all, uint32_t number, int fd);
void segments_drop(struct segments *all, uint32_t number);
void segments_release(struct segments *all);

/* What qmgr says of its files. True when the message was one of these; fd is taken
 * then. */
MUST_USE bool
segments_message(struct segments *all, const struct ipc_message *m, int fd);

/* Exactly n bytes at `offset` of a segment to `at`. */
MUST_USE enum segments_result segments_read(struct segments *all, uint32_t number,
					    uint64_t offset, char *at, size_t n);
/* Why it could not be read, as the reason of a delivery that is tried again. */
const char *segments_text(enum segments_result result);
