/* common/mime/date.h - the Date field [RFC5322 3.3, 4.3] */
#pragma once

#include "common/base/base.h"

#define MIME_DATE_NONE ((int64_t)-1)

struct mime_date {
	int64_t seconds; /* UTC, since 1970; MIME_DATE_NONE when unreadable */
	int zone_minutes;
};

/* Tolerant: day name, seconds and zone may be missing (UTC then), years of two
 * or three digits and named zones are as the RFC says, comments are skipped. A
 * date before 1970 gives 0. */
MUST_USE struct mime_date mime_date_parse(struct span value);
