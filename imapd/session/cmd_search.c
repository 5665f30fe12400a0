/* SEARCH, SORT and THREAD: from phase to phase */
#include "imapd/session/search.h"

static search_phase *const search_phases[] = {
    search_compile, search_scan, search_save, search_put, NULL,
};

static search_phase *const sort_phases[] = {
    search_compile, search_scan, sort_gather, sort_order, search_save, search_put, NULL,
};

static search_phase *const references_phases[] = {
    search_compile,
    search_scan,
    thread_gather,
    thread_forget_ids,
    sort_order,
    thread_settle,
    thread_gather_roots,
    thread_fill_table,
    thread_merge_subjects,
    thread_arrange,
    thread_forget_order,
    thread_put,
    NULL,
};

static search_phase *const subject_phases[] = {
    search_compile, search_scan,
    thread_gather,  thread_forget_ids,
    sort_order,     thread_group_subjects,
    thread_arrange, thread_forget_order,
    thread_put,     NULL,
};

static search_phase *const *
phases_of(const struct session *s)
{
	if (s->command.id == IMAP_SEARCH)
		return search_phases;
	if (s->command.id == IMAP_SORT)
		return sort_phases;
	return s->command.search.algorithm == IMAP_THREAD_REFERENCES ? references_phases
								     : subject_phases;
}

static enum run
end(struct session *s)
{
	/* [RFC5182 2.1]: a search that fails leaves nothing behind. */
	if (s->result.kind == RESULT_NO &&
	    (s->command.search.returns & IMAP_SEARCH_SAVE))
		imap_ranges_release(&s->saved);
	return RUN_DONE;
}

enum run
run_search(struct session *s, struct step *step)
{
	search_phase *const *phases = phases_of(s);
	struct search *w;

	if (!s->work)
		s->work = memory_new(1, sizeof(struct search));
	w = s->work;
	for (; phases[w->phase]; w->phase++) {
		switch (phases[w->phase](s, step)) {
		case SEARCH_NEXT:
			break;
		case SEARCH_TURN:
			return RUN_TURN;
		case SEARCH_ROOM:
			return RUN_ROOM;
		case SEARCH_LOCK:
			return RUN_LOCK;
		case SEARCH_ENDED:
			return end(s);
		}
	}
	return done_ok(s);
}

void
release_search(struct session *s)
{
	struct search *w = s->work;

	if (!w)
		return;
	search_program_release(&w->program);
	imap_ranges_release(&w->all);
	imap_ranges_release(&w->saved);
	imap_ranges_release(&w->found);
	buf_release(&w->scratch);
	buf_release(&w->keys);
	sort_merge_release(&w->merge);
	thread_release(&w->thread);
}
