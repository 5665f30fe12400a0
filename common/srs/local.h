/* common/srs/local.h - local parts with and without their quotes
 *
 * Private to this room. [RFC5321 4.1.2] Quoted-string.
 */
#pragma once

#include "common/base/base.h"

/* What it says, appended. */
void srs_put_plain(struct span local, struct buf *out);
/* As it stands in an address, in quotes where it needs them, appended. */
void srs_put_local(struct span plain, struct buf *out);
