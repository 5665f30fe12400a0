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

/* --- tables that both protocols have -------------------------------------- */

struct script {
	const struct login_policy *policy;
	size_t greeting, greeting_tls; /* their lengths */
};

struct script_dialogue {
	const char *name;
	bool tls;
	const char *in, *out;
	bool opened;
	const char *asked;
};

/* Each row, cut at every byte. */
void
script_dialogues(const struct script *s, const struct script_dialogue *rows, size_t n);

/* The line is taken so often before, and closes the next time. */
struct script_limit {
	const char *name, *line;
	unsigned before;
	const char *reason;
};
void script_limits(const struct script *s, const struct script_limit *rows, size_t n);

struct script_ending {
	enum login_ending why;
	const char *want;
};
void script_endings(const struct script *s, const struct script_ending *rows, size_t n);

/* A login, on a connection without TLS where the setting lets it be. */
void script_bare_password(const struct script *s, const char *login);
/* A login while the directory is away: the answer, and no failure is counted. */
void script_directory_away(const struct script *s, const char *login, const char *want);
