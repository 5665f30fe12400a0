#include "common/log/scan.h"

#include <errno.h>

/* Appends to `hold` what the file has from `offset` on, n bytes at most. */
static int
fetch_bytes(const struct log_file *f, uint64_t offset, size_t n, struct buf *hold,
	    struct err *err)
{
	size_t before = hold->n, done = 0;
	char *at = buf_extend(hold, n);

	while (at && done < n) {
		ssize_t got = f->io->pread(f->io->disk, f->fd, at + done, n - done,
					   offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			hold->n = before;
			return err_sys(err, "log: cannot read file %llu at %llu",
				       (unsigned long long)f->id.number,
				       (unsigned long long)offset);
		}
		if (got == 0)
			break;
		done += (size_t)got;
	}
	hold->n = before + done;
	return 0;
}

enum log_read
log_fetch(const struct log_file *f, uint64_t offset, size_t hint, struct buf *hold,
	  struct log_record *record, struct err *err)
{
	uint64_t want = log_frame_bytes(hint < LOG_RECORD_MAX ? hint : LOG_RECORD_MAX);
	enum log_frame found;
	struct log_record r;

	if (offset % 8 != 0 || offset < LOG_HEADER_BYTES || offset > LOG_FILE_MAX)
		return LOG_READ_DAMAGE;
	buf_reset(hold);
	want = want < hold->max ? want : hold->max;
	if (fetch_bytes(f, offset, (size_t)want, hold, err) < 0)
		return LOG_READ_FAULT;
	found = log_frame_check(&f->id, offset, buf_span(hold), &r);
	if (found == LOG_FRAME_SHORT && r.next - offset <= hold->max) {
		want = r.next - offset - hold->n;
		if (fetch_bytes(f, offset + hold->n, (size_t)want, hold, err) < 0)
			return LOG_READ_FAULT;
		found = log_frame_check(&f->id, offset, buf_span(hold), &r);
	}
	if (found != LOG_FRAME_OK || r.kind == LOG_KIND_MARK)
		return LOG_READ_DAMAGE;
	*record = r;
	return LOG_READ_RECORD;
}

enum log_read
log_verify(const struct log_file *f, uint64_t offset, struct log_record *record,
	   struct err *err)
{
	enum log_scan_result found;
	struct log_scan s;
	struct log_record r;

	if (offset % 8 != 0 || offset < LOG_HEADER_BYTES || offset > LOG_FILE_MAX)
		return LOG_READ_DAMAGE;
	log_scan_init(&s, f);
	found = log_scan_at(&s, offset, LOG_FILE_MAX, &r, err);
	log_scan_release(&s);
	if (found == LOG_SCAN_FAULT)
		return LOG_READ_FAULT;
	if (found == LOG_SCAN_NONE || r.kind == LOG_KIND_MARK)
		return LOG_READ_DAMAGE;
	r.payload.at = NULL;
	*record = r;
	return LOG_READ_RECORD;
}
