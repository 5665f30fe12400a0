/* tests/unit/test_log_crash.c - the log on a disk that tears, drops and reorders
 *
 * A random workload runs on a simulated disk. After every call that changes the
 * disk, several power losses are tried on copies: each copy is recovered and read
 * and must hold, in every file, exactly the first n records ever put there, n
 * being no less than what a sync had covered. Some copies live on: they append,
 * lose power again, and are looked at again. The workload itself is killed, loses
 * power, and meets failing writes and syncs.
 *
 * SEED= and STATES= from the environment; both are printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "common/log/log.h"
#include "tests/unit/simdisk.h"

#define STATES_DEFAULT 1000000
#define SAMPLES        6  /* power losses after each change */
#define STEPS          24 /* of a workload */
#define NOTES          48 /* records in a file */
#define SEGMENT_BYTES  4096
#define POOL_BYTES     (256u << 10)
#define KIND           0x746573u

struct note {
	uint64_t offset;
	struct span payload;
	uint16_t kind;
};

enum known {
	KNOWN_NOT, /* being made or unmade: there, not there, not ready */
	KNOWN_READY,
	KNOWN_GONE,
};

struct file_model {
	uint64_t number;
	enum log_shape shape;
	enum known known;
	struct note notes[NOTES];
	size_t n;
	size_t acked; /* of these, a sync has covered so many */
	bool retired; /* nothing is appended any more */
};

struct model {
	struct file_model files[SIMDISK_FILES + 4];
	size_t n;
};

struct world {
	struct simdisk disk;
	struct log_io io;
	struct log_dir dir;
	struct model model;
};

static struct {
	uint64_t seed; /* of this workload */
	struct rng rng;
	uint64_t states, states_max, acked, torn;
	uint64_t faults; /* injected, not yet met in recovery */
	struct world main, copy, later;
	char pool[POOL_BYTES]; /* all payloads of a workload */
	size_t pool_n;
	struct log_writer writer;
	struct file_model *writing;
	struct log_file file;
} t;

#define CHECK(x) ((x) ? (void)0 : check_failed(#x, __LINE__))

static void
check_failed(const char *what, int line)
{
	fail_msg("SEED=%llu STATES=1: %s (line %d)", (unsigned long long)t.seed, what,
		 line);
}

static void
world_init(struct world *w, uint64_t seed)
{
	simdisk_init(&w->disk, seed);
	w->io = simdisk_io(&w->disk);
	w->dir = (struct log_dir){&w->io, SIMDISK_DIR, "f.", KIND};
	w->model.n = 0;
}

/* --- looking at a disk ---------------------------------------------------- */

static void
check_record(const struct note *note, const struct log_record *record)
{
	CHECK(record->offset == note->offset);
	CHECK(record->kind == note->kind);
	CHECK(span_equal(record->payload, note->payload));
}

static size_t
check_records(const struct file_model *f, const struct log_file *file, uint64_t end)
{
	struct log_record record;
	struct log_reader r;
	enum log_read got;
	struct err err;
	size_t n = 0;

	log_reader_init(&r, file, LOG_HEADER_BYTES, end);
	while ((got = log_reader_next(&r, &record, &err)) == LOG_READ_RECORD) {
		CHECK(n < f->n);
		check_record(&f->notes[n++], &record);
	}
	CHECK(got == LOG_READ_END);
	log_reader_release(&r);
	return n;
}

static void
check_fetch(const struct file_model *f, const struct log_file *file, size_t n)
{
	const struct note *note = &f->notes[rng_below(&t.rng, f->n)];
	struct buf hold = buf_make(4096);
	struct log_record record;
	struct err err;

	if (log_fetch(file, note->offset, rng_below(&t.rng, 600), &hold, &record,
		      &err) == LOG_READ_RECORD)
		check_record(note, &record);
	else
		CHECK(note >= f->notes + n);
	buf_release(&hold);
}

static void
recover_tried(struct world *w, const struct file_model *f, const struct log_file *file,
	      struct log_recovery *was)
{
	const struct note *last = f->acked > 0 ? &f->notes[f->acked - 1] : NULL;
	uint64_t known_synced = 0;
	struct err err;

	if (last && rng_once_in(&t.rng, 3))
		known_synced = last->offset + log_frame_bytes(last->payload.n);
	/* A fault can only be the one that was injected, once. */
	while (log_recover(file, f->shape, known_synced, was, &err) < 0)
		CHECK(w->disk.fault == SIM_FAULT_NONE && t.faults-- > 0);
}

/* Recovers one file and says what is in it; false when it cannot be opened. */
static bool
recover_file(struct world *w, struct file_model *f, struct log_file *file,
	     struct log_recovery *was)
{
	enum log_open opened = LOG_OPEN_FAULT;
	struct err err;

	opened = log_dir_open(&w->dir, f->number, LOG_WRITE, file, &err);
	if (f->known == KNOWN_GONE)
		CHECK(opened == LOG_OPEN_FAULT && err.code == ENOENT);
	if (f->known == KNOWN_READY)
		CHECK(opened == LOG_OPEN_OK);
	/* A header is whole or not there, but on sectors smaller than it. */
	CHECK(opened != LOG_OPEN_DAMAGED || w->disk.sector < 64);
	if (opened != LOG_OPEN_OK)
		return false;
	recover_tried(w, f, file, was);
	CHECK(was->damaged_bytes == 0 && was->records <= f->n);
	CHECK(f->known != KNOWN_READY || was->records >= f->acked);
	CHECK(check_records(f, file, was->end) == was->records);
	return true;
}

/* All files after a crash; what was found is durable from now on. */
static void
recover_world(struct world *w)
{
	struct log_recovery was, again;
	struct log_file file;

	for (size_t i = 0; i < w->model.n; i++) {
		struct file_model *f = &w->model.files[i];

		if (!recover_file(w, f, &file, &was))
			continue;
		if (rng_once_in(&t.rng, 8)) {
			recover_tried(w, f, &file, &again);
			CHECK(again.end == was.end && again.records == was.records);
			CHECK(f->shape == LOG_PREWRITTEN || again.cut_bytes == 0);
		}
		if (f->n > 0 && rng_once_in(&t.rng, 4))
			check_fetch(f, &file, was.records);
		t.torn += f->n - was.records;
		t.acked += was.records;
		f->n = was.records;
		f->acked = f->known == KNOWN_READY ? f->n : 0;
	}
}

/* What a killed program left half made is there, or it is not, from now on. */
static void
settle_world(struct world *w)
{
	struct log_recovery was;
	struct log_file file;

	for (size_t i = 0; i < w->model.n; i++) {
		struct file_model *f = &w->model.files[i];

		if (f->known != KNOWN_NOT || f->shape != LOG_GROWS || f->n > 0)
			continue;
		if (recover_file(w, f, &file, &was))
			f->known = KNOWN_READY;
	}
}

/* --- doing things --------------------------------------------------------- */

static struct span
payload_make(size_t n)
{
	char *at = t.pool + t.pool_n;
	const struct sim_file *f = &t.main.disk.files[0];
	uint64_t word = rng_next(&t.rng);

	CHECK(n <= sizeof(t.pool) - t.pool_n);
	t.pool_n += n;
	for (size_t i = 0; i < n; i++)
		at[i] = (char)(word >> 8 * (i % 8));
	/* Like records, at places where they are none. */
	if (rng_once_in(&t.rng, 4) && f->now.n > LOG_HEADER_BYTES + n) {
		size_t from = rng_below(&t.rng, f->now.n - LOG_HEADER_BYTES - n) & ~7u;

		memcpy(at, f->now.at + LOG_HEADER_BYTES + from, n);
	}
	return span_make(at, n);
}

static struct span
payload_any(void)
{
	static const size_t sizes[] = {0, 1, 4, 12, 60, 200, 500, 1100};

	return payload_make(rng_below(&t.rng, sizes[rng_below(&t.rng, 8)] + 1));
}

static struct note *
note_add(struct file_model *f, uint64_t offset, struct span payload)
{
	f->notes[f->n] = (struct note){offset, payload, (uint16_t)(1 + f->n % 9)};
	return &f->notes[f->n++];
}

static enum log_result
append_one(struct log_writer *w, struct file_model *f, struct err *err)
{
	struct span payload = payload_any();
	const struct note *note = note_add(f, w->position, payload);
	size_t cut = rng_below(&t.rng, payload.n + 1);
	struct span spans[] = {span_first(payload, cut), span_after(payload, cut)};
	enum log_result result;
	uint64_t offset;

	result = log_append(w, note->kind, spans, N_ELEMS(spans), &offset, err);
	if (result == LOG_OK)
		CHECK(offset == note->offset);
	if (result == LOG_FULL)
		f->n--;
	return result;
}

static enum log_result
stream_one(struct log_writer *w, struct file_model *f, struct err *err)
{
	struct span payload = payload_any();
	const struct note *note = note_add(f, w->position, payload);
	enum log_result result = log_stream_begin(w, note->kind, err);
	bool abandon = rng_once_in(&t.rng, 4);
	uint64_t offset;

	while (result == LOG_OK && payload.n > 0) {
		struct span piece = span_first(payload, 1 + rng_below(&t.rng, 300));

		result = log_stream_piece(w, &piece, 1, err);
		payload = span_after(payload, piece.n);
	}
	if (result == LOG_OK && !abandon)
		result = log_stream_end(w, &offset, err);
	else if (result == LOG_OK)
		log_stream_abandon(w);
	if (result == LOG_FULL || (result == LOG_OK && abandon))
		f->n--;
	return result;
}

static enum log_result
sync_all(struct log_writer *w, struct file_model *f, struct err *err)
{
	uint64_t covered = log_sync_begin(w);
	size_t n = f->n;
	int synced = log_file_sync(&w->file, err);
	struct err fault = *err;
	enum log_result result = LOG_OK;

	/* Records go on coming while the sync runs. */
	if (f->n < NOTES && rng_once_in(&t.rng, 3))
		result = append_one(w, f, err);
	if (result == LOG_DEAD)
		return result;
	*err = fault;
	result = log_sync_end(w, covered, synced, err);
	if (result == LOG_OK && n > f->acked)
		f->acked = n;
	return result;
}

/* A copy lives on: appends to its growing files, and loses power once more. */
static void
live_on(struct world *w, struct world *later)
{
	struct log_writer writer;
	struct log_recovery was;
	struct log_file file;
	struct err err;

	for (size_t i = 0; i < w->model.n; i++) {
		struct file_model *f = &w->model.files[i];
		size_t more = rng_below(&t.rng, 3);

		if (f->known != KNOWN_READY || f->shape != LOG_GROWS || f->retired)
			continue;
		CHECK(recover_file(w, f, &file, &was) && was.records == f->n);
		log_writer_init(&writer, &file, was.end, LOG_FILE_MAX);
		for (; more > 0 && f->n < NOTES - 1; more--)
			CHECK(append_one(&writer, f, &err) == LOG_OK);
		if (rng_once_in(&t.rng, 2))
			CHECK(sync_all(&writer, f, &err) == LOG_OK);
	}
	later->model = w->model;
	simdisk_power_loss(&w->disk, &later->disk, &t.rng);
	recover_world(later);
	t.states++;
}

static void
try_power_losses(void *context)
{
	struct world *w = context;
	size_t pool_n = t.pool_n;

	for (size_t i = 0; i < SAMPLES; i++) {
		t.copy.model = w->model;
		simdisk_power_loss(&w->disk, &t.copy.disk, &t.rng);
		recover_world(&t.copy);
		t.states++;
		if (rng_once_in(&t.rng, 6))
			live_on(&t.copy, &t.later);
		t.pool_n = pool_n; /* payloads of the copies only */
	}
}

/* --- the workload --------------------------------------------------------- */

static struct file_model *
model_add(struct model *m, enum log_shape shape)
{
	struct file_model *f = &m->files[m->n];

	*f = (struct file_model){.number = m->n + 1, .shape = shape};
	m->n++;
	return f;
}

static void
write_to(struct file_model *f, uint64_t position)
{
	t.writing = f;
	log_writer_init(&t.writer, &t.file, position,
			f->shape == LOG_GROWS ? LOG_FILE_MAX : SEGMENT_BYTES);
}

static bool
room_for_files(void)
{
	return t.main.disk.n_files < SIMDISK_FILES &&
	       t.main.model.n < N_ELEMS(t.main.model.files);
}

static void
inject(void)
{
	static const struct {
		enum sim_fault fault;
		int code;
	} faults[] = {
	    {SIM_FAULT_WRITE, ENOSPC},
            {SIM_FAULT_WRITE, EIO   },
	    {SIM_FAULT_SHORT, ENOSPC},
            {SIM_FAULT_SYNC,  EIO   },
	    {SIM_FAULT_DIR,   ENOSPC},
	};
	size_t i = rng_below(&t.rng, N_ELEMS(faults));

	t.faults = 1;
	t.main.disk.fault = faults[i].fault;
	t.main.disk.fault_code = faults[i].code;
	t.main.disk.fault_in = rng_below(&t.rng, 5);
}

/* Calls on the directory are rare and of many steps: cut some of them short. */
static void
inject_kill(void)
{
	if (t.main.disk.fault != SIM_FAULT_NONE || !rng_once_in(&t.rng, 4))
		return;
	t.faults = 1;
	t.main.disk.fault = SIM_FAULT_KILL;
	t.main.disk.fault_in = rng_below(&t.rng, 6);
}

static bool restart(void);

/* False when the workload has used up its disk. */
static bool
roll(void)
{
	enum log_shape shape = rng_once_in(&t.rng, 2) ? LOG_GROWS : LOG_PREWRITTEN;
	struct file_model *f;
	struct err err;
	int made = -1;

	if (t.writing)
		t.writing->retired = true;
	t.writing = NULL;
	inject_kill();
	for (int tries = 2; made < 0 && tries > 0 && room_for_files(); tries--) {
		f = model_add(&t.main.model, shape);
		made = log_dir_create(&t.main.dir, f->number,
				      shape == LOG_GROWS ? 0 : SEGMENT_BYTES, &t.file,
				      &err);
	}
	if (made < 0)
		return t.main.disk.fault == SIM_FAULT_KILL && restart();
	f->known = KNOWN_READY;
	write_to(f, LOG_HEADER_BYTES);
	return true;
}

static struct file_model *
any_retired(void)
{
	struct file_model *f = &t.main.model.files[rng_below(&t.rng, t.main.model.n)];

	return f->retired && f->known == KNOWN_READY ? f : NULL;
}

static void
recycle_one(void)
{
	struct file_model *from = any_retired(), *to;
	struct err err;

	if (!from || from->shape != LOG_PREWRITTEN || !room_for_files())
		return;
	inject_kill();
	from->known = KNOWN_NOT;
	to = model_add(&t.main.model, LOG_PREWRITTEN);
	if (log_dir_recycle(&t.main.dir, from->number, to->number, SEGMENT_BYTES,
			    &t.file, &err) < 0)
		return;
	from->known = KNOWN_GONE;
	to->known = KNOWN_READY;
	if (t.writing)
		t.writing->retired = true;
	write_to(to, LOG_HEADER_BYTES);
}

static void
remove_one(void)
{
	struct file_model *f = any_retired();
	struct err err;

	if (!f)
		return;
	inject_kill();
	f->known = KNOWN_NOT;
	if (log_dir_remove(&t.main.dir, f->number, &err) == 0)
		f->known = KNOWN_GONE;
}

/* A start that is itself killed on its way. */
static void
restart_killed(struct world *w)
{
	struct log_recovery was;
	struct log_file file;
	struct err err;

	w->disk.fault = SIM_FAULT_KILL;
	w->disk.fault_in = rng_below(&t.rng, 4);
	for (size_t i = 0; i < w->model.n; i++) {
		const struct file_model *f = &w->model.files[i];

		if (log_dir_open(&w->dir, f->number, LOG_WRITE, &file, &err) ==
			LOG_OPEN_OK &&
		    log_recover(&file, f->shape, 0, &was, &err) < 0)
			break;
	}
	w->disk.fault = SIM_FAULT_NONE;
}

/* The programs start anew: what the disk shows now is made durable and used. */
static bool
restart(void)
{
	struct log_recovery was;
	struct log_numbers numbers;
	struct err err;

	t.writing = NULL;
	if (t.main.disk.fault == SIM_FAULT_KILL)
		t.main.disk.fault = SIM_FAULT_NONE;
	if (rng_once_in(&t.rng, 4))
		restart_killed(&t.main);
	while (log_dir_list(&t.main.dir, &numbers, &err) < 0)
		CHECK(t.main.disk.fault == SIM_FAULT_NONE);
	log_numbers_release(&numbers);
	recover_world(&t.main);
	settle_world(&t.main);
	for (size_t i = t.main.model.n; i > 0 && !t.writing; i--) {
		struct file_model *f = &t.main.model.files[i - 1];

		if (f->shape == LOG_PREWRITTEN)
			f->retired = true;
		if (f->shape != LOG_GROWS || f->known != KNOWN_READY || f->retired)
			continue;
		CHECK(recover_file(&t.main, f, &t.file, &was));
		write_to(f, was.end);
	}
	return t.writing || roll();
}

static bool
power_loss(void)
{
	t.copy.model = t.main.model;
	simdisk_power_loss(&t.main.disk, &t.copy.disk, &t.rng);
	simdisk_power_loss(&t.copy.disk, &t.main.disk, &t.rng); /* a plain copy back */
	return restart();
}

static bool
step(void)
{
	enum log_result result = LOG_OK;
	struct err err = {.code = 0};

	if (!t.writing || t.writing->n >= NOTES - 1)
		return roll();
	switch (rng_below(&t.rng, 24)) {
	case 0:
		return roll();
	case 1:
		return restart();
	case 2:
		return power_loss();
	case 3:
		recycle_one();
		return true;
	case 4:
		remove_one();
		return true;
	case 5:
		inject();
		return true;
	case 6 ... 9:
		result = stream_one(&t.writer, t.writing, &err);
		break;
	case 10 ... 13:
		result = sync_all(&t.writer, t.writing, &err);
		break;
	default:
		result = append_one(&t.writer, t.writing, &err);
	}
	if (result == LOG_FULL)
		return roll();
	return result == LOG_DEAD ? restart() : true;
}

static void
workload(uint64_t seed)
{
	static const size_t sectors[] = {512, 512, 64, 8};

	t.seed = seed;
	t.rng.state = seed;
	world_init(&t.main, rng_next(&t.rng));
	t.main.disk.sector = sectors[rng_below(&t.rng, 4)];
	t.main.disk.changed = try_power_losses;
	t.main.disk.context = &t.main;
	t.pool_n = 0;
	t.writing = NULL;
	t.faults = 0;
	for (size_t i = 0; i < STEPS && step(); i++)
		;
	simdisk_release(&t.main.disk);
}

static uint64_t
environment(const char *name, uint64_t value)
{
	struct span text = span_str(getenv(name));

	if (text.n > 0)
		CHECK(number_parse(text, UINT64_MAX, &value));
	return value;
}

static void
test_log_after_any_crash_holds_what_was_synced(void **state)
{
	uint64_t seed = environment("SEED", (uint64_t)time(NULL) * 1000003);

	(void)state;
	t.states_max = environment("STATES", STATES_DEFAULT);
	print_message("SEED=%llu STATES=%llu\n", (unsigned long long)seed,
		      (unsigned long long)t.states_max);
	world_init(&t.copy, 1);
	world_init(&t.later, 2);
	while (t.states < t.states_max)
		workload(seed++);
	print_message("%llu crash states; %llu records read back, %llu torn off\n",
		      (unsigned long long)t.states, (unsigned long long)t.acked,
		      (unsigned long long)t.torn);
	CHECK(t.acked > 0 && t.torn > 0);
	simdisk_release(&t.copy.disk);
	simdisk_release(&t.later.disk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_log_after_any_crash_holds_what_was_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
