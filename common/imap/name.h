/* common/imap/name.h - names of mailboxes
 *
 * Inside, a name is UTF-8 with '/' between its levels and INBOX in capitals. On the
 * wire it is modified UTF-7 [RFC3501 5.1.3], or UTF-8 once the client enabled
 * UTF8=ACCEPT or IMAP4rev2 [RFC6855] [RFC9051 5.1].
 */
#pragma once

#include "common/base/base.h"

#define IMAP_NAME_MAX 1000 /* bytes of UTF-8; store's STORE_MAILBOX_NAME_MAX */

/* Appends the name; false, with `out` as it was, when the bytes are no name: broken
 * UTF-7 (or, when `utf8`, broken UTF-8), a control character, over IMAP_NAME_MAX. Valid
 * UTF-8 is taken in either mode: clients send it. */
MUST_USE bool imap_name_decode(struct span wire, bool utf8, struct buf *out);
/* As an astring in the client's mode. */
void imap_put_name(struct buf *out, struct span name, bool utf8);

/* [RFC9051 6.3.9]: '*' matches anything, '%' anything but '/'; INBOX in any case. Takes
 * at most pattern times name steps, for any pattern. */
MUST_USE bool imap_name_match(struct span pattern, struct span name);
