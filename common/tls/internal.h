/* common/tls/internal.h - shared by the files of this room only */
#pragma once

#include "common/tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

struct tls_context {
	SSL_CTX *ssl;
	int64_t expires; /* seconds since 1970 */
};

struct tls_session {
	SSL *ssl;
	bool answered; /* something was written: the ticket went along */
	char fault[120];
};

/* Takes the oldest of OpenSSL's queued reasons, and empties the queue. */
const char *tls_reason(void);
