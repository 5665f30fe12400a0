/* tests/unit/test_qmgr_state.c - the files of the state log: how large, which count;
 * and the search for messages
 *
 * In a temporary directory; jobs run when the test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmgr/qmgr.h"

#include "tests/unit/queue_fixture.h"

struct fixture {
	char path[64];
	int spool_fd;
	struct event_base *base;
	struct proc_job *jobs[16];
	size_t n_jobs;
	struct qmgr qmgr;
};

static struct fixture *f;

/* --- what stands around it ------------------------------------------------ */

uint32_t
qmgr_now_s(void)
{
	return 1000;
}

void
qmgr_again(struct qmgr *m)
{
	(void)m;
}

void
segment_fd_drop(struct qmgr *m, uint32_t number)
{
	(void)m;
	(void)number;
}

struct event_base *
proc_base(struct proc *p)
{
	(void)p;
	return f->base;
}

struct ipc_peer *
proc_peer(struct proc *p, enum ipc_kind kind, uint32_t instance)
{
	(void)p;
	(void)kind;
	(void)instance;
	return NULL;
}

bool
proc_work(struct proc *p, struct proc_job *job)
{
	(void)p;
	assert_true(f->n_jobs < N_ELEMS(f->jobs));
	f->jobs[f->n_jobs++] = job;
	return true;
}

static void
jobs_run(void)
{
	while (f->n_jobs > 0) {
		struct proc_job *job = f->jobs[0];

		memmove(f->jobs, f->jobs + 1, --f->n_jobs * sizeof(job));
		job->work(job);
		job->done(job);
	}
}

/* Turns of the loop, each of which may be the one at which a sync is due. */
static void
turns(size_t n)
{
	struct state *s = &f->qmgr.state;

	while (n-- > 0) {
		state_turn(&f->qmgr);
		event_active(s->sync_timer, EV_TIMEOUT, 0);
		event_base_loop(f->base, EVLOOP_NONBLOCK);
		jobs_run();
	}
}

static void
qmgr_start(void)
{
	struct qmgr *m = &f->qmgr;
	struct err err;

	*m = (struct qmgr){.queue = queue_make()};
	m->seg_fd = openat(f->spool_fd, "seg", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m->seg = (struct log_dir){&log_io_real, m->seg_fd, "", SPOOL_SEGMENT_KIND};
	assert_int_equal(state_start(m, f->spool_fd, &err), 0);
}

static void
qmgr_end(void)
{
	struct state *s = &f->qmgr.state;

	jobs_run();
	queue_free(&f->qmgr.queue);
	if (s->open)
		log_file_close(&s->file);
	log_numbers_release(&s->old);
	event_free(s->sync_timer);
	free(s->waits);
	free(f->qmgr.search.open);
	free(f->qmgr.search.held);
	close(s->dir_fd);
	close(f->qmgr.seg_fd);
}

static int
setup(void **state)
{
	f = memory_new(1, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "/tmp/test_qmgr_state.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->spool_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->base = event_base_new();
	*state = f;
	return mkdirat(f->spool_fd, "seg", 0700) || mkdirat(f->spool_fd, "state", 0700);
}

static int
teardown(void **state)
{
	struct log_dir dir = {&log_io_real, -1, "", SPOOL_STATE_KIND};
	struct log_numbers numbers = {0};
	struct err err;

	(void)state;
	dir.fd = openat(f->spool_fd, "state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log_dir_list(&dir, &numbers, &err) != 0)
		return -1;
	for (size_t i = 0; i < numbers.n; i++)
		if (log_dir_remove(&dir, numbers.at[i], &err) != 0)
			return -1;
	log_numbers_release(&numbers);
	close(dir.fd);
	unlinkat(f->spool_fd, "state", AT_REMOVEDIR);
	unlinkat(f->spool_fd, "seg", AT_REMOVEDIR);
	close(f->spool_fd);
	rmdir(f->path);
	event_base_free(f->base);
	free(f);
	return 0;
}

/* --- files by hand -------------------------------------------------------- */

static const struct note snapshot = {.kind = NOTE_SNAPSHOT},
			 end = {.kind = NOTE_SNAPSHOT_END},
			 segment = {
			     .kind = NOTE_SEGMENT, .segment = 7, .known_end = 90000};

static struct note
message(uint64_t id)
{
	return (struct note){
	    .kind = NOTE_MESSAGE,
	    .id = id,
	    .place = {.offset = 1024 * id,
		      .content_bytes = 9,
		      .envelope_bytes = 8,
		      .segment = 7},
	    .due_s = 5000,
	    .n_targets = 1
        };
}

/* A record for each note, synced after each; *second is where the second stands. */
static void
file_write_notes(uint64_t number, const struct note *notes, size_t n, uint64_t *second)
{
	struct log_dir dir = {&log_io_real, -1, "", SPOOL_STATE_KIND};
	struct buf bytes = buf_make(4096);
	struct log_writer w;
	struct log_file file;
	uint64_t at;
	struct err err;

	dir.fd = openat(f->spool_fd, "state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(log_dir_create(&dir, number, 1 << 20, &file, &err), 0);
	log_writer_init(&w, &file, LOG_HEADER_BYTES, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		struct span record;

		buf_reset(&bytes);
		note_put(&bytes, &notes[i]);
		record = buf_span(&bytes);
		assert_int_equal(log_append(&w, STATE_NOTES, &record, 1, &at, &err),
				 LOG_OK);
		assert_int_equal(log_sync(&w, &err), LOG_OK);
		if (i == 1)
			*second = at;
	}
	log_file_close(&file);
	buf_release(&bytes);
	close(dir.fd);
}

static void
file_damage(uint64_t number, uint64_t offset)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "state/%llu", (unsigned long long)number);
	fd = openat(f->spool_fd, name, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "?", 1, (off_t)(offset + LOG_HEAD_BYTES)), 1);
	close(fd);
}

/* --- the tests ------------------------------------------------------------ */

/* Whatever the messages need, at last there is a file that holds them all. */
static void
test_snapshot_that_does_not_fit_gets_a_larger_file(void **state)
{
	(void)state;
	struct queue *q;
	char reason[WORD_BYTES_MAX];

	memset(reason, 'x', sizeof(reason));
	qmgr_start();
	q = f->qmgr.queue;
	for (uint64_t id = 1; id <= 30000; id++) {
		struct note n = message(id);

		n.reason = span_make(reason, sizeof(reason));
		queue_restore(q, &n, 1000);
	}
	state_begin(&f->qmgr);
	turns(400);
	assert_true(f->qmgr.state.snapshot_end != 0);
	assert_true(f->qmgr.state.durable >= f->qmgr.state.snapshot_end);
	assert_int_equal(f->qmgr.state.old.n, 0);
	qmgr_end();
	qmgr_start();
	assert_int_equal(f->qmgr.queue->ids.n, 30000);
	assert_false(f->qmgr.queue->doubt);
	qmgr_end();
}

/* What did not fit the file before goes first into the next one: the end of its
 * snapshot, too, which then says nothing of that file's own. */
static void
test_end_of_a_former_snapshot_completes_no_other(void **state)
{
	(void)state;
	const struct note first[] = {snapshot, segment, message(5), message(6), end},
			  second[] = {end, snapshot, segment, message(5)},
			  third[] = {end};
	uint64_t at;

	file_write_notes(1, first, N_ELEMS(first), &at);
	file_write_notes(2, second, N_ELEMS(second), &at);
	file_write_notes(3, third, N_ELEMS(third), &at);
	qmgr_start();
	assert_non_null(queue_find(f->qmgr.queue, 5));
	assert_non_null(queue_find(f->qmgr.queue, 6));
	assert_int_equal(queue_segment_end(f->qmgr.queue, 7), 90000);
	assert_false(f->qmgr.queue->doubt);
	qmgr_end();
}

/* The message whose note is lost is found where it stands, or where its copy does. */
static void
test_damaged_notes_lose_no_message(void **state)
{
	(void)state;
	const struct note all[] = {
	    snapshot,   message(5), segment,
	    message(6), end,        {.kind = NOTE_DONE, .id = 4}
        };
	const struct place lost = message(5).place, done = message(4).place;
	struct place copy = message(8).place;
	struct queue *q;
	uint64_t second;

	copy.segment = 9;
	file_write_notes(1, all, N_ELEMS(all), &second);
	file_damage(1, second);
	qmgr_start();
	q = f->qmgr.queue;
	assert_null(queue_find(q, 5));
	assert_non_null(queue_find(q, 6));
	assert_int_equal(queue_segment_end(q, 7), 0);
	assert_true(queue_add(q, 5, &lost, QUEUE_FOUND, 1000));
	assert_true(queue_find(q, 5)->flags & ENTRY_REPLAY);
	assert_true(queue_add(q, 8, &copy, QUEUE_FOUND | QUEUE_MOVED, 1000));
	assert_false(queue_add(q, 4, &done, QUEUE_FOUND, 1000));
	queue_restored(q);
	copy.offset += 1024;
	assert_false(queue_add(q, 9, &copy, QUEUE_FOUND | QUEUE_MOVED, 1000));
	qmgr_end();
}

/* --- the search ----------------------------------------------------------- */

static int
no_list(void *disk, int dir, log_io_name *each, void *context)
{
	(void)disk;
	(void)dir;
	(void)each;
	(void)context;
	errno = EMFILE;
	return -1;
}

/* The headers can be read. */
static ssize_t
no_pread(void *disk, int fd, void *at, size_t n, uint64_t offset)
{
	if (offset + n <= LOG_HEADER_BYTES)
		return log_io_real.pread(disk, fd, at, n, offset);
	errno = EIO;
	return -1;
}

/* Of n messages, the first of that id; returns where the last one stands. */
static uint64_t
segment_write(uint32_t number, uint64_t id, size_t n)
{
	struct spool_head head = {.id = id, .envelope_bytes = 8};
	struct log_dir dir = {&log_io_real, f->qmgr.seg_fd, "", SPOOL_SEGMENT_KIND};
	char bytes[SPOOL_HEAD_BYTES + 17] = {0};
	struct span record = span_make(bytes, sizeof(bytes));
	struct log_writer w;
	struct log_file file;
	uint64_t at = 0;
	struct err err;

	assert_int_equal(log_dir_create(&dir, number, 0, &file, &err), 0);
	log_writer_init(&w, &file, LOG_HEADER_BYTES, LOG_FILE_MAX);
	for (; n > 0; n--, head.id++) {
		spool_head_put(&head, bytes);
		assert_int_equal(log_append(&w, SPOOL_MESSAGE, &record, 1, &at, &err),
				 LOG_OK);
	}
	log_file_close(&file);
	return at;
}

static void
segment_remove(uint32_t number)
{
	struct log_dir dir = {&log_io_real, f->qmgr.seg_fd, "", SPOOL_SEGMENT_KIND};
	struct err err;

	assert_int_equal(log_dir_remove(&dir, number, &err), 0);
}

static void
search_begin(const struct log_io *io)
{
	const struct ipc_queue_state all = {.next = 8};

	qmgr_start();
	(void)segment_write(7, 5, 1);
	f->qmgr.seg.io = io;
	f->qmgr.search.first = f->qmgr.spoold_fresh = true;
	search_state(&f->qmgr, &all);
	jobs_run();
}

static void
test_search_that_could_list_nothing_is_made_again(void **state)
{
	(void)state;
	struct log_io io = log_io_real;
	struct search *s = &f->qmgr.search;

	io.list = no_list;
	search_begin(&io);
	search_second(&f->qmgr);
	jobs_run();
	assert_true(s->running && s->first);
	io.list = log_io_real.list;
	search_second(&f->qmgr);
	jobs_run();
	assert_false(s->running || s->failed || s->first);
	assert_non_null(queue_find(f->qmgr.queue, 5));
	segment_remove(7);
	qmgr_end();
}

/* What it could not read may be read another time: it is not freed. */
static void
test_segment_that_cannot_be_read_is_pinned(void **state)
{
	(void)state;
	struct log_io io = log_io_real;
	const struct queue_segment *s;

	io.pread = no_pread;
	search_begin(&io);
	s = segment_find(&f->qmgr.queue->segments, 7);
	assert_non_null(s);
	assert_int_equal(s->use, SEGMENT_PINNED);
	segment_remove(7);
	qmgr_end();
}

static const struct synced_row {
	const char *name;
	uint32_t segment, next; /* as spoold says */
	bool open;          /* segment 7 is among those of which nothing is synced */
	bool first, second; /* are its messages found? */
} synced_rows[] = {
    {"complete",           0, 8, false, true,  true },
    {"another is written", 9, 8, false, true,  true },
    {"it is written",      7, 8, false, true,  false},
    {"not complete",       0, 8, true,  false, false},
    {"begun since",        0, 7, false, false, false},
};

/* A message that stands there, but was not synced when spoold came: its client was told
 * nothing. It is in the queue when spoold tells of it. */
static void
test_search_finds_only_what_is_synced(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(synced_rows); i++) {
		const struct synced_row *row = &synced_rows[i];
		struct ipc_queue_add late = {.segment = 7, .envelope_bytes = 8};
		struct ipc_queue_state told = {.segment = row->segment,
					       .next = row->next};
		struct buf open = buf_make(8);
		struct queue *q;

		wire_put_u32(&open, 3);
		wire_put_u32(&open, row->open ? 7 : 4);
		qmgr_start();
		q = f->qmgr.queue;
		told.offset = segment_write(7, 5, 2);
		told.open = buf_span(&open);
		f->qmgr.search.first = f->qmgr.spoold_fresh = true;
		search_state(&f->qmgr, &told);
		late.content_bytes = 9;
		late.id = row->first ? 6 : 5;
		late.offset = row->first ? told.offset : LOG_HEADER_BYTES;
		search_add(&f->qmgr, &late); /* waits for the end of the search */
		jobs_run();
		if (f->qmgr.search.running ||
		    f->qmgr.search.n_found != (uint64_t)row->first + row->second ||
		    !queue_find(q, late.id) ||
		    !(queue_find(q, late.id)->flags & ENTRY_REPLAY) == row->second)
			fail_msg("%s", row->name);
		assert_true(segment_find(&q->segments, 7)->use != SEGMENT_PINNED);
		segment_remove(7);
		qmgr_end();
		buf_release(&open);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_snapshot_that_does_not_fit_gets_a_larger_file),
	    TEST(test_end_of_a_former_snapshot_completes_no_other),
	    TEST(test_damaged_notes_lose_no_message),
	    TEST(test_search_that_could_list_nothing_is_made_again),
	    TEST(test_segment_that_cannot_be_read_is_pinned),
	    TEST(test_search_finds_only_what_is_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
