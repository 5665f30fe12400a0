/* common/mime/imap_structure.h - BODY and BODYSTRUCTURE [RFC3501 7.4.2] */
#pragma once

#include "common/mime/structure.h"

enum mime_body_form {
	MIME_BODY,          /* without extension data */
	MIME_BODYSTRUCTURE, /* with it */
};

/* Appends the parenthesised structure of the whole tree of `message`. */
void mime_body_put(const struct mime_tree *tree, struct span message,
		   enum mime_body_form form, struct buf *out);
