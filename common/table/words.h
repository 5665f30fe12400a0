/* common/table/words.h - lists in results: "a@example.org, b@example.net" */
#pragma once

#include "common/base/base.h"

/* The next word, which ends at white space or a comma outside of quotes; false at the
 * end. It points into the bytes of *rest. */
MUST_USE bool table_word_next(struct span *rest, struct span *word);
