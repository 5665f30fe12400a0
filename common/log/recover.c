#include "common/log/recover.h"
#include "common/log/scan.h"
#include "common/log/write_all.h"

#include <errno.h>

static void
note_damage(struct log_recovery *out, const struct log_record *place)
{
	if (out->damaged_bytes == 0)
		out->damaged_at = place->offset;
	out->damaged_bytes += place->next - place->offset;
	out->damaged_to = place->next;
}

/* A reader that does not know the end finds it. */
static int
survey(struct log_reader *r, struct log_recovery *out, struct err *err)
{
	struct log_recovery found = {.end = 0};
	struct log_record record;
	enum log_read result;

	while ((result = log_reader_next(r, &record, err)) != LOG_READ_END) {
		if (result == LOG_READ_FAULT)
			return -1;
		if (result == LOG_READ_DAMAGE)
			note_damage(&found, &record);
		else
			found.records++;
	}
	found.end = r->at;
	found.synced = r->synced;
	found.claimed = r->claimed;
	found.unreadable = r->scan.unreadable;
	if (r->limit > found.end)
		found.cut_bytes = r->limit - found.end;
	*out = found;
	return 0;
}

static int
survey_start(struct log_reader *r, const struct log_file *f, uint64_t known_synced,
	     struct err *err)
{
	if (known_synced > LOG_FILE_MAX)
		return err_set(err, "log: file %llu cannot have been synced to %llu",
			       (unsigned long long)f->id.number,
			       (unsigned long long)known_synced);
	log_reader_init(r, f, LOG_HEADER_BYTES, LOG_END_UNKNOWN);
	r->synced = known_synced & ~UINT64_C(7);
	return 0;
}

int
log_survey(const struct log_file *f, uint64_t known_synced, struct log_recovery *out,
	   struct err *err)
{
	struct log_reader r;
	int result;

	if (survey_start(&r, f, known_synced, err) < 0)
		return -1;
	result = survey(&r, out, err);
	log_reader_release(&r);
	return result;
}

/* Makes pages dirty that a failed sync may have left looking clean. */
static int
write_again(struct log_scan *s, uint64_t from, uint64_t end, struct err *err)
{
	const struct log_file *f = &s->file;
	struct span bytes;

	for (; from < end; from += bytes.n) {
		if (log_scan_bytes(s, from, end, &bytes, err) < 0)
			return -1;
		if (bytes.n == 0 || s->unreadable > from)
			return err_set(err, "log: file %llu changed during recovery",
				       (unsigned long long)f->id.number);
		if (log_write_span(f->io, f->fd, bytes, from, err) < 0)
			return -1;
	}
	return 0;
}

static int
sync_file(const struct log_file *f, struct err *err)
{
	if (f->io->fsync(f->io->disk, f->fd) < 0)
		return err_sys(err, "log: cannot sync file %llu",
			       (unsigned long long)f->id.number);
	return 0;
}

/* A last record that says: all before was synced. Written before the cut takes
 * away what says so now. */
static int
mark(const struct log_file *f, struct log_recovery *found, struct err *err)
{
	struct log_record r = {
	    .offset = found->end, .synced = found->end, .kind = LOG_KIND_MARK};
	char bytes[LOG_HEAD_BYTES + 11];
	size_t n;

	log_frame_put_head(&f->id, &r, bytes);
	n = log_frame_put_tail(log_frame_crc(&f->id, r.offset), &r, bytes,
			       bytes + LOG_HEAD_BYTES);
	n += LOG_HEAD_BYTES;
	if (log_write_span(f->io, f->fd, span_make(bytes, n), r.offset, err) < 0 ||
	    sync_file(f, err) < 0)
		return -1;
	found->end += n;
	found->cut_bytes -= found->cut_bytes < n ? found->cut_bytes : n;
	found->synced = found->claimed = r.synced;
	return 0;
}

static int
cut(const struct log_file *f, struct log_recovery *found, struct err *err)
{
	if (found->claimed < found->damaged_to &&
	    found->end <= LOG_FILE_MAX - log_frame_bytes(0) && mark(f, found, err) < 0)
		return -1;
	if (f->io->ftruncate(f->io->disk, f->fd, found->end) < 0)
		return err_sys(err, "log: cannot cut file %llu",
			       (unsigned long long)f->id.number);
	return 0;
}

/* What cannot be read could be records, even acknowledged ones. */
static int
check_readable(const struct log_file *f, const struct log_recovery *found,
	       struct err *err)
{
	if (found->unreadable <= found->end)
		return 0;
	errno = EIO;
	return err_sys(err, "log: cannot read file %llu before %llu",
		       (unsigned long long)f->id.number,
		       (unsigned long long)found->unreadable);
}

static int
settle(struct log_reader *r, enum log_shape shape, struct log_recovery *found,
       struct err *err)
{
	const struct log_file *f = &r->scan.file;
	uint64_t from = found->synced, end = found->end;

	if (from < LOG_HEADER_BYTES)
		from = LOG_HEADER_BYTES;
	if (shape == LOG_GROWS && check_readable(f, found, err) < 0)
		return -1;
	log_scan_reset(&r->scan);
	r->scan.unreadable = 0;
	if (from < end && write_again(&r->scan, from, end, err) < 0)
		return -1;
	if (shape == LOG_GROWS && cut(f, found, err) < 0)
		return -1;
	if (shape == LOG_PREWRITTEN && from >= end)
		return 0;
	/* Always in a growing file: an earlier cut may not have been synced. */
	return sync_file(f, err);
}

int
log_recover(const struct log_file *f, enum log_shape shape, uint64_t known_synced,
	    struct log_recovery *out, struct err *err)
{
	struct log_recovery found;
	struct log_reader r;
	int result;

	if (survey_start(&r, f, known_synced, err) < 0)
		return -1;
	result = survey(&r, &found, err);
	if (result == 0)
		result = settle(&r, shape, &found, err);
	log_reader_release(&r);
	if (result == 0)
		*out = found;
	return result;
}
