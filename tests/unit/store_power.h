/* tests/unit/store_power.h - an account's disk in memory, and power that fails
 *
 * From within any call to the disk the power may go: then the other disk is what may
 * be left of this one, nothing more is written here, and power_turn() goes on there.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/base.h"
#include "tests/unit/simdisk.h"

struct power {
	struct simdisk disks[2];
	struct simdisk *disk;
	struct log_io io;
	struct rng rng;
	size_t crash_in; /* calls until the power fails; 0: it does not */
	bool crashed;
	unsigned crashes;
};

static inline struct simdisk *
power_other(struct power *p)
{
	return p->disk == &p->disks[0] ? &p->disks[1] : &p->disks[0];
}

/* From within a call to the disk. */
static inline void
power_hook(void *context)
{
	struct power *p = context;

	if (p->crash_in == 0 || --p->crash_in > 0)
		return;
	simdisk_power_loss(p->disk, power_other(p), &p->rng);
	p->crashed = true;
	p->disk->fault = SIM_FAULT_KILL;
	p->disk->fault_in = 0;
}

static inline void
power_plug(struct power *p, struct simdisk *disk)
{
	p->disk = disk;
	p->disk->changed = power_hook;
	p->disk->context = p;
	p->io = simdisk_io(p->disk);
}

static inline void
power_init(struct power *p, uint64_t seed)
{
	*p = (struct power){.rng = {seed}};
	simdisk_init(&p->disks[0], seed);
	simdisk_init(&p->disks[1], seed + 1);
	power_plug(p, &p->disks[0]);
}

static inline void
power_release(struct power *p)
{
	simdisk_release(&p->disks[0]);
	simdisk_release(&p->disks[1]);
}

/* The machine starts again with what the power loss has left. */
static inline void
power_turn(struct power *p)
{
	p->disk->changed = NULL;
	power_plug(p, power_other(p));
	p->crash_in = 0;
	p->crashed = false;
	p->crashes++;
}

/* SEED= and ROUNDS= from the environment. */
static inline uint64_t
power_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && number_parse(span_str(text), UINT64_MAX, &n) ? n : otherwise;
}
