#include "spoold/store.h"

/* What became of messages, until the loop fetches it. */
static void
result_push(struct store *s, const struct store_result *r)
{
	if (s->n_results == s->size_results) {
		s->size_results = s->size_results ? s->size_results * 2 : 256;
		s->results = memory_resize(s->results, s->size_results, sizeof(*r));
	}
	s->results[s->n_results++] = *r;
}

void
store_answer(struct store *s, struct origin origin, uint64_t id,
	     enum spool_outcome outcome)
{
	struct store_result r = {
	    .kind = STORE_ANSWER, .origin = origin, .id = id, .outcome = outcome};

	if (outcome != SPOOL_STORED)
		s->n_refused++;
	if (origin.generation == 0) {
		r.kind = STORE_ADDED;
		r.moved = true;
	}
	if (origin.generation != 0 || outcome != SPOOL_STORED)
		result_push(s, &r);
}

void
store_added(struct store *s, const struct store_result *added)
{
	result_push(s, added);
}

bool
store_next(struct store *s, struct store_result *out)
{
	if (s->first_result == s->n_results) {
		s->first_result = s->n_results = 0;
		return false;
	}
	*out = s->results[s->first_result++];
	return true;
}
