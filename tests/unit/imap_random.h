/* tests/unit/imap_random.h - random numbers that SEED= repeats */
#pragma once

#include "common/base/base.h"

#include <stdio.h>
#include <time.h>

struct random {
	uint64_t state;
};

/* Prints the seed. */
static inline struct random
random_begin(void)
{
	struct span text = span_str(getenv("SEED"));
	uint64_t seed;

	if (!number_parse(text, UINT64_MAX, &seed))
		seed = (uint64_t)time(NULL);
	printf("SEED=%llu\n", (unsigned long long)seed);
	return (struct random){seed};
}

/* Splitmix. */
static inline uint32_t
random_below(struct random *r, uint32_t n)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % n);
}
