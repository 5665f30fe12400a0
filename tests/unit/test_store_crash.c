/* tests/unit/test_store_crash.c - power losses, kills and faults at random moments
 *
 * One account on a disk in memory. What was said to be durable must be there
 * exactly once afterwards, whole; a uid that was listed never names another
 * message. SEED= and ROUNDS= come from the environment.
 */
#include "tests/unit/store_power.h"

#include <errno.h>
#include <stdio.h>

#include "common/store/internal.h"

#define NOW          INT64_C(1800000000000000)
#define JOBS_MAX     400
#define UIDS_MAX     4000
#define STEPS        60
#define REPLACES_MAX 64

struct job {
	bool acked, tried;
	bool written;         /* in this life, not yet synced */
	uint64_t position;    /* where it was appended */
	bool expunged, maybe; /* maybe: an expunge of it was under way */
};

struct world {
	struct power power;
	struct store *store;
	struct store_account *account;
	struct job jobs[JOBS_MAX];
	unsigned n_jobs;
	uint32_t shown[UIDS_MAX]; /* by uid: number of the job + 1 */
	uint32_t uidnext;
	int64_t now_us;
	/* Not known to be durable: of the first and all that were to take its place, or
	 * that of one of them, one is there after any crash. */
	struct {
		unsigned first, new;
	} replaces[REPLACES_MAX];
	unsigned n_replaces, restored;
	struct err err;
	unsigned faults;
	bool same_boot; /* a file system fails, and is mounted again */
};

static void
content_put(unsigned job, struct buf *out)
{
	unsigned n = job * 7919u % (job % 9 == 0 ? 3000 : 200);

	buf_reset(out);
	buf_putf(out, "Subject: job %u\r\nMessage-ID: <%u@x>\r\n\r\n", job, job);
	for (unsigned i = 0; i < n; i++)
		buf_put_char(out, (char)('a' + (job + i) % 26));
}

static void
world_open(struct world *w)
{
	const struct store_settings settings = {
	    .data_file_bytes = 40000,
	    .journal_file_bytes = 6000,
	    .summarize = true,
	};
	enum store_result result;

	w->store = store_new_on(&w->power.io, SIMDISK_DIR, &settings, &w->err);
	assert_non_null(w->store);
	w->store->boot[0] = w->same_boot ? 1 : (uint8_t)w->power.crashes;
	result = store_account_open(w->store, 1, STORE_MAY_CREATE, w->now_us,
				    &w->account, &w->err);
	if (result != STORE_OK && !w->power.crashed)
		print_message("open: %s\n", w->err.text);
	assert_true(result == STORE_OK || w->power.crashed);
}

static void
world_close(struct world *w)
{
	store_account_close(&w->account);
	store_free(&w->store);
	for (unsigned i = 0; i < w->n_jobs; i++)
		w->jobs[i].written = false;
}

/* The other disk is what the power loss has left. */
static void
world_lose_power(struct world *w)
{
	world_close(w);
	power_turn(&w->power);
	world_open(w);
}

/* True when it went well; what did not is a fault that was asked for. */
static bool
went(struct world *w, enum store_result result, bool faulty)
{
	if (result == STORE_OK)
		return !w->power.crashed;
	if (!w->power.crashed && !faulty)
		print_message("result %d: %s\n", (int)result, w->err.text);
	assert_true(w->power.crashed || faulty);
	w->faults++;
	return false;
}

static bool
deliver_one(struct world *w, unsigned job, bool faulty)
{
	struct buf content = buf_make(1 << 16);
	struct store_message m = {
	    .mailbox = STORE_INBOX,
	    .prefix = SPAN("Delivered-To: x\r\n"),
	    .internal_us = w->now_us,
	    .saved_us = w->now_us,
	    .delivery = {job + 1, 0, 9},
	    .replay = w->jobs[job].tried,
	};
	struct store_appended out;
	bool good;

	content_put(job, &content);
	m.content = buf_span(&content);
	good = went(w, store_batch_begin(w->account, true, &w->err), faulty);
	if (!good) {
		buf_release(&content);
		return false;
	}
	w->jobs[job].tried = true;
	good = went(w, store_append(w->account, &m, &out, &w->err), faulty);
	if (!good)
		store_batch_cancel(w->account);
	else
		good = went(w, store_batch_end(w->account, &w->err), faulty);
	w->jobs[job].written = good;
	w->jobs[job].position = good ? store_position(w->account) : 0;
	buf_release(&content);
	return good;
}

static void
op_deliver(struct world *w, bool faulty)
{
	for (unsigned i = 0; i < w->n_jobs && !w->power.crashed; i++)
		if (!w->jobs[i].acked && !w->jobs[i].written &&
		    !deliver_one(w, i, faulty) && w->power.crashed)
			return;
	for (size_t n = rng_below(&w->power.rng, 4);
	     n > 0 && w->n_jobs < JOBS_MAX && !w->power.crashed; n--)
		if (!deliver_one(w, w->n_jobs++, faulty) && w->power.crashed)
			return;
}

/* After a sync that went well: what nobody declared void is delivered. */
static void
acknowledge(struct world *w, bool good)
{
	for (unsigned i = 0; i < w->n_jobs; i++) {
		struct job *j = &w->jobs[i];

		if (good && j->written &&
		    store_synced(w->account, j->position, &w->err) == STORE_OK &&
		    !w->power.crashed)
			j->acked = true;
		j->written = false;
	}
	if (good)
		w->n_replaces = 0;
}

static void
op_sync(struct world *w, bool faulty)
{
	acknowledge(w, went(w, store_sync(w->account, w->now_us, &w->err), true));
	(void)faulty;
}

/* The job a message is, by its bytes, all of which must be right. */
static void
check_text(struct world *w, uint32_t uid, struct span message)
{
	static struct text_renderer *renderer;
	struct text_parts want, got;

	if (!renderer)
		renderer = text_renderer_new(NULL);
	want = text_view(text_render(renderer, SPAN("Delivered-To: x\r\n"), message));
	assert_int_equal(store_text_of(w->account,
				       store_find(w->account, STORE_INBOX, uid), &got,
				       &w->err),
			 STORE_OK);
	assert_true(span_equal(got.headers, want.headers));
	assert_true(span_equal(got.body, want.body));
}

static unsigned
job_of(struct world *w, uint32_t uid)
{
	struct buf want = buf_make(1 << 16), got = buf_make(1 << 16);
	struct store_content *c;
	struct span piece;
	unsigned job;
	enum store_result result =
	    store_content_open(w->account, STORE_INBOX, uid, &c, &w->err);

	if (result != STORE_OK)
		print_message("uid %u: %s\n", uid, w->err.text);
	assert_int_equal(result, STORE_OK);
	while (got.n < store_content_size(c)) {
		assert_int_equal(store_content_read(c, got.n, 65536, &piece, &w->err),
				 STORE_OK);
		buf_put(&got, piece);
	}
	store_content_close(&c);
	buf_put_char(&got, '\0');
	assert_int_equal(sscanf(got.at, "Delivered-To: x\r\nSubject: job %u", &job), 1);
	got.n--;
	assert_true(job < w->n_jobs);
	content_put(job, &want);
	assert_true(span_equal(span_after(buf_span(&got), 17), buf_span(&want)));
	check_text(w, uid, buf_span(&want));
	buf_release(&want);
	buf_release(&got);
	return job;
}

/* What a client sees is right. */
static void
check_shown(struct world *w, unsigned count[JOBS_MAX])
{
	const struct store_record *r;
	struct store_mailbox box;

	memset(count, 0, JOBS_MAX * sizeof(*count));
	if (store_view_refresh(w->account, &w->err) != STORE_OK)
		print_message("refresh: %s\n", w->err.text);
	assert_int_equal(store_view_refresh(w->account, &w->err), STORE_OK);
	assert_true(store_mailbox_get(w->account, STORE_INBOX, &box));
	assert_true(box.uidnext >= w->uidnext);
	w->uidnext = box.uidnext;
	for (r = store_first(w->account, STORE_INBOX); r;
	     r = store_next(w->account, r)) {
		uint32_t uid = r->uid;
		unsigned job = job_of(w, uid);

		assert_true(uid < UIDS_MAX && uid < box.uidnext);
		assert_true(w->shown[uid] == 0 || w->shown[uid] == job + 1);
		w->shown[uid] = job + 1;
		count[job]++;
		r = store_find(w->account, STORE_INBOX, uid);
	}
}

static unsigned
replace_first(const struct world *w, unsigned job)
{
	for (unsigned i = 0; i < w->n_replaces; i++)
		if (w->replaces[i].new == job)
			return w->replaces[i].first;
	return job;
}

static void
replace_forget(struct world *w, unsigned job)
{
	unsigned first = replace_first(w, job);

	for (unsigned i = 0; i < w->n_replaces; i++)
		if (w->replaces[i].first == first)
			w->replaces[i--] = w->replaces[--w->n_replaces];
}

static void
op_expunge(struct world *w, bool faulty)
{
	unsigned count[JOBS_MAX], job;
	const struct store_record *r;
	struct store_range range;
	uint64_t n;
	bool good;

	if (!went(w, store_view_refresh(w->account, &w->err), faulty))
		return;
	check_shown(w, count);
	for (r = store_first(w->account, STORE_INBOX);
	     r && rng_below(&w->power.rng, 4) > 0;)
		r = store_next(w->account, r);
	if (!r)
		return;
	range = (struct store_range){r->uid, r->uid};
	job = w->shown[r->uid] - 1;
	w->jobs[job].maybe = true;
	replace_forget(w, job);
	good =
	    went(w,
		 store_expunge(w->account, STORE_INBOX, (struct store_uids){&range, 1},
			       w->now_us, &n, NULL, &w->err),
		 faulty);
	good = good && went(w, store_sync(w->account, w->now_us, &w->err), true);
	w->jobs[job].expunged = good && n == 1;
	acknowledge(w, good);
}

/* A new job takes the place of a message that is shown. */
static bool
replace_one(struct world *w, unsigned old, uint32_t uid, bool faulty)
{
	struct store_range range = {uid, uid};
	struct store_message m = {
	    .mailbox = STORE_INBOX,
	    .prefix = SPAN("Delivered-To: x\r\n"),
	    .internal_us = w->now_us,
	    .saved_us = w->now_us,
	    .delivery = {w->n_jobs + 1, 0, 9}
        };
	struct buf content = buf_make(1 << 16);
	unsigned job = w->n_jobs++;
	struct store_appended out;
	bool good;

	content_put(job, &content);
	m.content = buf_span(&content);
	good = went(w, store_append(w->account, &m, &out, &w->err), faulty) &&
	       went(w,
		    store_batch_expunge(w->account, STORE_INBOX,
					(struct store_uids){&range, 1}, NULL, &w->err),
		    faulty);
	w->jobs[job].tried = true;
	w->jobs[old].maybe = true;
	if (!good)
		store_batch_cancel(w->account);
	else
		good = went(w, store_batch_end(w->account, &w->err), faulty);
	w->jobs[job].written = good;
	w->jobs[job].position = good ? store_position(w->account) : 0;
	w->replaces[w->n_replaces].first = replace_first(w, old);
	w->replaces[w->n_replaces++].new = job;
	buf_release(&content);
	return good;
}

static void
op_replace(struct world *w, bool faulty)
{
	const struct store_record *r;
	unsigned count[JOBS_MAX];

	if (w->n_jobs == JOBS_MAX || w->n_replaces == REPLACES_MAX ||
	    !went(w, store_view_refresh(w->account, &w->err), faulty))
		return;
	check_shown(w, count);
	for (r = store_first(w->account, STORE_INBOX);
	     r && rng_below(&w->power.rng, 4) > 0;)
		r = store_next(w->account, r);
	if (!r)
		return;
	if (went(w, store_batch_begin(w->account, true, &w->err), faulty))
		(void)replace_one(w, w->shown[r->uid] - 1, r->uid, faulty);
}

/* After a crash, before anything is delivered again. */
static void
check_replaces(struct world *w)
{
	unsigned count[JOBS_MAX];

	check_shown(w, count);
	for (unsigned i = 0; i < w->n_replaces; i++) {
		unsigned first = w->replaces[i].first, there = count[first];

		for (unsigned k = 0; k < w->n_replaces; k++)
			if (w->replaces[k].first == first)
				there += count[w->replaces[k].new];
		if (there == 0)
			print_message("job %u and all that replaces it are lost\n",
				      first);
		assert_true(there > 0);
		w->restored += count[first];
	}
	w->n_replaces = 0;
}

static void
op_flags(struct world *w, bool faulty)
{
	const struct store_range all = {1, UINT32_MAX};
	uint64_t modseq;

	(void)went(w,
		   store_flags_change(
		       w->account, STORE_INBOX, (struct store_uids){&all, 1},
		       &(struct store_flag_change){
			   .verb = (enum store_flag_verb)rng_below(&w->power.rng, 3),
			   .flags = STORE_SEEN,
			   .keywords = 0},
		       w->now_us, &modseq, NULL, &w->err),
		   faulty);
}

static void
op_compact(struct world *w, bool faulty)
{
	struct store_compaction done;

	w->now_us += 5 * 1000000;
	w->n_replaces = 0;
	if (!went(w,
		  store_compact(w->account, rng_below(&w->power.rng, 2) * 10, w->now_us,
				NULL, NULL, &done, &w->err),
		  faulty))
		for (unsigned i = 0; i < w->n_jobs; i++)
			w->jobs[i].written = false;
}

static void
op_index(struct world *w, bool faulty)
{
	if (w->account->view)
		(void)went(w, store_view_save(w->account, &w->err), faulty);
}

static void
op_text(struct world *w, bool faulty)
{
	bool done;

	if (w->account->view)
		(void)went(w, store_text_fill(w->account, 4000, &done, &w->err),
			   faulty);
}

static void (*const ops[])(struct world *, bool) = {
    op_deliver, op_deliver, op_deliver, op_sync,    op_sync,    op_expunge,
    op_flags,   op_index,   op_text,    op_compact, op_replace, op_replace,
};

static void
finding(void *context, const struct store_finding *f)
{
	unsigned *n = context;

	/* Not synced; made when wanted. */
	if (f->what == STORE_DAMAGE_SUMMARY || f->what == STORE_DAMAGE_TEXT)
		return;
	if (f->what == STORE_DAMAGE_INDEX)
		return;
	print_message("found %d: uid %u file %u at %llu: %s\n", (int)f->what, f->uid,
		      f->file, (unsigned long long)f->offset, f->text);
	++*n;
}

/* All jobs are asked for again; then each is there exactly once. */
static void
check_all(struct world *w)
{
	unsigned count[JOBS_MAX], n = 0;
	uint64_t findings;

	/* Twice: only the first sync may tell that what was written is void. */
	for (int i = 0; i < 2; i++) {
		op_deliver(w, false);
		op_sync(w, false);
	}
	check_shown(w, count);
	for (unsigned i = 0; i < w->n_jobs; i++) {
		const struct job *j = &w->jobs[i];

		assert_true(j->acked);
		if (j->expunged)
			assert_int_equal(count[i], 0);
		else if (j->maybe)
			assert_true(count[i] <= 1);
		else if (count[i] != 1) {
			print_message("job %u is there %u times\n", i, count[i]);
			assert_int_equal(count[i], 1);
		}
		/* What was expunged by an interrupted command is settled now. */
		w->jobs[i].expunged = count[i] == 0;
		w->jobs[i].maybe = w->jobs[i].expunged;
	}
	assert_int_equal(store_verify(w->account, finding, &n, &findings, &w->err),
			 STORE_OK);
	assert_int_equal(n, 0);
}

/* Before all is as it was, or durable. */
static void
crash_again(struct world *w)
{
	while (rng_below(&w->power.rng, 2) > 0) {
		w->power.crash_in = 1 + rng_below(&w->power.rng, 12);
		op_deliver(w, false);
		if (!w->power.crashed && rng_once_in(&w->power.rng, 2))
			op_sync(w, false);
		if (!w->power.crashed)
			break;
		world_lose_power(w);
		check_replaces(w);
	}
	if (w->power.crashed) {
		world_lose_power(w);
		check_replaces(w);
	}
	w->power.crash_in = 0;
}

static void
step(struct world *w)
{
	static const enum sim_fault faults[] = {SIM_FAULT_WRITE, SIM_FAULT_SHORT,
						SIM_FAULT_SYNC, SIM_FAULT_DIR};
	bool faulty = rng_once_in(&w->power.rng, 8);

	if (w->power.crash_in == 0 && rng_once_in(&w->power.rng, 8))
		w->power.crash_in = 1 + rng_below(&w->power.rng, 25);
	else if (faulty && w->power.crash_in == 0) {
		w->power.disk->fault =
		    faults[rng_below(&w->power.rng, N_ELEMS(faults))];
		w->power.disk->fault_in = rng_below(&w->power.rng, 6);
		w->power.disk->fault_code =
		    rng_once_in(&w->power.rng, 2) ? ENOSPC : EIO;
	}
	faulty = faulty && w->power.crash_in == 0;
	ops[rng_below(&w->power.rng, N_ELEMS(ops))](w, faulty);

	if (w->power.crashed) {
		world_lose_power(w);
		check_replaces(w);
		crash_again(w);
		check_all(w);
		return;
	}
	w->power.disk->fault = SIM_FAULT_NONE;
	if (rng_once_in(&w->power.rng, 15)) { /* killed */
		w->power.crash_in = 0;
		world_close(w);
		world_open(w);
		check_replaces(w);
		check_all(w);
	}
}

static void
round_begin(uint64_t seed, struct world *w)
{
	memset(w, 0, sizeof(*w));
	power_init(&w->power, seed);
	w->now_us = NOW;
	world_open(w);
}

static void
round_end(struct world *w)
{
	world_close(w);
	power_release(&w->power);
}

static void
round_run(uint64_t seed, struct world *w)
{
	round_begin(seed, w);
	w->same_boot = seed % 2 == 0;
	for (int i = 0; i < STEPS && w->power.disk->n_files < SIMDISK_FILES - 40; i++)
		step(w);
	w->power.crash_in = 0;
	check_all(w);
	round_end(w);
}

/* Told when a round fails, so that SEED= finds it again. */
static uint64_t running;

static void
seed_tell(void)
{
	fprintf(stderr, "last SEED=%llu ROUNDS=1\n", (unsigned long long)running);
}

static void
test_durable_mail_is_there_once_after_any_crash(void **state)
{
	uint64_t seed = power_number("SEED", 1), rounds = power_number("ROUNDS", 200);
	struct world *w = memory_new(1, sizeof(*w));
	unsigned crashes = 0, faults = 0, restored = 0;

	(void)state;
	atexit(seed_tell);
	for (uint64_t i = 0; i < rounds; i++) {
		running = seed + i;
		round_run(seed + i, w);
		crashes += w->power.crashes;
		faults += w->faults;
		restored += w->restored;
	}
	print_message(
	    "%u power losses, %u faults, %u messages that were not replaced\n", crashes,
	    faults, restored);
	free(w);
}

/* The first begins a new journal, the second may be the first sync of that. */
static void
two_syncs_fail(struct world *w, size_t first_in, size_t second_in)
{
	const size_t fault_in[] = {first_in, second_in};

	round_begin(1, w);
	(void)deliver_one(w, w->n_jobs++, false);
	op_sync(w, false);
	(void)deliver_one(w, w->n_jobs++, false);
	for (int i = 0; i < 2; i++) {
		w->power.disk->fault = SIM_FAULT_SYNC;
		w->power.disk->fault_in = fault_in[i];
		w->power.disk->fault_code = EIO;
		op_sync(w, true);
	}
	w->power.disk->fault = SIM_FAULT_NONE;
	check_all(w);
	simdisk_power_loss(w->power.disk, &w->power.disks[1], &w->power.rng);
	world_lose_power(w);
	check_all(w);
	round_end(w);
}

static void
test_what_is_durable_at_last_stays_after_syncs_that_failed(void **state)
{
	struct world *w = memory_new(1, sizeof(*w));

	(void)state;
	for (size_t first_in = 0; first_in < 8; first_in++)
		for (size_t second_in = 0; second_in < 8; second_in++)
			two_syncs_fail(w, first_in, second_in);
	free(w);
}

/* --- a sector that cannot be read ----------------------------------------- */

#define SECTOR_AT UINT64_C(16384) /* of data.1 */

struct lost {
	uint32_t uids[64];
	size_t n;
};

static void
note_lost(void *context, const struct store_finding *finding)
{
	struct lost *lost = context;

	if (finding->what != STORE_DAMAGE_CONTENT)
		return;
	assert_true(lost->n < N_ELEMS(lost->uids));
	lost->uids[lost->n++] = finding->uid;
}

/* Those of which a byte stands in the sector. */
static void
lost_find(struct world *w, struct lost *lost)
{
	const struct store_record *r = store_first(w->account, STORE_INBOX);

	lost->n = 0;
	for (; r; r = store_next(w->account, r)) {
		uint64_t end = r->data_offset +
			       log_frame_bytes(DATA_HEAD_BYTES + r->content_bytes);

		if (r->data_number == 1 && r->data_offset < SECTOR_AT + 4096 &&
		    end > SECTOR_AT)
			lost->uids[lost->n++] = r->uid;
	}
}

static bool
lost_has(const struct lost *lost, uint32_t uid)
{
	for (size_t i = 0; i < lost->n; i++)
		if (lost->uids[i] == uid)
			return true;
	return false;
}

static void
lost_compare(const struct lost *a, const struct lost *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_true(lost_has(b, a->uids[i]));
}

static void
check_readable(struct world *w, const struct lost *but)
{
	const struct store_record *r = store_first(w->account, STORE_INBOX);
	struct store_content *content;

	for (; r; r = store_next(w->account, r)) {
		bool good = store_content_open(w->account, STORE_INBOX, r->uid,
					       &content, &w->err) == STORE_OK;

		assert_true(good == !lost_has(but, r->uid));
		if (good)
			store_content_close(&content);
	}
}

/* All else is carried over; what could not be read is named, here and by a verify, and
 * still there should the disk read it again. */
static void
test_a_compaction_leaves_what_the_disk_cannot_read(void **state)
{
	static const struct store_range first = {1, 1};
	struct lost want = {0}, got = {0}, none = {0};
	struct world *w = memory_new(1, sizeof(*w));
	struct store_compaction done;
	uint64_t n;

	(void)state;
	round_begin(1, w);
	while (w->n_jobs < 100)
		assert_true(deliver_one(w, w->n_jobs++, false));
	op_sync(w, false);
	assert_int_equal(store_view_refresh(w->account, &w->err), STORE_OK);
	lost_find(w, &want);
	assert_true(want.n >= 2);
	assert_int_equal(store_expunge(w->account, STORE_INBOX,
				       (struct store_uids){&first, 1}, w->now_us, &n,
				       NULL, &w->err),
			 STORE_OK);
	w->power.disk->fault = SIM_FAULT_READ;
	w->power.disk->fault_code = EIO;
	w->power.disk->fault_offset = SECTOR_AT;
	w->power.disk->fault_name = "data.1";
	w->now_us += 5 * 1000000;
	assert_int_equal(
	    store_compact(w->account, 0, w->now_us, note_lost, &got, &done, &w->err),
	    STORE_OK);
	assert_int_equal(done.messages_dropped, 1);
	assert_int_equal(done.messages_left, want.n);
	lost_compare(&got, &want);
	assert_int_equal(store_view_refresh(w->account, &w->err), STORE_OK);
	assert_true(store_find(w->account, STORE_INBOX, 2)->data_number > 1);
	assert_int_equal(store_find(w->account, STORE_INBOX, want.uids[0])->data_number,
			 1);
	check_readable(w, &want);
	got.n = 0;
	assert_int_equal(store_verify(w->account, note_lost, &got, &n, &w->err),
			 STORE_OK);
	lost_compare(&got, &want);
	w->power.disk->fault = SIM_FAULT_NONE;
	check_readable(w, &none);
	round_end(w);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_what_is_durable_at_last_stays_after_syncs_that_failed),
	    cmocka_unit_test(test_durable_mail_is_there_once_after_any_crash),
	    cmocka_unit_test(test_a_compaction_leaves_what_the_disk_cannot_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
