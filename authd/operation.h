/* authd/operation.h - one operation of the admin command on its way */
#pragma once

#include "authd/effect.h"

struct operation {
	struct errand errand;
	uint64_t tag;
	uint64_t administrator; /* account; 0: the operator */
	struct buf bytes;       /* of the request, which points into them */
	struct directory_request request;

	/* What came of it. */
	enum directory_result result;
	struct err err;
	struct effect effect;
	struct buf rows; /* each behind its length */

	/* While it waits to hear what the account holds that it shows. */
	TAILQ_ENTRY(operation) shown;
	uint64_t account, gives_up_ms; /* 0: it does not */
};

void operation_answer(struct operation *o);
void operation_free(struct operation *o);

/* show.c: true when the answer has to wait. */
MUST_USE bool show_wait(struct operation *o);
void show_forget(struct operation *o);
