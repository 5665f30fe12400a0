/* What a former run left in spool/seg: made durable as found, never written to
 * again. Segments without any message are removed. */
#include "spoold/store.h"

#include <errno.h>

/* At once: the syncs of several cost hardly more than one, and the rest of the threads
 * is for new mail. */
#define RECOVER_AT_ONCE 4

struct recover {
	struct store *store;
	struct log_numbers numbers;
	size_t next;      /* not begun yet */
	unsigned running; /* being looked through */
};

/* One segment. */
struct looking {
	struct proc_job job;
	struct recover *all;
	uint64_t number;
	enum log_open opened;
	int result;
	struct log_recovery was;
	struct err err;
};

/* Nothing is in it that anybody could need. */
static bool
is_empty(const struct looking *k)
{
	return k->opened == LOG_OPEN_UNREADY ||
	       (k->opened == LOG_OPEN_OK && k->result == 0 && k->was.records == 0 &&
		k->was.damaged_bytes == 0);
}

/* What the disk cannot read could be messages, even acknowledged ones. */
static int
check_readable(const struct looking *k, struct err *err)
{
	if (k->was.unreadable <= k->was.end)
		return 0;
	errno = EIO;
	return err_sys(err, "segment: cannot be read before %llu",
		       (unsigned long long)k->was.unreadable);
}

static void
looking_work(struct proc_job *job)
{
	struct looking *k = (struct looking *)job;
	const struct log_dir *dir = &k->all->store->dir;
	struct log_file file;

	k->opened = log_dir_open(dir, k->number, LOG_WRITE, &file, &k->err);
	if (k->opened == LOG_OPEN_OK) {
		k->result = log_recover(&file, LOG_PREWRITTEN, 0, &k->was, &k->err);
		if (k->result == 0)
			k->result = check_readable(k, &k->err);
		log_file_close(&file);
	}
	if (is_empty(k))
		k->result = log_dir_remove(dir, k->number, &k->err);
}

static void
looking_log(const struct looking *k)
{
	if (k->was.damaged_bytes > 0)
		logline(LOGLINE_ERROR, "spool.damage", L_U64("segment", k->number),
			L_U64("offset", k->was.damaged_at),
			L_U64("bytes", k->was.damaged_bytes));
	if (k->opened == LOG_OPEN_FAULT || k->opened == LOG_OPEN_DAMAGED ||
	    k->result != 0)
		logline(LOGLINE_ERROR, "spool.fault", L_U64("segment", k->number),
			L_STR("doing", "recovery"), L_ERR(&k->err));
}

static void recover_go_on(struct recover *r);

static void
looking_done(struct proc_job *job)
{
	struct looking *k = (struct looking *)job;
	struct recover *r = k->all;

	r->store->n_jobs--;
	r->running--;
	looking_log(k);
	free(k);
	recover_go_on(r);
}

static bool
looking_start(struct recover *r)
{
	struct looking *k = memory_new(1, sizeof(*k));

	k->job = (struct proc_job){.work = looking_work, .done = looking_done};
	k->all = r;
	k->number = r->numbers.at[r->next];
	if (!store_work(r->store, &k->job)) {
		free(k);
		return false;
	}
	r->next++;
	r->running++;
	return true;
}

static void
recover_go_on(struct recover *r)
{
	while (r->next < r->numbers.n && r->running < RECOVER_AT_ONCE)
		if (!looking_start(r))
			break;
	if (r->running > 0)
		return;
	r->store->recovered = true;
	store_let_go_waiting(r->store);
	log_numbers_release(&r->numbers);
	free(r);
}

void
store_recover(struct store *s, struct log_numbers *numbers)
{
	struct recover *r = memory_new(1, sizeof(*r));

	r->store = s;
	r->numbers = *numbers;
	*numbers = (struct log_numbers){0};
	recover_go_on(r);
}
