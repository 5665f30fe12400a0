/* common/mime/imap_envelope.h - ENVELOPE, ready to send [RFC3501 7.4.2] */
#pragma once

#include "common/mime/address.h"
#include "common/mime/header.h"

/* Values as they stand in the header; at == NULL when the field is absent. The
 * first field of a name counts. */
struct mime_envelope {
	struct span date, subject, from, sender, reply_to, to, cc, bcc;
	struct span in_reply_to, message_id;
};

/* Notes a field if it is one of the envelope's. */
void mime_envelope_take(struct mime_envelope *e, const struct mime_header *field);

/* Appends "(date subject ... message-id)". `list` and `line` are working memory. */
void mime_envelope_put(const struct mime_envelope *e, struct mime_addresses *list,
		       struct buf *line, struct buf *out);
