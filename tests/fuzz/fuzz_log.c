/* tests/fuzz/fuzz_log.c - any bytes as a log file
 *
 * The first byte chooses how the others become a file: as they are; after a good
 * header; as heads and lengths whose CRCs are put right, so that any length and
 * claim gets past them; or as records written properly and then mutated. Readers
 * must move forward, hand out only what verifies, and agree with recovery, which
 * must be the same when it runs again.
 */
#include <stdint.h>

#include "common/log/log.h"
#include "tests/unit/simdisk.h"

#define KIND      9
#define FILE_NAME "f.1"
#define REFUSED   UINT64_MAX

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct lab {
	struct simdisk disk;
	struct log_io io;
	struct log_dir dir;
	struct log_file file;
};

static void
write_at(struct lab *l, const void *at, size_t n, uint64_t offset)
{
	struct iovec v = {(void *)(uintptr_t)at, n};

	ASSERT(l->io.pwritev(&l->disk, l->file.fd, &v, 1, offset) == (ssize_t)n);
}

static void
make_raw(struct lab *l, struct cursor *in)
{
	ASSERT(l->io.ftruncate(&l->disk, l->file.fd, 0) == 0);
	write_at(l, in->rest.at, in->rest.n, 0);
}

static void
make_body(struct lab *l, struct cursor *in)
{
	write_at(l, in->rest.at, in->rest.n, LOG_HEADER_BYTES);
}

/* Frames anywhere, of any length and claim, their CRCs right where they can be. */
static void
make_frames(struct lab *l, struct cursor *in)
{
	char head[LOG_HEAD_BYTES], tail[11];

	while (in->rest.n > 0 && !in->failed) {
		struct log_record r = {.kind = 1};
		size_t real = wire_get_u8(in), n;
		char payload[256] = {0};

		r.offset = LOG_HEADER_BYTES + UINT64_C(8) * (wire_get_u16(in) & 0x3ff);
		r.synced = UINT64_C(8) * wire_get_u16(in);
		r.synced = r.synced > r.offset ? r.offset : r.synced;
		r.n = real < 200 ? (uint32_t)real : wire_get_u32(in) % LOG_RECORD_MAX;
		log_frame_put_head(&l->file.id, &r, head);
		write_at(l, head, sizeof(head), r.offset);
		if (r.n > sizeof(payload))
			continue;
		write_at(l, payload, r.n, r.offset + LOG_HEAD_BYTES);
		n = log_frame_put_tail(crc32c(log_frame_crc(&l->file.id, r.offset),
					      span_make(payload, r.n)),
				       &r, head, tail);
		write_at(l, tail, n, r.offset + LOG_HEAD_BYTES + r.n);
	}
}

static void
mutate(struct lab *l, struct cursor *in)
{
	size_t at = wire_get_u16(in);
	size_t n = simdisk_file(&l->disk, FILE_NAME)->now.n;

	(void)l->io.fdatasync(&l->disk, l->file.fd);
	simdisk_poke(&l->disk, FILE_NAME, at % n, (char)wire_get_u8(in));
}

/* Records, syncs, streams; then bits are flipped. */
static void
make_written(struct lab *l, struct cursor *in)
{
	struct log_writer w;
	struct err err;
	uint64_t offset;

	log_writer_init(&w, &l->file, LOG_HEADER_BYTES, 1u << 16);
	while (in->rest.n > 0 && !in->failed) {
		uint8_t what = wire_get_u8(in);
		struct span s = span_first(in->rest, wire_get_u8(in));

		if (what < 0x80 && log_append(&w, 1, &s, 1, &offset, &err) != LOG_OK)
			return;
		if (what >= 0x80 && what < 0xa0 && log_sync(&w, &err) != LOG_OK)
			return;
		if (what >= 0xa0 && what < 0xc0) {
			if (log_stream_begin(&w, 2, &err) != LOG_OK ||
			    log_stream_piece(&w, &s, 1, &err) != LOG_OK)
				return;
			if (what & 1)
				log_stream_abandon(&w);
			else if (log_stream_end(&w, &offset, &err) != LOG_OK)
				return;
		}
		if (what >= 0xc0)
			mutate(l, in);
	}
}

/* The only fault that bytes alone can cause. */
static bool
refused(const struct err *err)
{
	return strstr(err->text, "false records") != NULL;
}

/* How many records there are, or REFUSED. */
static uint64_t
read_through(struct lab *l, uint64_t end)
{
	struct log_record record, again;
	struct log_reader r;
	enum log_read got;
	struct err err;
	uint64_t at = LOG_HEADER_BYTES, records = 0;

	log_reader_init(&r, &l->file, at, end);
	while ((got = log_reader_next(&r, &record, &err)) != LOG_READ_END) {
		if (got == LOG_READ_FAULT) {
			ASSERT(refused(&err));
			log_reader_release(&r);
			return REFUSED;
		}
		ASSERT(record.offset >= at && record.next > at && record.next <= end);
		at = record.next;
		if (got == LOG_READ_DAMAGE)
			continue;
		records++;
		ASSERT(log_verify(&l->file, record.offset, &again, &err) ==
		       LOG_READ_RECORD);
		ASSERT(again.n == record.n && again.next == record.next);
	}
	ASSERT(end == LOG_END_UNKNOWN || r.at == end);
	log_reader_release(&r);
	return records;
}

static void
look(struct lab *l, enum log_shape shape, uint64_t known_synced)
{
	struct log_recovery was, again;
	struct err err;

	if (read_through(l, LOG_END_UNKNOWN) == REFUSED)
		return;
	if (log_recover(&l->file, shape, known_synced, &was, &err) < 0) {
		ASSERT(refused(&err));
		return;
	}
	ASSERT(read_through(l, was.end) == was.records);
	if (shape == LOG_GROWS)
		known_synced = 0; /* what it proved is in the file now */
	ASSERT(log_recover(&l->file, shape, known_synced, &again, &err) == 0);
	ASSERT(again.end == was.end && again.records == was.records);
	ASSERT(again.damaged_bytes == was.damaged_bytes);
	ASSERT(shape == LOG_PREWRITTEN || again.cut_bytes == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const makers[])(struct lab *, struct cursor *) = {
	    make_raw, make_body, make_frames, make_written};
	struct cursor in = cursor_make(span_make(data, size));
	uint8_t how = wire_get_u8(&in);
	uint64_t known_synced = (how & 8) ? UINT64_C(8) * wire_get_u8(&in) : 0;
	struct log_file file;
	struct err err;
	struct lab l;

	if (in.failed || size > 60000)
		return 0;
	simdisk_init(&l.disk, 1);
	l.io = simdisk_io(&l.disk);
	l.dir = (struct log_dir){&l.io, SIMDISK_DIR, "f.", KIND};
	ASSERT(log_dir_create(&l.dir, 1, 0, &l.file, &err) == 0);
	makers[how % N_ELEMS(makers)](&l, &in);
	if (log_dir_open(&l.dir, 1, LOG_WRITE, &file, &err) == LOG_OPEN_OK)
		l.file = file;
	look(&l, how & 4 ? LOG_GROWS : LOG_PREWRITTEN, known_synced);
	simdisk_release(&l.disk);
	return 0;
}
