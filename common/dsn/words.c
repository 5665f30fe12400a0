/* What an enhanced status code means where the table of replies knows no better
 * [RFC3463 3]. */
#include "common/dsn/internal.h"

struct span
status_words(const struct status *s)
{
	static const char *const subjects[] = {
	    [1] = "Something is wrong with the address.",
	    [2] = "Something is wrong with the mailbox.",
	    [3] = "Something is wrong with the other server.",
	    [4] = "The other server could not be reached.",
	    [5] = "The servers do not understand each other.",
	    [6] = "The other server does not take this kind of content.",
	    [7] = "The other server does not accept this message, by its rules.",
	};

	if (s->subject > 0 && s->subject < N_ELEMS(subjects))
		return span_str(subjects[s->subject]);
	if (s->class == 4)
		return SPAN("It could not be taken at the moment.");
	return SPAN("It was refused.");
}
