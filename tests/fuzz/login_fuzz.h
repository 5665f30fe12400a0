/* tests/fuzz/login_fuzz.h - a dialogue before the login: any bytes, any cuts, any
 * answers */
#pragma once

#include "common/base/base.h"
#include "gate/login/login.h"

#define FUZZ_STEPS_MAX 5000

/* Takes one byte of the input for a choice; zero at its end. */
uint8_t fuzz_choice(struct span *data);

/* The input in a block of its exact size, so that a read past its end is seen. */
struct fuzz_feed {
	char *at;
	size_t n;
};

/* What is left, and some more of the data behind it. */
void fuzz_feed_more(struct fuzz_feed *f, struct span left, struct span *data);

/* The first byte chooses the settings. */
void fuzz_login(const struct login_protocol *protocol, struct span data);
