/* What a former run left in spool/seg: made durable as found, never written to
 * again. Segments without any message are removed. */
#include "spoold/store.h"

struct recover {
	struct proc_job job;
	struct store *store;
	struct log_numbers numbers;
	size_t i; /* the one being looked through */
	enum log_open opened;
	int result;
	struct log_recovery was;
	struct err err;
};

/* Nothing is in it that anybody could need. */
static bool
is_empty(const struct recover *r)
{
	return r->opened == LOG_OPEN_UNREADY ||
	       (r->opened == LOG_OPEN_OK && r->result == 0 && r->was.records == 0 &&
		r->was.damaged_bytes == 0);
}

static void
recover_work(struct proc_job *job)
{
	struct recover *r = (struct recover *)job;
	const struct log_dir *dir = &r->store->dir;
	uint64_t number = r->numbers.at[r->i];
	struct log_file file;

	r->was = (struct log_recovery){0};
	r->result = 0;
	r->opened = log_dir_open(dir, number, LOG_WRITE, &file, &r->err);
	if (r->opened == LOG_OPEN_OK) {
		r->result = log_recover(&file, LOG_PREWRITTEN, 0, &r->was, &r->err);
		log_file_close(&file);
	}
	if (is_empty(r))
		r->result = log_dir_remove(dir, number, &r->err);
}

static void
recover_log(const struct recover *r)
{
	uint64_t number = r->numbers.at[r->i];

	if (r->was.damaged_bytes > 0)
		logline(LOGLINE_ERROR, "spool.damage", L_U64("segment", number),
			L_U64("offset", r->was.damaged_at),
			L_U64("bytes", r->was.damaged_bytes));
	if (r->opened == LOG_OPEN_FAULT || r->opened == LOG_OPEN_DAMAGED ||
	    r->result != 0)
		logline(LOGLINE_ERROR, "spool.fault", L_U64("segment", number),
			L_STR("doing", "recovery"), L_ERR(&r->err));
}

static void recover_next(struct recover *r);

static void
recover_done(struct proc_job *job)
{
	struct recover *r = (struct recover *)job;

	r->store->n_jobs--;
	recover_log(r);
	r->i++;
	recover_next(r);
}

static void
recover_next(struct recover *r)
{
	if (r->i < r->numbers.n && store_work(r->store, &r->job))
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

	r->job = (struct proc_job){.work = recover_work, .done = recover_done};
	r->store = s;
	r->numbers = *numbers;
	*numbers = (struct log_numbers){0};
	recover_next(r);
}
