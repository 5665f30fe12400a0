/* common/pop3/pop3.h - what POP3 says the same before and after the login
 *
 * What    commands taken apart, the list of capabilities, languages.
 * RFC     [RFC1939] POP3, [RFC2449] CAPA, [RFC6856] UTF8 and LANG, [RFC5034]
 *         SASL, [RFC2595] STLS, [RFC3206] AUTH-RESP-CODE.
 * Trust   pure; every argument is the client's.
 * Memory  allocates nothing.
 */
#pragma once

#include "common/base/base.h"

/* A command of a logged-in client with its CRLF. [RFC2449 4] says 255; clients
 * have been seen to go beyond. */
#define POP3_LINE_MAX 512

/* The first word of *line, and *line behind the one blank that follows it. */
MUST_USE struct span pop3_word(struct span *line);

struct pop3_offer {
	struct span mechanisms; /* of SASL, separated by blanks; empty: no AUTH */
	bool user;              /* USER and PASS are accepted now */
	bool stls;
};

/* The whole answer to CAPA [RFC2449 5]. */
void pop3_put_capabilities(const struct pop3_offer *offer, struct buf *out);

/* The whole answer to LANG [RFC6856 3]; there is English only. */
void pop3_put_language(struct span args, struct buf *out);
