/* admin/import_adopt.h - objects into the directory
 *
 * What is there and equal is left, what is there without a value gets it, and what is
 * there and different is named and left.
 */
#pragma once

#include "admin/import.h"
#include "admin/import_state.h"

enum import_outcome {
	IMPORT_NEW,
	IMPORT_EQUAL,
	IMPORT_COMPLETED, /* was there, and got values that it had not */
	IMPORT_DIFFERENT, /* is there, and says otherwise */
	IMPORT_REFUSED,   /* by the directory */
	IMPORT_OUTCOMES,
};

struct import_counts {
	uint64_t found[DIRECTORY_KINDS];
	uint64_t outcomes[DIRECTORY_KINDS][IMPORT_OUTCOMES];
	uint64_t without_password; /* accounts that came in so */
};

/* What an object that is there lacks, in *missing, and the first field in which it says
 * otherwise (null: none). */
void import_compare(const struct directory_object *there,
		    const struct directory_object *wanted,
		    struct directory_object *missing, const char **differs);

/* All objects of the list that are not dropped. What is wrong with one is noted; not
 * EXIT_DONE when the directory cannot be asked. */
MUST_USE enum exit_status import_adopt(struct import *im, struct import_state *state,
				       struct import_counts *counts);
