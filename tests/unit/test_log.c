/* tests/unit/test_log.c - records on disk: writer, reader, recovery, files */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log/log.h"
#include "tests/unit/simdisk.h"

#define KIND 7

static const struct log_id id = {.kind = KIND, .number = 3, .salt = 0x123456789abcdef0};

/* A file on a simulated disk with a writer. */
struct bench {
	struct simdisk disk;
	struct log_io io;
	struct log_dir dir;
	struct log_file file;
	struct log_writer w;
	struct err err;
};

static void
bench_init(struct bench *b, uint64_t size)
{
	simdisk_init(&b->disk, 42);
	b->io = simdisk_io(&b->disk);
	b->dir = (struct log_dir){&b->io, SIMDISK_DIR, "f.", KIND};
	assert_int_equal(log_dir_create(&b->dir, 1, size, &b->file, &b->err), 0);
	log_writer_init(&b->w, &b->file, LOG_HEADER_BYTES, size ? size : LOG_FILE_MAX);
}

static void
bench_release(struct bench *b)
{
	log_file_close(&b->file);
	simdisk_release(&b->disk);
}

static uint64_t
put(struct bench *b, const char *text)
{
	struct span s = span_str(text);
	uint64_t offset;

	assert_int_equal(log_append(&b->w, 1, &s, 1, &offset, &b->err), LOG_OK);
	return offset;
}

/* What a reader says of the file, a word a thing: text, or !offset+bytes. */
static void
read_all(struct bench *b, uint64_t end, struct buf *out)
{
	struct log_record record;
	struct log_reader r;
	enum log_read got;

	buf_reset(out);
	log_reader_init(&r, &b->file, LOG_HEADER_BYTES, end);
	while ((got = log_reader_next(&r, &record, &b->err)) != LOG_READ_END) {
		assert_true(got != LOG_READ_FAULT);
		buf_put_char(out, ' ');
		if (got == LOG_READ_RECORD)
			buf_put(out, record.payload);
		else
			buf_putf(out, "!%llu+%llu", (unsigned long long)record.offset,
				 (unsigned long long)(record.next - record.offset));
	}
	log_reader_release(&r);
}

static void
assert_reads(struct bench *b, uint64_t end, const char *want)
{
	struct buf got = buf_make(4096);

	read_all(b, end, &got);
	buf_put_char(&got, '\0');
	assert_string_equal(got.at, want);
	buf_release(&got);
}

static struct log_recovery
recover(struct bench *b, enum log_shape shape, uint64_t known_synced)
{
	struct log_recovery was;

	assert_int_equal(log_recover(&b->file, shape, known_synced, &was, &b->err), 0);
	return was;
}

/* --- writer --------------------------------------------------------------- */

static void
test_append_is_one_write_and_read_back(void **state)
{
	struct span spans[LOG_SPANS_MAX];
	struct bench b;
	uint64_t offset;
	size_t writes;

	(void)state;
	bench_init(&b, 0);
	for (size_t i = 0; i < LOG_SPANS_MAX; i++)
		spans[i] = i % 2 ? SPAN("ab") : SPAN("");
	writes = b.disk.writes;
	assert_int_equal(log_append(&b.w, 9, spans, LOG_SPANS_MAX, &offset, &b.err),
			 LOG_OK);
	assert_int_equal(b.disk.writes, writes + 1);
	assert_int_equal(offset, LOG_HEADER_BYTES);
	put(&b, "");
	put(&b, "last");
	assert_reads(&b, LOG_END_UNKNOWN, " abababababababab  last");
	assert_reads(&b, b.w.position, " abababababababab  last");
	bench_release(&b);
}

static void
test_stream_is_a_record_only_when_ended(void **state)
{
	struct span piece = SPAN("piece.");
	struct bench b;
	uint64_t offset;

	(void)state;
	bench_init(&b, 0);
	put(&b, "a");
	assert_int_equal(log_stream_begin(&b.w, 2, &b.err), LOG_OK);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(log_stream_piece(&b.w, &piece, 1, &b.err), LOG_OK);
		assert_reads(&b, LOG_END_UNKNOWN, " a");
	}
	log_stream_abandon(&b.w);
	assert_reads(&b, LOG_END_UNKNOWN, " a");
	assert_int_equal(log_stream_begin(&b.w, 2, &b.err), LOG_OK);
	assert_int_equal(log_stream_piece(&b.w, &piece, 1, &b.err), LOG_OK);
	assert_int_equal(log_stream_piece(&b.w, &piece, 1, &b.err), LOG_OK);
	assert_int_equal(log_stream_end(&b.w, &offset, &b.err), LOG_OK);
	put(&b, "z");
	assert_reads(&b, LOG_END_UNKNOWN, " a piece.piece. z");
	bench_release(&b);
}

static void
test_writer_is_full_at_its_limit_and_lives_on(void **state)
{
	static char zeros[512];
	struct bench b;
	uint64_t offset;

	(void)state;
	/* Room for a frame of exactly 512 bytes. */
	for (size_t n = 512 - 16 - 4 - 1; n <= 512 - 16 - 4 + 1; n++) {
		struct span s = span_make(zeros, n);
		bool fits = n <= 512 - 16 - 4;

		bench_init(&b, LOG_HEADER_BYTES + 512);
		assert_int_equal(log_writer_room(&b.w, n), fits);
		assert_int_equal(log_append(&b.w, 1, &s, 1, &offset, &b.err),
				 fits ? LOG_OK : LOG_FULL);
		bench_release(&b);
		bench_init(&b, LOG_HEADER_BYTES + 512);
		assert_int_equal(log_stream_begin(&b.w, 1, &b.err), LOG_OK);
		assert_int_equal(log_stream_piece(&b.w, &s, 1, &b.err),
				 fits ? LOG_OK : LOG_FULL);
		if (fits)
			assert_int_equal(log_stream_end(&b.w, &offset, &b.err), LOG_OK);
		else
			put(&b, "still");
		assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
		bench_release(&b);
	}
}

static void
test_record_is_limited(void **state)
{
	struct log_writer w;
	struct log_file f = {&log_io_real, -1, id};

	(void)state;
	log_writer_init(&w, &f, LOG_HEADER_BYTES, LOG_FILE_MAX);
	assert_true(log_writer_room(&w, LOG_RECORD_MAX - 1));
	assert_true(log_writer_room(&w, LOG_RECORD_MAX));
	assert_false(log_writer_room(&w, LOG_RECORD_MAX + 1));
	assert_false(log_writer_room(&w, UINT64_MAX));
	log_writer_init(&w, &f, LOG_FILE_MAX - 24, LOG_FILE_MAX);
	assert_true(log_writer_room(&w, 4));
	assert_false(log_writer_room(&w, 5));
}

static void
test_writer_is_dead_after_one_failure(void **state)
{
	static const struct {
		const char *name;
		enum sim_fault fault;
		int code;
	} rows[] = {
	    {"write EIO",          SIM_FAULT_WRITE, EIO   },
	    {"write ENOSPC",       SIM_FAULT_WRITE, ENOSPC},
	    {"short, then ENOSPC", SIM_FAULT_SHORT, ENOSPC},
	    {"sync EIO",           SIM_FAULT_SYNC,  EIO   },
	};
	struct span s = SPAN("lost");

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct bench b;
		uint64_t offset = 0;
		size_t calls;

		print_message("%s\n", rows[i].name);
		bench_init(&b, 0);
		put(&b, "kept");
		assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
		b.disk.fault = rows[i].fault;
		b.disk.fault_code = rows[i].code;
		if (rows[i].fault == SIM_FAULT_SYNC)
			put(&b, "unsure");
		else
			assert_int_equal(log_append(&b.w, 1, &s, 1, &offset, &b.err),
					 LOG_DEAD);
		calls = b.disk.writes + b.disk.syncs;
		assert_int_equal(log_sync(&b.w, &b.err), LOG_DEAD);
		assert_int_equal(b.err.code, rows[i].code);
		calls += rows[i].fault == SIM_FAULT_SYNC;
		b.err.code = 0;
		assert_int_equal(log_append(&b.w, 1, &s, 1, &offset, &b.err), LOG_DEAD);
		assert_int_equal(log_stream_begin(&b.w, 1, &b.err), LOG_DEAD);
		assert_int_equal(log_sync(&b.w, &b.err), LOG_DEAD);
		assert_int_equal(b.err.code, rows[i].code);
		assert_int_equal(b.disk.writes + b.disk.syncs, calls);
		assert_int_equal(offset, 0);
		assert_reads(&b, LOG_END_UNKNOWN,
			     rows[i].fault == SIM_FAULT_SYNC ? " kept unsure"
							     : " kept");
		bench_release(&b);
	}
}

static void
test_sync_covers_what_was_there_when_it_began(void **state)
{
	struct bench b;
	uint64_t covered;

	(void)state;
	bench_init(&b, 0);
	put(&b, "before");
	covered = log_sync_begin(&b.w);
	put(&b, "during");
	assert_int_equal(
	    log_sync_end(&b.w, covered, log_file_sync(&b.file, &b.err), &b.err),
	    LOG_OK);
	assert_int_equal(b.w.synced, covered);
	assert_true(b.w.synced < b.w.position);
	bench_release(&b);
}

/* --- recovery and damage -------------------------------------------------- */

static const struct {
	const char *name;
	int synced_after; /* this many of the records a b c d e */
	const char *hit;  /* these are destroyed */
	bool known;       /* the caller knows what was synced */
	const char *want;
} torn_or_damaged[] = {
    {"clean",			  3, "",      false, " a b c d e"              },
    {"last is torn",                   3, "e",     false, " a b c d"                },
    {"torn, later ones survived",      2, "c",     false, " a b"                    },
    {"synced, later ones prove it",    2, "a",     false, " !1024+24 b c d e"       },
    {"synced, next to the edge",       2, "b",     false, " a !1048+24 c d e"       },
    {"two in a row",                   3, "bc",    false, " a !1048+48 d e"         },
    {"two apart",		      3, "ac",    false, " !1024+24 b !1072+24 d e"},
    {"damage, then torn",              3, "bd",    false, " a !1048+24 c"           },
    {"damage runs into the torn",      3, "cd",    false, " a b !1072+24"           },
    {"all synced, no later proof",     5, "e",     false, " a b c d"                },
    {"all synced, the caller knows",   5, "e",     true,  " a b c d !1120+24"       },
    {"nothing left, the caller knows", 5, "abcde", true,  " !1024+120"              },
    {"nothing left, nobody knows",     5, "abcde", false, ""                        },
};

static void
test_recovery_tells_torn_from_damaged(void **state)
{
	static const enum log_shape shapes[] = {LOG_GROWS, LOG_PREWRITTEN};

	(void)state;
	for (size_t i = 0; i < 2 * N_ELEMS(torn_or_damaged); i++) {
		enum log_shape shape = shapes[i % 2];
		const char *text[] = {"a", "b", "c", "d", "e"};
		struct log_recovery was, again;
		struct bench b;

		print_message("%s\n", torn_or_damaged[i / 2].name);
		bench_init(&b, shape == LOG_GROWS ? 0 : 4096);
		for (int n = 0; n < 5; n++) {
			put(&b, text[n]);
			if (n + 1 == torn_or_damaged[i / 2].synced_after)
				assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
		}
		assert_int_equal(log_file_sync(&b.file, &b.err), 0);
		for (const char *c = torn_or_damaged[i / 2].hit; *c; c++)
			simdisk_poke(&b.disk, "f.1",
				     LOG_HEADER_BYTES + 24 * (size_t)(*c - 'a') + 16,
				     1);
		was = recover(&b, shape, torn_or_damaged[i / 2].known ? b.w.synced : 0);
		assert_reads(&b, was.end, torn_or_damaged[i / 2].want);
		again =
		    recover(&b, shape, torn_or_damaged[i / 2].known ? was.synced : 0);
		assert_int_equal(again.end, was.end);
		assert_int_equal(again.damaged_bytes, was.damaged_bytes);
		if (shape == LOG_GROWS) {
			struct buf want = buf_make(256);

			assert_int_equal(simdisk_file(&b.disk, "f.1")->safe.n, was.end);
			log_writer_init(&b.w, &b.file, was.end, LOG_FILE_MAX);
			/* Without the caller's knowledge: the file has it now. */
			again = recover(&b, shape, 0);
			assert_int_equal(again.end, was.end);
			assert_int_equal(again.damaged_bytes, was.damaged_bytes);
			assert_int_equal(simdisk_file(&b.disk, "f.1")->safe.n, was.end);
			log_writer_init(&b.w, &b.file, was.end, LOG_FILE_MAX);
			put(&b, "new");
			buf_putf(&want, "%s new%c", torn_or_damaged[i / 2].want, '\0');
			assert_reads(&b, b.w.position, want.at);
			buf_release(&want);
		}
		bench_release(&b);
	}
}

static uint64_t
seed_of_the_run(void)
{
	struct span text = span_str(getenv("SEED"));
	uint64_t seed = (uint64_t)time(NULL);

	if (text.n > 0)
		assert_true(number_parse(text, UINT64_MAX, &seed));
	print_message("SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* Payloads hold whole earlier records, to be found when what holds them breaks. */
static void
put_random(struct bench *b, struct rng *r)
{
	const struct sim_file *f = simdisk_file(&b->disk, "f.1");
	char bytes[700];
	struct span s = span_make(bytes, rng_below(r, sizeof(bytes)));
	uint64_t offset;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)rng_next(r);
	if (f->now.n >= LOG_HEADER_BYTES + s.n)
		memcpy(bytes, f->now.at + f->now.n - s.n / 8 * 8, s.n / 8 * 8);
	assert_int_equal(log_append(&b->w, 1, &s, 1, &offset, &b->err), LOG_OK);
	if (rng_once_in(r, 3))
		assert_int_equal(log_sync(&b->w, &b->err), LOG_OK);
}

/* One place of synced bytes is hit; all records but the hit ones come back, and
 * the place is within what is called damaged. */
static void
damage_once(struct bench *b, struct rng *r)
{
	size_t at =
	    LOG_HEADER_BYTES + rng_below(r, (size_t)b->w.synced - LOG_HEADER_BYTES);
	size_t n = rng_once_in(r, 2) ? 1 : 1 + rng_below(r, 512);
	struct log_recovery was;
	struct log_record record;
	struct log_reader reader;
	uint64_t next = LOG_HEADER_BYTES;
	enum log_read got;

	if (n > b->w.synced - at)
		n = (size_t)b->w.synced - at;
	for (size_t i = 0; i < n; i++)
		simdisk_poke(&b->disk, "f.1", at + i, (char)(1 << rng_below(r, 8)));
	was = recover(b, LOG_GROWS, b->w.synced);
	assert_true(was.end >= b->w.position);
	log_reader_init(&reader, &b->file, LOG_HEADER_BYTES, was.end);
	while ((got = log_reader_next(&reader, &record, &b->err)) != LOG_READ_END) {
		assert_int_equal(record.offset, next);
		next = record.next;
		if (got == LOG_READ_DAMAGE)
			assert_true(record.offset < at + n && at < record.next);
		else
			assert_int_equal(
			    log_verify(&b->file, record.offset, &record, &b->err),
			    LOG_READ_RECORD);
	}
	assert_int_equal(next, b->w.position);
	log_reader_release(&reader);
}

static void
test_damage_costs_only_the_records_it_hit(void **state)
{
	struct rng r = {seed_of_the_run()};

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct bench b;

		bench_init(&b, 0);
		for (size_t n = 2 + rng_below(&r, 12); n > 0; n--)
			put_random(&b, &r);
		put(&b, "synced");
		assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
		damage_once(&b, &r);
		bench_release(&b);
	}
}

static void
test_disk_that_cannot_read_a_block(void **state)
{
	static char bytes[1000];
	struct span s = span_make(bytes, sizeof(bytes));
	struct log_recovery was;
	struct bench b;
	uint64_t offset;

	(void)state;
	bench_init(&b, 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(log_append(&b.w, 1, &s, 1, &offset, &b.err), LOG_OK);
	assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
	put(&b, "proof");
	assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
	b.disk.fault = SIM_FAULT_READ;
	b.disk.fault_code = EIO;
	b.disk.fault_offset = 20000;
	was = recover(&b, LOG_GROWS, 0);
	assert_int_equal(was.end, b.w.position);
	assert_int_equal(was.records, 41 - (was.damaged_bytes / log_frame_bytes(1000)));
	assert_true(was.damaged_bytes >= 4096 && was.damaged_bytes < 8192);
	/* The end itself: cutting it could lose what was acknowledged. */
	b.disk.fault_offset = b.w.position - 30;
	assert_int_equal(log_recover(&b.file, LOG_GROWS, 0, &was, &b.err), -1);
	assert_int_equal(b.err.code, EIO);
	assert_int_equal(simdisk_file(&b.disk, "f.1")->now.n, b.w.position);
	bench_release(&b);
}

/* --- fetch, verify, large records ----------------------------------------- */

static void
test_large_record_is_checked_without_being_held(void **state)
{
	static char piece[100000];
	struct span s = span_make(piece, sizeof(piece));
	struct log_record record;
	struct log_reader r;
	struct buf hold;
	struct bench b;
	uint64_t offset;

	(void)state;
	bench_init(&b, 0);
	assert_int_equal(log_stream_begin(&b.w, 2, &b.err), LOG_OK);
	for (int i = 0; i < 12; i++)
		assert_int_equal(log_stream_piece(&b.w, &s, 1, &b.err), LOG_OK);
	assert_int_equal(log_stream_end(&b.w, &offset, &b.err), LOG_OK);
	put(&b, "after");
	assert_int_equal(log_sync(&b.w, &b.err), LOG_OK);
	log_reader_init(&r, &b.file, LOG_HEADER_BYTES, b.w.position);
	assert_int_equal(log_reader_next(&r, &record, &b.err), LOG_READ_RECORD);
	assert_int_equal(record.n, 1200000);
	assert_null(record.payload.at);
	assert_int_equal(log_reader_next(&r, &record, &b.err), LOG_READ_RECORD);
	assert_true(span_equal(record.payload, SPAN("after")));
	log_reader_release(&r);

	hold = buf_make(1u << 20);
	assert_int_equal(log_verify(&b.file, offset, &record, &b.err), LOG_READ_RECORD);
	assert_int_equal(log_fetch(&b.file, offset, 0, &hold, &record, &b.err),
			 LOG_READ_DAMAGE);
	buf_release(&hold);
	hold = buf_make(2u << 20);
	assert_int_equal(log_fetch(&b.file, offset, 0, &hold, &record, &b.err),
			 LOG_READ_RECORD);
	assert_int_equal(record.payload.n, 1200000);
	buf_release(&hold);
	simdisk_poke(&b.disk, "f.1", 700000, 4);
	assert_int_equal(log_verify(&b.file, offset, &record, &b.err), LOG_READ_DAMAGE);
	assert_reads(&b, b.w.position, " !1024+1200024 after");
	bench_release(&b);
}

static void
test_fetch_takes_one_read_with_a_good_hint(void **state)
{
	static const struct {
		const char *name;
		size_t hint, reads;
	} rows[] = {
	    {"no hint",  0,        2},
	    {"exact",    11,       1},
	    {"generous", 4000,     1},
	    {"huge",     SIZE_MAX, 1}
        };
	struct buf hold = buf_make(4096);
	struct log_record record;
	struct bench b;
	uint64_t offset;

	(void)state;
	bench_init(&b, 4096);
	put(&b, "first");
	offset = put(&b, "eleven byte");
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		size_t reads = b.disk.reads;

		print_message("%s\n", rows[i].name);
		assert_int_equal(
		    log_fetch(&b.file, offset, rows[i].hint, &hold, &record, &b.err),
		    LOG_READ_RECORD);
		assert_true(span_equal(record.payload, SPAN("eleven byte")));
		assert_int_equal(record.next, b.w.position);
		if (i < 2)
			assert_int_equal(b.disk.reads - reads, rows[i].reads);
	}
	for (uint64_t at = 0; at < 5000; at++)
		if (at != LOG_HEADER_BYTES && at != offset)
			assert_int_equal(
			    log_fetch(&b.file, at, 9, &hold, &record, &b.err),
			    LOG_READ_DAMAGE);
	buf_release(&hold);
	bench_release(&b);
}

static void
test_reader_follows_a_growing_file(void **state)
{
	struct log_record record;
	struct log_reader r;
	struct bench b;

	(void)state;
	bench_init(&b, 0);
	log_reader_init(&r, &b.file, LOG_HEADER_BYTES, LOG_END_UNKNOWN);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(log_reader_next(&r, &record, &b.err), LOG_READ_END);
		put(&b, "next");
		assert_int_equal(log_reader_next(&r, &record, &b.err), LOG_READ_RECORD);
		assert_true(span_equal(record.payload, SPAN("next")));
	}
	/* A file that shrank is an end, no more. */
	assert_int_equal(b.io.ftruncate(&b.disk, b.file.fd, 1100), 0);
	assert_int_equal(log_reader_next(&r, &record, &b.err), LOG_READ_END);
	log_reader_release(&r);
	bench_release(&b);
}

/* --- files, on the real disk ---------------------------------------------- */

static void
test_files_are_made_recycled_listed_and_removed(void **state)
{
	char folder[] = "/tmp/test_log.XXXXXX";
	struct log_dir dir = {&log_io_real, -1, "seg.", KIND};
	struct log_numbers numbers;
	struct log_recovery was;
	struct log_writer w;
	struct log_file f;
	struct span s = SPAN("record");
	struct err err;
	uint64_t offset, size;
	int other;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir.fd >= 0);
	other = openat(dir.fd, "seg.07", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(other);
	assert_int_equal(log_dir_create(&dir, 10, 100000, &f, &err), 0);
	assert_int_equal(log_dir_create(&dir, 10, 0, &f, &err), -1);
	assert_int_equal(err.code, EEXIST);
	log_writer_init(&w, &f, LOG_HEADER_BYTES, 100000);
	for (int i = 0; i < 50; i++)
		assert_int_equal(log_append(&w, 1, &s, 1, &offset, &err), LOG_OK);
	assert_int_equal(log_sync(&w, &err), LOG_OK);
	log_file_close(&f);
	log_file_close(&f);
	assert_int_equal(log_dir_create(&dir, 9, 0, &f, &err), 0);
	log_file_close(&f);
	assert_int_equal(log_dir_recycle(&dir, 10, 9, 100000, &f, &err), -1);
	assert_int_equal(err.code, EEXIST);
	/* It was half recycled: no longer 10, not yet anything else. */
	assert_int_equal(log_dir_open(&dir, 10, LOG_READ, &f, &err), LOG_OPEN_UNREADY);
	assert_int_equal(log_dir_recycle(&dir, 10, 11, 200000, &f, &err), 0);
	assert_int_equal(log_file_size(&f, &size, &err), 0);
	assert_int_equal(size, 200000);
	assert_int_equal(log_recover(&f, LOG_PREWRITTEN, 0, &was, &err), 0);
	assert_int_equal(was.records, 0);
	assert_int_equal(was.end, LOG_HEADER_BYTES);
	log_file_close(&f);
	assert_int_equal(log_dir_list(&dir, &numbers, &err), 0);
	assert_int_equal(numbers.n, 2);
	assert_int_equal(numbers.at[0], 9);
	assert_int_equal(numbers.at[1], 11);
	log_numbers_release(&numbers);
	assert_int_equal(log_dir_remove(&dir, 9, &err), 0);
	assert_int_equal(log_dir_remove(&dir, 9, &err), -1);
	assert_int_equal(log_dir_remove(&dir, 11, &err), 0);
	assert_int_equal(log_dir_open(&dir, 11, LOG_READ, &f, &err), LOG_OPEN_FAULT);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(unlinkat(dir.fd, "seg.07", 0), 0);
	close(dir.fd);
	assert_int_equal(rmdir(folder), 0);
}

static void
test_create_that_fails_leaves_nothing(void **state)
{
	static const enum sim_fault faults[] = {SIM_FAULT_WRITE, SIM_FAULT_SHORT,
						SIM_FAULT_SYNC, SIM_FAULT_DIR};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(faults); i++) {
		struct log_file file;
		struct bench b;

		bench_init(&b, 0);
		b.disk.fault = faults[i];
		b.disk.fault_code = ENOSPC;
		assert_int_equal(log_dir_create(&b.dir, 2, 4096, &file, &b.err), -1);
		assert_int_equal(b.err.code, ENOSPC);
		assert_null(simdisk_file(&b.disk, "f.2"));
		assert_int_equal(log_dir_create(&b.dir, 2, 4096, &file, &b.err), 0);
		bench_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_append_is_one_write_and_read_back),
	    cmocka_unit_test(test_stream_is_a_record_only_when_ended),
	    cmocka_unit_test(test_writer_is_full_at_its_limit_and_lives_on),
	    cmocka_unit_test(test_record_is_limited),
	    cmocka_unit_test(test_writer_is_dead_after_one_failure),
	    cmocka_unit_test(test_sync_covers_what_was_there_when_it_began),
	    cmocka_unit_test(test_recovery_tells_torn_from_damaged),
	    cmocka_unit_test(test_damage_costs_only_the_records_it_hit),
	    cmocka_unit_test(test_disk_that_cannot_read_a_block),
	    cmocka_unit_test(test_large_record_is_checked_without_being_held),
	    cmocka_unit_test(test_fetch_takes_one_read_with_a_good_hint),
	    cmocka_unit_test(test_reader_follows_a_growing_file),
	    cmocka_unit_test(test_files_are_made_recycled_listed_and_removed),
	    cmocka_unit_test(test_create_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
