/* common/imap/date.h - "17-Jul-1996 02:44:25 -0700" and "1-Feb-1994" [RFC9051 9] */
#pragma once

#include "common/base/base.h"

/* Seconds since 1970, UTC. False for what is no date-time. */
MUST_USE bool imap_date_time_parse(struct span s, int64_t *seconds);
/* A date alone: days since 1970, as it stands, in no zone. */
MUST_USE bool imap_date_parse(struct span s, int32_t *days);
/* With its quotes, in UTC: " 7-Feb-1994 21:52:25 +0000". */
void imap_put_date_time(struct buf *out, int64_t seconds);
