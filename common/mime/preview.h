/* common/mime/preview.h - the first words of a message [RFC8970] */
#pragma once

#include "common/mime/charset.h"
#include "common/mime/structure.h"

#define MIME_PREVIEW_CHARS_MAX 256 /* [RFC8970 3.1] at most that many */

/* Appends the decoded text of one text part as UTF-8, HTML without its tags. At
 * most about `bytes_max` bytes of the encoded body are looked at. `work` is
 * working memory. */
void mime_text_put(const struct mime_tree *tree, uint32_t part, struct span message,
		   const struct mime_charsets *charsets, size_t bytes_max,
		   struct buf *work, struct buf *out);

/* Appends the preview: the first text/plain part (no attachment) that has any
 * text, else the first text/html, white space collapsed. */
void mime_preview_put(const struct mime_tree *tree, struct span message,
		      const struct mime_charsets *charsets, struct buf *work,
		      struct buf *out);
