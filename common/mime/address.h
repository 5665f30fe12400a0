/* common/mime/address.h - address lists in header fields [RFC5322 3.4, 4.4]
 *
 * Best effort: a broken address gives what can be seen of it.
 */
#pragma once

#include "common/base/base.h"

#define MIME_ADDRESS_TOKENS_MAX 10240
#define MIME_COMMENT_DEPTH_MAX  32

enum mime_address_kind {
	MIME_ADDRESS_MAILBOX,
	MIME_ADDRESS_GROUP_START, /* `name` is the group's */
	MIME_ADDRESS_GROUP_END,
};

/* Spans with at == NULL were absent, which is not the same as empty. */
struct mime_address {
	enum mime_address_kind kind;
	struct span name;  /* display name or comment; encoded words left as they are */
	struct span route; /* obsolete source route, "@a,@b" [RFC5322 4.4] */
	struct span mailbox; /* local part, quotes taken off */
	struct span host;
};

struct mime_addresses {
	struct mime_address *at;
	size_t n, size;
	char *text; /* what the spans point into */
	size_t text_size;
};

void mime_addresses_init(struct mime_addresses *list);
void mime_addresses_release(struct mime_addresses *list);

/* Replaces the list by that of a field's value (folded or not). False when the
 * value is beyond a limit; the list is empty then. */
MUST_USE bool mime_addresses_parse(struct mime_addresses *list, struct span value);

/* The first real mailbox, or null. */
MUST_USE const struct mime_address *
mime_addresses_first(const struct mime_addresses *list);
