/* authd/operation.h - one operation of the admin command on its way */
#pragma once

#include "authd/authd.h"

struct operation {
	struct errand errand;
	uint64_t tag;
	uint64_t administrator; /* account; 0: the operator */
	struct buf bytes;       /* of the request, which points into them */
	struct directory_request request;

	/* What came of it. */
	enum directory_result result;
	struct err err;
	struct closing closing;
	struct buf rows; /* each behind its length */
};
