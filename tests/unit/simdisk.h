/* tests/unit/simdisk.h - a disk in memory that loses, tears and reorders
 *
 * What    one directory of small files behind struct log_io. Each file knows
 *         what is safe and which writes and truncations are pending; so does the
 *         directory for its names. A sync makes safe; a power loss keeps some of
 *         the pending, each write torn at sectors, sizes apart from bytes, names
 *         apart from files.
 *         A sync that fails does as Linux does: what was pending is gone from the
 *         disk but still shown, and the next sync succeeds without it.
 * Memory  a disk keeps its allocations when it is overwritten by a power loss, so
 *         that a million of them cost little.
 */
#pragma once

#include "common/log/io.h"

#define SIMDISK_DIR 2 /* the fd of the directory */
#ifndef SIMDISK_FILES
#define SIMDISK_FILES 8 /* ever made; a test that needs more is built with more */
#endif

struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *r);
/* 0 to n - 1 */
size_t rng_below(struct rng *r, size_t n);
/* True once in n. */
bool rng_once_in(struct rng *r, size_t n);

struct sim_op {
	enum {
		SIM_WRITE,
		SIM_TRUNCATE
	} kind;
	uint64_t offset; /* or the new size */
	size_t n;
	size_t data; /* where in sim_file.data */
};

struct sim_image {
	char *at;
	size_t n, size;
};

struct sim_file {
	struct sim_image now, safe, data;
	struct sim_op *ops;
	size_t n_ops, size_ops;
};

struct sim_name {
	char name[24]; /* empty: free */
	int file;
};

struct sim_dirop {
	enum {
		SIM_LINK,
		SIM_UNLINK,
		SIM_RENAME
	} kind;
	struct sim_name name;
	char to[24];
};

enum sim_fault {
	SIM_FAULT_NONE,
	SIM_FAULT_WRITE, /* the first write in reach */
	SIM_FAULT_SHORT, /* a part of it is written, the rest fails */
	SIM_FAULT_SYNC,
	SIM_FAULT_READ, /* every read of a block at fault_offset, until cleared */
	SIM_FAULT_DIR,  /* open to create, rename, unlink, list */
	SIM_FAULT_KILL, /* nothing is done any more, until cleared */
};

struct simdisk {
	struct sim_file files[SIMDISK_FILES];
	int n_files;
	struct sim_name now[SIMDISK_FILES], safe[SIMDISK_FILES];
	struct sim_dirop dirops[2 * SIMDISK_FILES];
	size_t n_dirops;
	struct rng rng; /* of salts */
	size_t sector;
	size_t calls; /* that could change something */
	size_t reads, writes, syncs;
	enum sim_fault fault; /* once, but for SIM_FAULT_READ */
	size_t fault_in;      /* after this many calls of its sort */
	int fault_code;
	uint64_t fault_offset;
	const char *fault_name; /* of the one file that READ is about; null: any */
	/* After each call that changed something, from within it. */
	void (*changed)(void *context);
	void *context;
};

void simdisk_init(struct simdisk *d, uint64_t seed);
void simdisk_release(struct simdisk *d);

struct log_io simdisk_io(struct simdisk *d);

/* Makes `to` (initialised) what `from` might be after a power loss. */
void simdisk_power_loss(const struct simdisk *from, struct simdisk *to, struct rng *r);

/* The shown bytes of a file by name, for tests that damage them; null when there
 * is none. Changed bytes are safe at once. */
struct sim_file *simdisk_file(struct simdisk *d, const char *name);
void simdisk_poke(struct simdisk *d, const char *name, size_t offset, char flip);
