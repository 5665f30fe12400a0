/* common/text/render.h - the text of a message that is searched
 *
 * Two parts. `headers`: a line for each field of the message's header, "name: value"
 * folded and decoded, ended by LF. `body`: for each part in order, what is
 * readable of it if it is a text of any kind, ended by LF; and of messages inside
 * the message, their header lines, too. A needle is folded and so has neither LF nor
 * NUL in it: it is never found across two of them.
 */
#pragma once

#include "common/mime/mime.h"

#define TEXT_BYTES_MAX   ((size_t)4 << 20) /* of one message; what is beyond is cut */
#define TEXT_HEADERS_MAX ((size_t)1 << 20) /* of these, the first part */
#define TEXT_LOOK_MAX    ((size_t)8 << 20) /* bytes of one part that are decoded */

struct text_parts {
	struct span headers;
	struct span body;
};

struct text_renderer;

/* `charsets` is copied; may be null. */
MUST_USE struct text_renderer *text_renderer_new(const struct mime_charsets *charsets);
void text_renderer_free(struct text_renderer **renderer);

/* The stored form: headers, a NUL, body. `prefix` are header lines that go before
 * those of the message. Lives until the renderer's next message. */
MUST_USE struct span
text_render(struct text_renderer *renderer, struct span prefix, struct span message);

/* Into a stored form, which may come from a disk. */
MUST_USE struct text_parts text_view(struct span stored);

/* Is there a field of that name (in any case) whose value has the folded needle in
 * it? With an empty needle: is there such a field? */
MUST_USE bool
text_header_has(struct span headers, struct span name, struct span needle);
