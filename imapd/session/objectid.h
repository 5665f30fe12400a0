/* imapd/session/objectid.h - EMAILID and THREADID [RFC8474 4] */
#pragma once

#include "common/base/base.h"
#include "common/store/store.h"

#define OBJECTID_EMAIL_BYTES  (1 + 2 * STORE_GUID_BYTES)
#define OBJECTID_THREAD_BYTES (1 + 16)

/* Exactly that many bytes, no NUL. */
void objectid_put_email(const uint8_t guid[STORE_GUID_BYTES],
			char out[OBJECTID_EMAIL_BYTES]);
void objectid_put_thread(uint64_t thread_key, char out[OBJECTID_THREAD_BYTES]);

/* False for what is no such id, of which there is no message then. */
MUST_USE bool objectid_parse_email(struct span s, uint8_t guid[STORE_GUID_BYTES]);
MUST_USE bool objectid_parse_thread(struct span s, uint64_t *thread_key);
