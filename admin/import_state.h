/* admin/import_state.h - what the directory has already, to hold an import against */
#pragma once

#include "admin/command.h"
#include "common/directory/directory.h"

struct import_state;

MUST_USE struct import_state *import_state_new(void);
void import_state_free(struct import_state **s);

/* Reads the domain and all that is in it, unless it was read before. What is wrong was
 * told when it is not EXIT_DONE. */
MUST_USE enum exit_status
import_state_read(struct import_state *s, struct admin *admin, struct span domain);

/* The app passwords of an account. */
MUST_USE enum exit_status
import_state_read_labels(struct import_state *s, struct admin *admin,
			 struct span address);

/* By canonical name (and label). Spans live as long as the state. */
MUST_USE bool
import_state_find(const struct import_state *s, enum directory_kind kind,
		  struct span name, struct span label, struct directory_object *out);
