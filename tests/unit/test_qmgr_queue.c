/* tests/unit/test_qmgr_queue.c - the queue against a model of the world around it
 *
 * Random events, crashes among them, by seed (SEED=n repeats a run).
 */
#include "tests/unit/queue_world.h"

static uint64_t
seed_get(void)
{
	const char *text = getenv("SEED");
	uint64_t seed = 1;

	if (text && number_parse(span_str(text), UINT64_MAX, &seed))
		return seed;
	return 20260101;
}

/* --- what the queue wants ------------------------------------------------- */

static void
notes_take(struct world *w)
{
	buf_put(&w->notes, buf_span(&w->q->notes));
	buf_reset(&w->q->notes);
	queue_events_clear(w->q);
}

static void
load_one(struct world *w)
{
	struct buf bytes = buf_make(65536);
	struct queue_load load;
	struct letter *l;

	if (!queue_next_load(w->q, w->now_s, &load))
		return;
	l = &w->letters[load.id - 1];
	assert_true(l->on_disk);
	letter_envelope(l, &bytes);
	queue_loaded(w->q, load.ref, l->id * 1000000, span_dup(buf_span(&bytes)),
		     w->now_s);
	buf_release(&bytes);
}

static void
job_one(struct world *w)
{
	uint32_t instance = (uint32_t)world_roll(w, INSTANCES);
	struct queue_job job;
	struct told *t;

	if (!queue_next_job(w->q, instance, &job))
		return;
	assert_true(w->up[instance]);
	t = &w->letters[job.id - 1].targets[job.ordinal];
	assert_int_equal(job.account, w->letters[job.id - 1].accounts[job.ordinal]);
	assert_false(t->out);
	assert_false(w->letters[job.id - 1].removed);
	if (t->got != GOT_NOTHING)
		assert_true(job.replay);
	t->out = true;
	t->remote = false;
	t->job = job.job;
	t->instance = instance;
}

/* A transaction: every recipient of it is out. */
static void
relay_one(struct world *w)
{
	uint32_t instance = (uint32_t)world_roll(w, INSTANCES);
	struct relay_recipient r;
	struct queue_relay relay;
	struct letter *l;

	if (!queue_next_relay(w->q, instance, w->now_s, &relay))
		return;
	assert_true(w->remote_up[instance]);
	l = &w->letters[relay.id - 1];
	assert_false(l->removed);
	for (struct cursor c = cursor_make(relay.recipients);
	     relay_recipient_next(&c, &r);) {
		struct told *t = &l->targets[r.ordinal];

		assert_true(l->accounts[r.ordinal] >= REMOTE_FROM);
		assert_false(t->out);
		if (t->got != GOT_NOTHING)
			assert_true(relay.replay);
		t->job = relay.job;
		t->out = t->remote = true;
		t->instance = instance;
	}
}

static struct told *
out_pick(struct world *w, struct letter **whose)
{
	for (unsigned tries = 0; tries < 20 && w->n_letters > 0; tries++) {
		struct letter *l = &w->letters[world_roll(w, w->n_letters)];

		for (unsigned i = 0; i < l->n_targets; i++)
			if (l->targets[i].out) {
				*whose = l;
				return &l->targets[i];
			}
	}
	return NULL;
}

/* What one recipient of a transaction gets; false: no word of it in this answer. */
static bool
relay_roll(struct world *w, struct told *t, struct relay_result *r)
{
	if (world_roll(w, 6) == 0)
		return false;
	r->outcome = world_roll(w, 6) ? DELIVERY_DONE : (uint8_t)world_roll(w, 3);
	t->out = false;
	t->failed |= r->outcome == DELIVERY_FAILED;
	if (r->outcome == DELIVERY_DONE)
		t->got = GOT_MAIL;
	return true;
}

static bool
is_of(const struct told *t, uint64_t job)
{
	return t->out && t->remote && t->job == job;
}

/* An answer of remote: results for some, and perhaps the end, which leaves those
 * without a result as they were. */
static void
relayed_one(struct world *w, struct letter *l, const struct told *one)
{
	struct ipc_relayed answer = {.job = one->job, .connection = RELAY_TALKED};
	uint32_t instance = one->instance, left = 0;
	struct buf results = buf_make(65536);

	if (world_roll(w, 4) == 0)
		answer.connection = (uint8_t)world_roll(w, 4);
	for (unsigned i = 0; i < l->n_targets; i++) {
		struct relay_result r = {.ordinal = i, .text = SPAN("no")};

		if (!is_of(&l->targets[i], answer.job))
			continue;
		if (relay_roll(w, &l->targets[i], &r))
			relay_result_put(&results, &r);
		else
			left++;
	}
	answer.last = left == 0 || world_roll(w, 2);
	for (unsigned i = 0; i < l->n_targets && answer.last; i++)
		if (is_of(&l->targets[i], answer.job))
			l->targets[i].out = false;
	answer.results = buf_span(&results);
	assert_true(queue_relayed(w->q, instance, &answer, w->now_s));
	if (answer.last)
		assert_false(queue_relayed(w->q, instance, &answer, w->now_s));
	buf_release(&results);
}

static void
answer_one(struct world *w)
{
	struct letter *l;
	struct told *t = out_pick(w, &l);
	enum delivery_outcome outcome = DELIVERY_DONE;

	if (!t)
		return;
	if (t->remote) {
		relayed_one(w, l, t);
		return;
	}
	if (world_roll(w, 10) == 0)
		outcome = world_roll(w, 2) ? DELIVERY_FAILED : DELIVERY_DEFERRED;
	t->out = false;
	t->failed |= outcome == DELIVERY_FAILED;
	if (outcome == DELIVERY_DONE)
		t->got = GOT_MAIL;
	else if (outcome == DELIVERY_DEFERRED && t->got == GOT_NOTHING)
		t->got = GOT_MAYBE; /* appended, then the sync failed */
	assert_true(
	    queue_delivered(w->q, t->instance, t->job, outcome, SPAN("no"), w->now_s));
	assert_false(
	    queue_delivered(w->q, t->instance, t->job, outcome, SPAN("no"), w->now_s));
}

/* --- reports -------------------------------------------------------------- */

static void
report_one(struct world *w)
{
	struct queue_report r;

	if (w->report_out || !queue_next_report(w->q, 0, w->now_s, &r))
		return;
	assert_true(w->bounce_up);
	w->report = r;
	w->report.request = span_make(span_dup(r.request), r.request.n);
	w->report_out = true;
}

static void
report_forget(struct world *w)
{
	if (w->report_out)
		free((char *)(uintptr_t)w->report.request.at);
	w->report_out = false;
}

/* What the report tells of has failed, each once. */
static void
report_told(struct world *w)
{
	struct letter *l = &w->letters[w->report.id - 1];
	struct dsn_request request;
	struct dsn_row row;

	assert_true(dsn_request_parse(w->report.request, &request));
	for (struct cursor c = cursor_make(request.rows); dsn_row_next(&c, &row);) {
		struct told *t = &l->targets[row.final.at[0] - '0'];

		assert_int_equal(row.action, DSN_FAILED);
		assert_true(t->failed);
		assert_false(t->out);
		if (t->got < GOT_MAIL)
			t->got = GOT_REPORT;
	}
}

static void
report_answered(struct world *w)
{
	bool made = world_roll(w, 4) > 0;

	if (!w->report_out)
		return;
	if (made)
		report_told(w);
	assert_true(queue_reported(w->q, 0, w->report.job,
				   made ? REPORT_MADE : REPORT_LATER, w->now_s));
	assert_false(queue_reported(w->q, 0, w->report.job, REPORT_MADE, w->now_s));
	report_forget(w);
}

/* Its report may have been made, unanswered. */
static void
bounce_flips(struct world *w)
{
	w->bounce_up = !w->bounce_up;
	if (w->bounce_up) {
		queue_instance_up(w->q, JOB_BOUNCE, 0);
		return;
	}
	report_forget(w);
	queue_instance_down(w->q, JOB_BOUNCE, 0, w->now_s);
}

/* --- crashes -------------------------------------------------------------- */

/* An instance dies: some of what it held had reached the mailbox, unanswered. */
static void
outs_lost(struct world *w, bool remote, uint32_t instance)
{
	for (size_t i = 0; i < w->n_letters; i++)
		for (unsigned k = 0; k < w->letters[i].n_targets; k++) {
			struct told *t = &w->letters[i].targets[k];

			if (!t->out || t->remote != remote || t->instance != instance)
				continue;
			t->out = false;
			if (t->got == GOT_NOTHING)
				t->got = GOT_MAYBE;
		}
}

static void
instance_flips(struct world *w)
{
	uint32_t i = (uint32_t)world_roll(w, INSTANCES);

	w->up[i] = !w->up[i];
	if (w->up[i]) {
		queue_instance_up(w->q, JOB_LOCAL, i);
		return;
	}
	outs_lost(w, false, i);
	queue_instance_down(w->q, JOB_LOCAL, i, w->now_s);
}

static void
remote_flips(struct world *w)
{
	uint32_t i = (uint32_t)world_roll(w, INSTANCES);

	w->remote_up[i] = !w->remote_up[i];
	if (w->remote_up[i]) {
		queue_instance_up(w->q, JOB_REMOTE, i);
		return;
	}
	outs_lost(w, true, i);
	queue_instance_down(w->q, JOB_REMOTE, i, w->now_s);
}

static void
notes_read(struct world *w)
{
	struct span all = span_first(buf_span(&w->notes), w->durable);
	struct cursor c = cursor_make(span_after(all, w->snapshot_at));
	bool partial = false; /* in a snapshot whose end never came */
	struct note n;

	for (;;) {
		size_t at = all.n - c.rest.n;

		if (!note_next(&c, &n))
			break;
		if (n.kind == NOTE_SNAPSHOT)
			partial = at > w->snapshot_at;
		if (partial && (n.kind == NOTE_SNAPSHOT || n.kind == NOTE_SEGMENT))
			continue;
		queue_restore(w->q, &n, w->now_s);
	}
	assert_true(cursor_done(&c));
}

static void
search(struct world *w, const struct letter *l, unsigned origin)
{
	if (l->on_disk && !w->freed[l->place.segment])
		queue_add(w->q, l->id, &l->place, QUEUE_FOUND | origin, w->now_s);
}

/* All places in the order of the segments, as a search would find them. */
static void
segments_search(struct world *w)
{
	for (uint32_t segment = 1; segment <= w->segment; segment++) {
		uint64_t end = 1024;

		for (size_t i = 0; i < w->n_letters; i++)
			if (w->letters[i].place.segment == segment)
				search(w, &w->letters[i], 0);
		for (size_t i = 0; i < w->n_copies; i++)
			if (w->copies[i].place.segment == segment)
				search(w, &w->copies[i], QUEUE_MOVED);
		if (segment == w->segment)
			end = w->offset;
		if (!w->freed[segment])
			queue_segment_known(w->q, segment,
					    segment == w->segment ? end : 1 << 30,
					    w->now_s);
	}
}

/* qmgr dies: what was not durable of its notes is gone (or, when only the process
 * died, still there). */
static void
qmgr_crashes(struct world *w)
{
	notes_take(w);
	if (world_roll(w, 2))
		w->durable = w->notes.n;
	w->notes.n = w->durable;
	w->n_free = 0;
	for (uint32_t i = 0; i < INSTANCES; i++) {
		outs_lost(w, false, i);
		outs_lost(w, true, i);
	}
	report_forget(w);
	queue_free(&w->q);
	w->q = world_queue(w->random);
	notes_read(w);
	queue_set_current(w->q, w->segment);
	segments_search(w);
	queue_restored(w->q);
	for (uint32_t i = 0; i < INSTANCES; i++) {
		if (w->up[i])
			queue_instance_up(w->q, JOB_LOCAL, i);
		if (w->remote_up[i])
			queue_instance_up(w->q, JOB_REMOTE, i);
	}
	if (w->bounce_up)
		queue_instance_up(w->q, JOB_BOUNCE, 0);
	notes_take(w);
	w->snapshot_begun = w->notes.n;
	queue_snapshot_start(w->q);
}

/* --- segments ------------------------------------------------------------- */

static void
move_one(struct world *w)
{
	struct letter *copy = &w->copies[w->n_copies];
	struct place p;
	uint64_t id;

	queue_empty_start(w->q, w->now_s);
	if (w->n_copies == MESSAGES || !queue_next_move(w->q, w->now_s, 10, &id, &p))
		return;
	if (world_roll(w, 4) == 0) {
		queue_move_failed(w->q, id);
		return;
	}
	if (w->in_segment++ == SEGMENT_OF)
		world_segment_next(w);
	*copy = w->letters[id - 1];
	copy->place = world_place(w, p.envelope_bytes);
	copy->moved = true;
	w->n_copies++;
	queue_add(w->q, id, &copy->place, QUEUE_MOVED, w->now_s);
}

static void
free_ask(struct world *w)
{
	uint32_t segment;

	notes_take(w);
	while (queue_next_done(w->q, &segment)) {
		w->wants_free[w->n_free] = segment;
		w->free_from[w->n_free++] = w->notes.n;
	}
}

/* Nothing that is still needed may stand only in what is freed. */
static void
assert_free(struct world *w, uint32_t segment)
{
	assert_true(segment != w->segment);
	w->freed[segment] = true;
	for (size_t i = 0; i < w->n_letters; i++) {
		struct letter *l = &w->letters[i];
		bool there = !w->freed[l->place.segment];

		for (size_t k = 0; k < w->n_copies; k++)
			there |= w->copies[k].id == l->id &&
				 !w->freed[w->copies[k].place.segment];
		if (!there && !letter_finished(l))
			fail_msg("segment %u freed, message %u needed", segment,
				 (unsigned)l->id);
	}
}

static void
sync_notes(struct world *w)
{
	size_t kept = 0;

	notes_take(w);
	w->durable = w->notes.n;
	for (size_t i = 0; i < w->n_free; i++) {
		if (w->free_from[i] <= w->durable) {
			assert_free(w, w->wants_free[i]);
		} else {
			w->wants_free[kept] = w->wants_free[i];
			w->free_from[kept++] = w->free_from[i];
		}
	}
	w->n_free = kept;
}

static void
snapshot_some(struct world *w)
{
	bool writing = w->q->snapshot;

	if (!writing) {
		if (world_roll(w, 20) != 0)
			return;
		notes_take(w);
		w->snapshot_begun = w->notes.n;
		queue_snapshot_start(w->q);
	}
	if (queue_snapshot_step(w->q, 5) && w->q->snapshot == false) {
		sync_notes(w);
		w->snapshot_at = w->snapshot_begun;
	}
}

/* --- the operator --------------------------------------------------------- */

static void
operator_does(struct world *w)
{
	static const enum queue_verb verbs[] = {QUEUE_HOLD, QUEUE_RELEASE, QUEUE_FLUSH,
						QUEUE_REQUEUE};
	uint64_t id = 1 + world_roll(w, w->n_letters + 1);

	(void)queue_command(w->q, id, verbs[world_roll(w, N_ELEMS(verbs))], w->now_s);
}

static void
operator_removes(struct world *w)
{
	uint64_t id = 1 + world_roll(w, w->n_letters + 1);
	const struct entry *e = queue_find(w->q, id);

	if (!e || world_roll(w, 10) != 0 || e->state == ENTRY_WORK)
		return;
	assert_true(queue_command(w->q, id, QUEUE_REMOVE, w->now_s));
	assert_null(queue_find(w->q, id));
	w->letters[id - 1].removed = true;
	sync_notes(w); /* else a crash may bring it back, which is allowed */
}

static const char *const domains[] = {"", "d0.example", "d1.example"};

static void
operator_pauses(struct world *w)
{
	struct span domain = span_str(domains[world_roll(w, N_ELEMS(domains))]);

	if (world_roll(w, 3) == 0)
		(void)queue_pause(w->q, domain, w->now_s);
	else
		(void)queue_resume(w->q, domain);
}

static void
time_passes(struct world *w)
{
	w->now_s += (uint32_t)world_roll(w, 120);
	queue_tick(w->q, w->now_s);
	(void)queue_wake_turn(w->q, 10, w->now_s);
}

static void (*const events[])(struct world *) = {
    letter_arrives,  load_one,         load_one,   job_one,         job_one,
    job_one,         answer_one,       answer_one, answer_one,      instance_flips,
    move_one,        free_ask,         sync_notes, snapshot_some,   operator_does,
    time_passes,     operator_removes, report_one, report_answered, bounce_flips,
    relay_one,       relay_one,        relay_one,  answer_one,      remote_flips,
    operator_pauses,
};

/* Every letter that is not finished is in the queue, and the other way round. */
static void
assert_nothing_lost(struct world *w)
{
	for (size_t i = 0; i < w->n_letters; i++)
		if (!letter_finished(&w->letters[i]) &&
		    !queue_find(w->q, w->letters[i].id))
			fail_msg("message %zu lost", i + 1);
}

static void
all_up(struct world *w)
{
	for (uint32_t i = 0; i < INSTANCES; i++) {
		if (!w->up[i])
			queue_instance_up(w->q, JOB_LOCAL, i);
		if (!w->remote_up[i])
			queue_instance_up(w->q, JOB_REMOTE, i);
		w->up[i] = w->remote_up[i] = true;
	}
	if (!w->bounce_up)
		bounce_flips(w);
	for (size_t i = 0; i < N_ELEMS(domains); i++)
		(void)queue_resume(w->q, span_str(domains[i]));
}

static void
assert_empty(const struct queue *q)
{
	assert_int_equal(q->n_jobs, 0);
	assert_int_equal(q->heap.n, 0);
	assert_int_equal(q->n_held, 0);
	assert_int_equal(q->entries.n_used, 0);
	assert_int_equal(q->destinations.n_parked_messages, 0);
	assert_int_equal(q->destinations.flows.n_used, 0);
	assert_int_equal(q->destinations.n_used, 0);
	assert_int_equal(q->destinations.n_dead, 0);
	assert_int_equal(q->words.n_used, 0);
}

/* All processes come up, all is released: everything is delivered. */
static void
run_out(struct world *w)
{
	all_up(w);
	for (unsigned n = 0; n < 200000 && w->q->ids.n > 0; n++) {
		const struct entry *e = queue_walk(w->q, world_roll(w, w->n_letters));

		load_one(w);
		job_one(w);
		relay_one(w);
		answer_one(w);
		report_one(w);
		report_answered(w);
		if (e)
			(void)queue_command(w->q, e->id, QUEUE_RELEASE, w->now_s);
		w->now_s += 10;
		time_passes(w);
		notes_take(w);
	}
	assert_int_equal(w->q->ids.n, 0);
	for (size_t i = 0; i < w->n_letters; i++)
		assert_true(letter_finished(&w->letters[i]));
	for (unsigned i = 0; i < 4; i++)
		queue_tick(w->q, w->now_s += DESTINATION_IDLE_S);
	while (queue_wake_turn(w->q, 1, w->now_s))
		;
	assert_empty(w->q);
}

static void
world_run(uint64_t seed)
{
	struct world *w = memory_new(1, sizeof(*w));

	w->random = seed * 0x9e3779b97f4a7c15u | 1;
	w->now_s = 1000000;
	w->notes = buf_make(1u << 30);
	w->q = world_queue(seed);
	w->snapshot_begun = 0;
	queue_snapshot_start(w->q);
	assert_true(queue_snapshot_step(w->q, 1));
	world_segment_next(w);
	sync_notes(w);
	for (unsigned i = 0; i < STEPS; i++) {
		events[world_roll(w, N_ELEMS(events))](w);
		if (world_roll(w, 200) == 0)
			qmgr_crashes(w);
		if (i % 100 == 0)
			assert_nothing_lost(w);
	}
	run_out(w);
	queue_free(&w->q);
	buf_release(&w->notes);
	free(w);
}

static void
test_queue_keeps_its_promise_over_random_events(void **state)
{
	(void)state;
	uint64_t seed = seed_get();

	for (uint64_t i = 0; i < ROUNDS; i++) {
		print_message("SEED=%llu\n", (unsigned long long)(seed + i));
		world_run(seed + i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_queue_keeps_its_promise_over_random_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
