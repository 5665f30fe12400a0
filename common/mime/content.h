/* common/mime/content.h - what a part's MIME fields say about it
 *
 * RFC     [RFC2045 5] Content-Type, [RFC2183] Content-Disposition, [RFC2231]
 *         parameters in pieces, with charset and language.
 */
#pragma once

#include "common/mime/header.h"
#include "common/mime/transfer.h"

#define MIME_PARAMS_MAX       128    /* a field; a part with more is shown opaque */
#define MIME_PARAMS_TOTAL_MAX 100000 /* a message */
#define MIME_BOUNDARY_MAX     2048   /* 70 by [RFC2046 5.1.1] */

struct mime_param {
	struct span name;
	struct span value; /* unquoted */
};

/* Params first .. first + n - 1 of the parser's params. */
struct mime_params {
	uint32_t first, n;
};

/* Spans with at == NULL were absent. */
struct mime_content {
	struct span type, subtype; /* in the sender's case; the default when absent */
	struct span encoding;
	struct span id;
	struct span description;
	struct span md5;
	struct span disposition;
	struct span location;
	struct span language; /* the value, a list [RFC3282] */
	struct mime_params type_params;
	struct mime_params disposition_params;
};
