/* common/mime/transfer.h - content transfer encodings [RFC2045 6]
 *
 * A decoder takes its input in pieces cut anywhere. Nothing is an error: what is
 * no base64 is skipped, what is no quoted-printable stays as it is.
 */
#pragma once

#include "common/base/base.h"

enum mime_encoding {
	MIME_7BIT,
	MIME_8BIT,
	MIME_BINARY,
	MIME_QUOTED_PRINTABLE,
	MIME_BASE64,
	MIME_ENCODING_UNKNOWN, /* not to be decoded [RFC2045 6.4] */
};

MUST_USE enum mime_encoding mime_encoding_identify(struct span name);

struct mime_decoder {
	enum mime_encoding encoding;
	uint32_t bits;  /* base64: what is left of a group */
	unsigned n;     /* base64: sextets in `bits`; quoted-printable: held bytes */
	unsigned state; /* quoted-printable: what the held bytes may become */
	char held[78];
};

void mime_decoder_init(struct mime_decoder *d, enum mime_encoding encoding);
void mime_decoder_feed(struct mime_decoder *d, struct span in, struct buf *out);
/* After the last piece: what was held back. */
void mime_decoder_end(struct mime_decoder *d, struct buf *out);
