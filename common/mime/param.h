/* common/mime/param.h - parameters of a field, whole or in pieces [RFC2231 3]
 *
 * Inside this room only.
 */
#pragma once

#include "common/mime/content.h"
#include "common/mime/lex.h"

struct mime_piece {
	struct span name; /* without "*", "*0" or "*0*" when starred */
	struct span value;
	uint64_t index;
	bool starred;
	bool extended; /* charset, language and percent signs in it [RFC2231 4] */
	bool taken;
};

/* The "; name=value" that follow in l, at most MIME_PARAMS_MAX of them; -1 when
 * there are more, or the arena is at its limit. */
MUST_USE int
mime_pieces_parse(struct mime_lex *l, struct arena *arena, struct mime_piece *out);

/* Makes parameters of pieces: those of one name are joined, and stay in their
 * extended form, as "name*", when one of them is. At most n are written. -1 when
 * the arena is at its limit. */
MUST_USE int mime_pieces_join(struct mime_piece *pieces, int n, struct arena *arena,
			      struct mime_param *out);
