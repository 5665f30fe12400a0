/* common/movein/password.h - hashes of other systems in the form that is kept here
 *
 * What crypt(3) reads stays as it is. Of the rest, what the directory can check gets
 * one form for each scheme: "{SSHA256}" and base64 of digest and salt, and so on, as
 * common/directory/scheme.h lists them.
 */
#pragma once

#include "common/base/base.h"

enum movein_password {
	MOVEIN_PASSWORD_NONE,    /* there is none: an account nobody can log in to */
	MOVEIN_PASSWORD_HASH,    /* in `out` */
	MOVEIN_PASSWORD_PLAIN,   /* in `out`, as it was typed */
	MOVEIN_PASSWORD_LOCKED,  /* "!" before it, or "*": nobody may log in by it */
	MOVEIN_PASSWORD_UNKNOWN, /* a scheme that nothing here can check */
};

/* `stored` is "{SCHEME}rest", or without a scheme what crypt(3) reads, or 32 hex
 * digits of MD5. `out` is emptied first. */
MUST_USE enum movein_password movein_password(struct span stored, struct buf *out);

/* "{ARGON2ID}", for a note; "no scheme" when there is none. */
struct span movein_password_scheme(struct span stored);
