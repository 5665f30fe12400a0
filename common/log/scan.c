#include "common/log/scan.h"

#include <errno.h>

#define WINDOW_FIRST  (64u << 10)
#define BLOCK         4096u
#define WASTED_FACTOR 16
#define WASTED_FLOOR  (1u << 20)

void
log_scan_init(struct log_scan *s, const struct log_file *f)
{
	*s = (struct log_scan){.file = *f, .size = WINDOW_FIRST};
	s->window = memory_resize(NULL, s->size, 1);
}

void
log_scan_release(struct log_scan *s)
{
	free(s->window);
	s->window = NULL;
}

void
log_scan_reset(struct log_scan *s)
{
	s->n = 0;
}

/* Up to n bytes, fewer at the end of the file; -1 and errno when the disk fails. */
static ssize_t
read_some(const struct log_file *f, char *at, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = f->io->pread(f->io->disk, f->fd, at + done, n - done,
					   offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* After EIO: block by block, zeros where the disk cannot read, so that only the
 * records in these blocks are lost. */
static ssize_t
read_around(struct log_scan *s, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		size_t want = BLOCK - (size_t)((offset + done) % BLOCK);
		ssize_t got;

		want = want < n - done ? want : n - done;
		got = read_some(&s->file, s->window + done, want, offset + done);
		if (got < 0 && errno != EIO)
			return -1;
		if (got < 0) {
			memset(s->window + done, 0, want);
			s->unreadable = offset + done + want;
			got = (ssize_t)want;
		}
		done += (size_t)got;
		if ((size_t)got < want)
			break;
	}
	return (ssize_t)done;
}

static int
window_fill(struct log_scan *s, uint64_t offset, size_t want, struct err *err)
{
	ssize_t got;

	if (want > s->size) {
		s->size = want <= LOG_WINDOW_BYTES / 2 ? LOG_WINDOW_BYTES / 2
						       : LOG_WINDOW_BYTES;
		s->window = memory_resize(s->window, s->size, 1);
	}
	s->n = 0;
	got = read_some(&s->file, s->window, s->size, offset);
	if (got < 0 && errno == EIO)
		got = read_around(s, s->size, offset);
	if (got < 0)
		return err_sys(err, "log: cannot read file %llu at %llu",
			       (unsigned long long)s->file.id.number,
			       (unsigned long long)offset);
	s->base = offset;
	s->n = (size_t)got;
	return 0;
}

/* The window from `offset` on, but nothing at or beyond `limit`; at least `want`
 * bytes unless file or limit end before. */
static int
window_at(struct log_scan *s, uint64_t offset, size_t want, uint64_t limit,
	  struct span *out, struct err *err)
{
	struct span bytes;

	ASSERT(want <= LOG_WINDOW_BYTES && offset <= limit);
	if (want > limit - offset)
		want = (size_t)(limit - offset);
	if (offset < s->base || offset + want > s->base + s->n)
		if (window_fill(s, offset, want, err) < 0)
			return -1;
	bytes = span_after(span_make(s->window, s->n), (size_t)(offset - s->base));
	*out = bytes.n > limit - offset ? span_first(bytes, (size_t)(limit - offset))
					: bytes;
	return 0;
}

int
log_scan_bytes(struct log_scan *s, uint64_t offset, uint64_t limit, struct span *out,
	       struct err *err)
{
	return window_at(s, offset, 1, limit, out, err);
}

/* A record that the window cannot hold: its CRC, a window at a time. */
static enum log_scan_result
scan_large(struct log_scan *s, struct log_record *r, struct err *err)
{
	uint64_t end = r->payload_at + r->n, at = r->payload_at;
	uint32_t crc = log_frame_crc(&s->file.id, r->offset);
	char head[LOG_HEAD_BYTES];
	struct span bytes;

	if (window_at(s, r->offset, LOG_HEAD_BYTES, r->next, &bytes, err) < 0)
		return LOG_SCAN_FAULT;
	if (bytes.n < LOG_HEAD_BYTES)
		return LOG_SCAN_NONE;
	memcpy(head, bytes.at, sizeof(head));
	for (; at < end; at += bytes.n) {
		if (window_at(s, at, 1, end, &bytes, err) < 0)
			return LOG_SCAN_FAULT;
		if (bytes.n == 0)
			return LOG_SCAN_NONE;
		crc = crc32c(crc, bytes);
	}
	if (window_at(s, end, (size_t)(r->next - end), r->next, &bytes, err) < 0)
		return LOG_SCAN_FAULT;
	if (bytes.n < r->next - end || !log_frame_check_tail(crc, head, bytes))
		return LOG_SCAN_NONE;
	r->payload = span_make(NULL, r->n);
	return LOG_SCAN_FOUND;
}

static enum log_scan_result
scan_small(struct log_scan *s, struct log_record *r, struct err *err)
{
	size_t n = (size_t)(r->next - r->offset);
	struct span bytes;

	if (window_at(s, r->offset, n, r->next, &bytes, err) < 0)
		return LOG_SCAN_FAULT;
	return log_frame_check(&s->file.id, r->offset, bytes, r) == LOG_FRAME_OK
		   ? LOG_SCAN_FOUND
		   : LOG_SCAN_NONE;
}

enum log_scan_result
log_scan_at(struct log_scan *s, uint64_t offset, uint64_t limit, struct log_record *out,
	    struct err *err)
{
	enum log_scan_result result;
	struct log_record r;
	struct span head;

	if (offset > limit || limit - offset < log_frame_bytes(0))
		return LOG_SCAN_NONE;
	if (window_at(s, offset, LOG_HEAD_BYTES, limit, &head, err) < 0)
		return LOG_SCAN_FAULT;
	head = span_first(head, LOG_HEAD_BYTES);
	if (log_frame_check(&s->file.id, offset, head, &r) == LOG_FRAME_BAD)
		return LOG_SCAN_NONE;
	if (r.next > limit)
		return LOG_SCAN_NONE;
	if (s->wasted / WASTED_FACTOR > limit + WASTED_FLOOR)
		return err_set(err, "log: file %llu is full of false records",
			       (unsigned long long)s->file.id.number);
	result = r.next - offset <= LOG_WINDOW_BYTES ? scan_small(s, &r, err)
						     : scan_large(s, &r, err);
	if (result == LOG_SCAN_NONE)
		s->wasted += r.next - offset;
	if (result == LOG_SCAN_FOUND)
		*out = r;
	return result;
}

/* How many bytes at the front are words of zeros, where no record starts. */
static size_t
zeros_ahead(struct span bytes)
{
	size_t n = 0;
	uint64_t word;

	for (; bytes.n - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, bytes.at + n, sizeof(word));
		if (word != 0)
			break;
	}
	return n;
}

enum log_scan_result
log_scan_seek(struct log_scan *s, uint64_t from, uint64_t limit, struct log_record *out,
	      struct err *err)
{
	while (from < limit && limit - from >= log_frame_bytes(0)) {
		enum log_scan_result result;
		struct span bytes;
		size_t zeros;

		if (window_at(s, from, LOG_HEAD_BYTES, limit, &bytes, err) < 0)
			return LOG_SCAN_FAULT;
		if (bytes.n < LOG_HEAD_BYTES)
			break; /* the file ends before the limit */
		zeros = zeros_ahead(bytes);
		if (zeros > 0) {
			from += zeros;
			continue;
		}
		result = log_scan_at(s, from, limit, out, err);
		if (result != LOG_SCAN_NONE)
			return result;
		from += 8;
	}
	return LOG_SCAN_NONE;
}

int
log_scan_proof(struct log_scan *s, uint64_t from, uint64_t limit, uint64_t *synced,
	       struct err *err)
{
	enum log_scan_result result;
	struct log_record record;

	while ((result = log_scan_seek(s, from, limit, &record, err)) ==
	       LOG_SCAN_FOUND) {
		if (record.synced > *synced)
			*synced = record.synced;
		from = record.next;
	}
	return result == LOG_SCAN_FAULT ? -1 : 0;
}
