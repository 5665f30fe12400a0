/* Numbers of segments, each given once over all runs: what qmgr has noted of a segment
 * outlives its file, and must never be taken for another one's. A number is given
 * below an end that is durable, and the next run begins at that end. */
#include "spoold/store.h"

struct reserve {
	struct proc_job job;
	struct store *store;
	uint32_t end;
	int result;
	struct err err;
};

static void
reserve_work(struct proc_job *job)
{
	struct reserve *r = (struct reserve *)job;
	const struct store_setup *setup = &r->store->setup;

	r->result = setup->reserve(setup->context, r->end, &r->err);
}

static void
reserve_done(struct proc_job *job)
{
	struct reserve *r = (struct reserve *)job;
	struct store *s = r->store;

	s->n_jobs--;
	s->reserving = false;
	if (r->result == 0)
		s->numbers_end = r->end;
	else
		logline(LOGLINE_ERROR, "spool.fault", L_STR("doing", "numbers"),
			L_ERR(&r->err));
	free(r);
}

static void
reserve_more(struct store *s)
{
	struct reserve *r;

	if (s->reserving || s->numbers_end - s->next_number > STORE_NUMBERS_AHEAD / 2)
		return;
	r = memory_new(1, sizeof(*r));
	r->job = (struct proc_job){.work = reserve_work, .done = reserve_done};
	r->store = s;
	r->end = s->next_number + STORE_NUMBERS_AHEAD;
	s->reserving = store_work(s, &r->job);
	if (!s->reserving)
		free(r); /* again with the next number */
}

bool
store_number(struct store *s, uint32_t *number)
{
	reserve_more(s);
	if (s->next_number >= s->numbers_end)
		return false;
	*number = s->next_number++;
	if (s->n_making == s->size_making) {
		s->size_making = s->size_making ? s->size_making * 2 : 16;
		s->making =
		    memory_resize(s->making, s->size_making, sizeof(*s->making));
	}
	s->making[s->n_making++] = *number;
	return true;
}

void
store_number_made(struct store *s, uint32_t number)
{
	size_t i = 0;

	while (i < s->n_making && s->making[i] != number)
		i++;
	ASSERT(i < s->n_making);
	s->making[i] = s->making[--s->n_making];
}
