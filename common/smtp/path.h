/* common/smtp/path.h - reverse-path, forward-path and the address inside
 *
 * RFC     [RFC5321 4.1.2] syntax, [RFC5321 4.1.3] address literals,
 *         [RFC5321 4.5.3.1] sizes, [RFC6531 3.3] the same in UTF-8.
 * Memory  a parsed path points into the text it came from.
 */
#pragma once

#include "common/base/base.h"

/* All must take 64 bytes [RFC5321 4.5.3.1.1]; senders that were made by SRS, or for one
 * copy of a mailing, are longer. */
#define SMTP_LOCAL_BYTES_MAX   256
#define SMTP_DOMAIN_BYTES_MAX  255
#define SMTP_ADDRESS_BYTES_MAX (SMTP_LOCAL_BYTES_MAX + 1 + SMTP_DOMAIN_BYTES_MAX)

enum smtp_path_result {
	SMTP_PATH_OK,
	SMTP_PATH_SYNTAX,
	SMTP_PATH_LOCAL_LONG,
	SMTP_PATH_DOMAIN_LONG,
};

struct smtp_path {
	struct span local;  /* as written, with its quotes; empty for <> */
	struct span domain; /* "example.org", "[192.0.2.1]"; empty: <postmaster> */
	bool utf8;          /* bytes outside ASCII, which are valid UTF-8 */
};

/* Takes "<...>" off the front of *in: <>, <postmaster> in any case, or a
 * mailbox, whose source route is skipped. *in is untouched on failure. */
MUST_USE enum smtp_path_result smtp_path_parse(struct span *in, struct smtp_path *out);

/* local@domain as two programs would compare it: a quoted local part that needs
 * no quotes loses them, one that does escapes only '"' and '\'. Into `out`, at
 * most SMTP_ADDRESS_BYTES_MAX bytes; empty for <>. */
void smtp_path_canonical(const struct smtp_path *path, struct buf *out);

/* A name of letters, digits, hyphens and underscores, labels of 1 to 63 bytes;
 * with `utf8` also UTF-8 labels. */
MUST_USE bool smtp_domain_valid(struct span name, bool utf8);

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]". */
MUST_USE bool smtp_literal_valid(struct span text);

/* What may stand after EHLO: tolerant of names with odd characters, but nothing
 * that could leave its place in a Received field. */
MUST_USE bool smtp_hello_valid(struct span name);
