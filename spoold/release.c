/* Segments that qmgr has done with: kept for recycling, or removed. */
#include "spoold/store.h"

#include <errno.h>

struct let_go {
	struct proc_job job;
	struct let_go *next;
	struct store *store;
	bool started;
	uint32_t number;
	bool keep; /* in: may be kept; out: is kept */
	int result;
	struct err err;
};

/* Only one of the size that a new one would have is worth keeping. */
static bool
fits_again(const struct store *s, uint32_t number)
{
	struct log_file file;
	struct err err;
	uint64_t size;
	bool same;

	if (log_dir_open(&s->dir, number, LOG_READ, &file, &err) != LOG_OPEN_OK)
		return false;
	same = log_file_size(&file, &size, &err) == 0 && size == s->setup.segment_bytes;
	log_file_close(&file);
	return same;
}

static void
let_go_work(struct proc_job *job)
{
	struct let_go *l = (struct let_go *)job;

	l->keep = l->keep && fits_again(l->store, l->number);
	if (!l->keep)
		l->result = log_dir_remove(&l->store->dir, l->number, &l->err);
}

static void
let_go_end(struct let_go *l)
{
	struct let_go **at = &l->store->letting;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	free(l);
}

/* Of those that were let go together others were kept before. False: it stays until
 * qmgr asks again when it next starts. */
static bool
remove_after_all(struct let_go *l)
{
	l->keep = false;
	return store_work(l->store, &l->job);
}

static void
let_go_done(struct proc_job *job)
{
	struct let_go *l = (struct let_go *)job;
	struct store *s = l->store;

	s->n_jobs--;
	if (l->keep && s->n_spares == STORE_SPARES_MAX && remove_after_all(l))
		return;
	if (l->keep)
		s->spares[s->n_spares++] = l->number;
	/* Asked for again by a qmgr that started anew, it may be gone. */
	if (l->result != 0 && l->err.code != ENOENT)
		logline(LOGLINE_WARNING, "spool.remove", L_U64("segment", l->number),
			L_ERR(&l->err));
	let_go_end(l);
	store_prepare(s);
}

/* On its way out, or kept to be recycled. */
static bool
is_going(const struct store *s, uint32_t number)
{
	for (size_t i = 0; i < s->n_spares; i++)
		if (s->spares[i] == number)
			return true;
	for (const struct let_go *l = s->letting; l; l = l->next)
		if (l->number == number)
			return true;
	return false;
}

void
store_let_go_waiting(struct store *s)
{
	struct let_go *next;

	for (struct let_go *l = s->letting; l && s->recovered; l = next) {
		next = l->next;
		if (l->started)
			continue;
		l->keep = s->n_spares < STORE_SPARES_MAX;
		l->started = store_work(s, &l->job);
		if (!l->started)
			let_go_end(l); /* qmgr asks again when it next starts */
	}
}

void
store_let_go(struct store *s, uint32_t number)
{
	struct let_go *l;

	if (is_going(s, number))
		return;
	if (store_find(s, number) || number >= s->next_number) {
		logline(LOGLINE_WARNING, "spool.free_refused",
			L_U64("segment", number));
		return;
	}
	l = memory_new(1, sizeof(*l));
	l->job = (struct proc_job){.work = let_go_work, .done = let_go_done};
	l->store = s;
	l->number = number;
	l->next = s->letting;
	s->letting = l;
	store_let_go_waiting(s);
}
