/* common/front/certificate.h - certificate and key as master hands them over
 *
 * Both files come one after the other, again at each reload; a context is made of the
 * pair. Master has tried that one can be; a pair that is none leaves the former in use.
 */
#pragma once

#include "common/base/base.h"
#include "common/tls/tls.h"

struct certificate {
	struct tls_context *tls; /* null: no TLS */
	struct buf chain, key;   /* until both are there */
	uint64_t tickets_ms;     /* when the keys of tickets were new */
};

void certificate_init(struct certificate *c);
/* "tls.cert" or "tls.key". Owns fd. True when `tls` is another now. */
bool certificate_take(struct certificate *c, struct span name, int fd);
/* The settings want none any more: who comes from now on gets no TLS. */
void certificate_forget(struct certificate *c);
/* At the end of a turn: new keys of tickets, when it is time. */
void certificate_turn(struct certificate *c);
