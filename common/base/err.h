/* common/base/err.h - a fault on its way to where it is answered
 *
 * A function that can fail for a reason its caller cannot mend returns -1 and
 * fills struct err; callers pass it up unchanged, and it is logged once, where
 * it is answered. Outcomes that a caller must tell apart are enums instead.
 */
#pragma once

#include "common/base/span.h"

struct err {
	int code;       /* an errno value, or 0 */
	char text[240]; /* one line for an operator, no newline */
};

/* Both fill *err and return -1, so `return err_set(err, ...)` is how to fail.
 * err_sys() adds the text of errno and keeps its value as the code. */
int err_set(struct err *err, const char *format, ...) PRINTF(2, 3);
int err_sys(struct err *err, const char *format, ...) PRINTF(2, 3);
