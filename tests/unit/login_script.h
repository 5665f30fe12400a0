/* tests/unit/login_script.h - a dialogue before the login, against a small authd */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate/login/login.h"

/* Knows joe with the password "a b"; LOGIN asks twice; the other mechanisms take
 * "client", then "proof". */
struct authd {
	struct login *l;
	struct buf out;
	struct buf asked; /* what it was asked, one line each */
	unsigned step;
	bool later;
	bool opened;
	size_t cancels, secured;
	enum login_want last;
};

/* Greets; what it says is in `out`. */
void authd_start(struct authd *a, const struct login_policy *p, bool tls);
void authd_stop(struct authd *a);
/* Goes on until more input is wanted, or it is open or closed. */
void authd_feed(struct authd *a, struct span *in);
/* The same, with a break after `cut` bytes. */
void authd_feed_cut(struct authd *a, struct span all, size_t cut);
/* What was asked, NUL as '|', so that a row can say it. */
void authd_assert_asked(const struct authd *a, const char *want);
/* What was said behind the greeting of that length. */
void authd_assert_said(const struct authd *a, size_t greeting, const char *want);
