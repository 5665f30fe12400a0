/* the end of a turn: what was queued is read and appended, account by account */
#include "delivery/local/local.h"

#include <errno.h>
#include <event2/event.h>

#define READ_GAP_MAX (16u << 10) /* between two contents that one read takes */

void
turn_again(struct local *l)
{
	event_active(l->wake, EV_TIMEOUT, 0);
}

void
turn_timer(struct local *l, uint64_t in_ms)
{
	const struct timeval in = {(time_t)(in_ms / 1000),
				   (suseconds_t)(in_ms % 1000 * 1000)};
	struct timeval due, now, wanted;

	event_base_gettimeofday_cached(proc_base(l->proc), &now);
	evutil_timeradd(&now, &in, &wanted);
	if (evtimer_pending(l->timer, &due) && !evutil_timercmp(&wanted, &due, <))
		return;
	evtimer_add(l->timer, &in);
}

/* --- reading -------------------------------------------------------------- */

static void
bytes_room(struct local *l, size_t n)
{
	if (n <= l->bytes_size)
		return;
	free(l->bytes);
	l->bytes = memory_resize(NULL, n, 1);
	l->bytes_size = n;
}

/* How many jobs from `first` on stand so near to one another, in order, that one read
 * takes them; *bytes is its length. */
static size_t
run_length(const struct job *first, uint64_t *bytes)
{
	uint64_t end = first->offset + first->content_bytes;
	size_t n = 1;

	for (const struct job *j = first->next; j; j = j->next, n++) {
		bool near =
		    j->segment == first->segment && j->offset >= first->offset &&
		    j->offset <= end + READ_GAP_MAX &&
		    j->offset + j->content_bytes - first->offset <= TURN_BYTES_MAX;

		if (!near)
			break;
		if (j->offset + j->content_bytes > end)
			end = j->offset + j->content_bytes;
	}
	*bytes = end - first->offset;
	return n;
}

/* Reads the contents of the next run of jobs to *at; those that cannot be read are
 * reported. The others go to `out`. */
static void
run_read(struct local *l, struct jobs *in, struct jobs *out, size_t *at)
{
	const struct job *first = in->first;
	uint64_t start = first->offset, bytes;
	size_t n = run_length(first, &bytes);
	enum segments_result result = segments_read(&l->segments, first->segment, start,
						    l->bytes + *at, (size_t)bytes);

	for (; n > 0; n--) {
		struct job *job = jobs_take(in);

		if (result != SEGMENTS_OK) {
			report_deferred(l, job, segments_text(result));
			continue;
		}
		job->content = span_make(l->bytes + *at + (job->offset - start),
					 (size_t)job->content_bytes);
		jobs_add(out, job);
	}
	*at += bytes;
}

/* Takes jobs off the queue as far as the turn's limits go, and reads them. */
static void
turn_read(struct local *l, struct jobs *out)
{
	struct jobs taken;
	uint64_t bytes = 0, run;
	size_t at = 0;

	jobs_init(&taken);
	while (l->queue.first && taken.n < TURN_JOBS_MAX) {
		uint64_t n = l->queue.first->content_bytes;

		if (taken.n > 0 && bytes + n + READ_GAP_MAX > TURN_BYTES_MAX)
			break;
		bytes += n + READ_GAP_MAX;
		jobs_add(&taken, jobs_take(&l->queue));
	}
	/* A run takes no more than its contents and the gaps between them, and of a
	 * content that two jobs share no more than once. */
	bytes_room(l, (size_t)bytes);
	while (taken.first) {
		(void)run_length(taken.first, &run);
		ASSERT(at + run <= l->bytes_size);
		run_read(l, &taken, out, &at);
	}
}

/* --- appending ------------------------------------------------------------ */

static void
ready_add(struct local *l, struct slot *s)
{
	if (s->is_ready)
		return;
	s->is_ready = true;
	s->next_ready = l->ready;
	l->ready = s;
}

static enum store_result
slot_open(struct local *l, struct slot *s, struct err *err)
{
	if (s->account)
		return STORE_OK;
	return store_account_open(l->store, s->id, STORE_MAY_CREATE | STORE_NO_WAIT,
				  (int64_t)proc_now_us(), &s->account, err);
}

static const char *
reason_text(const struct err *err, char text[256])
{
	bool full = err->code == ENOSPC || err->code == EDQUOT;
	struct buf out = buf_make(255);

	buf_put_str(&out, full ? "4.3.1 " : "4.3.0 ");
	buf_put(&out, span_first(span_str(err->text), 240));
	if (!span_copy(buf_span(&out), text, 256))
		text[0] = '\0';
	buf_release(&out);
	return text;
}

static void
defer_all(struct local *l, struct jobs *jobs, const struct err *err)
{
	char text[256];
	struct job *job;

	reason_text(err, text);
	while ((job = jobs_take(jobs)))
		report_deferred(l, job, text);
}

/* A message that has been round too often [RFC5321 6.3]. */
static bool
job_loops(const struct local *l, const struct job *job)
{
	struct mime_hops hops = mime_hops_count(job->content);

	return hops.delivered_to >= proc_settings(l->proc)->hops_max;
}

/* Into the open batch. */
static enum store_result
job_append(struct local *l, struct slot *s, struct job *job, struct err *err)
{
	struct store_message m = {
	    .mailbox = STORE_INBOX,
	    .content = job->content,
	    .internal_us = (int64_t)job->arrived_us,
	    .saved_us = (int64_t)proc_now_us(),
	    .delivery = {job->id, job->ordinal, 0},
	    .replay = job->replay,
	    .since_us = (int64_t)job->arrived_us,
	};

	buf_reset(&l->prefix);
	prefix_put(job, &l->prefix);
	m.prefix = buf_span(&l->prefix);
	return store_append(s->account, &m, &job->stored, err);
}

/* One batch of an account's jobs, as many as it takes; the appended are in `done`. */
static enum store_result
slot_batch(struct local *l, struct slot *s, struct jobs *done, struct err *err)
{
	enum store_result result = store_batch_begin(s->account, false, err);

	if (result != STORE_OK)
		return result;
	while (s->waiting.first) {
		struct job *job = s->waiting.first;

		if (job_loops(l, job)) {
			report_failed(l, jobs_take(&s->waiting),
				      "5.4.6 the message is in a loop");
			continue;
		}
		result = job_append(l, s, job, err);
		if (result == STORE_LIMIT && done->n > 0)
			break;
		jobs_add(done, jobs_take(&s->waiting));
		if (result == STORE_OK)
			continue;
		store_batch_cancel(s->account);
		if (result != STORE_FAULT)
			err_set(err, "the mailbox cannot take the message");
		return STORE_FAULT;
	}
	return store_batch_end(s->account, err);
}

static void
slot_append(struct local *l, struct slot *s)
{
	struct err err = {0};

	while (s->waiting.first) {
		enum store_result result = slot_open(l, s, &err);
		struct jobs done;

		jobs_init(&done);
		if (result == STORE_OK)
			result = slot_batch(l, s, &done, &err);
		if (result == STORE_OK) {
			l->n_written += done.n;
			jobs_move(&s->written, &done);
			if (s->written.first)
				sync_add(l, s);
			continue;
		}
		if (result == STORE_BUSY) {
			l->busy_until_ms = proc_ticks_ms() + BUSY_RETRY_MS;
			return;
		}
		logline(LOGLINE_ERROR, "local.fault", L_U64("account", s->id),
			L_ERR(&err));
		defer_all(l, &done, &err);
		defer_all(l, &s->waiting, &err);
	}
}

/* Contents live for this turn only: what could not be appended is read again. */
static void
slots_append(struct local *l)
{
	struct slot *s = l->ready;

	l->ready = NULL;
	while (s) {
		struct slot *next = s->next_ready;

		s->is_ready = false;
		slot_append(l, s);
		jobs_move(&l->queue, &s->waiting);
		s = next;
	}
}

static void
turn_refuse(struct local *l)
{
	struct job *job;

	while ((job = jobs_take(&l->queue)))
		report_deferred(l, job, "4.3.0 the disk failed a moment ago");
}

void
turn_run(struct local *l)
{
	uint64_t now = proc_ticks_ms();
	struct jobs batch;
	struct job *job;

	if (!l->queue.first)
		return;
	if (now < l->paused_until_ms) {
		turn_refuse(l);
		return;
	}
	if (now < l->busy_until_ms && !l->draining) {
		turn_timer(l, l->busy_until_ms - now);
		return;
	}
	l->count.turns++;
	l->busy_until_ms = 0;
	jobs_init(&batch);
	turn_read(l, &batch);
	while ((job = jobs_take(&batch))) {
		struct slot *s = slots_get(&l->slots, job->account);

		jobs_add(&s->waiting, job);
		ready_add(l, s);
	}
	slots_append(l);
	if (l->queue.first && l->busy_until_ms > 0)
		turn_timer(l, BUSY_RETRY_MS);
	else if (l->queue.first)
		turn_again(l);
}
