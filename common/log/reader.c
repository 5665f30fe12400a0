#include "common/log/reader.h"
#include "common/log/scan.h"

void
log_reader_init(struct log_reader *r, const struct log_file *f, uint64_t from,
		uint64_t end)
{
	ASSERT(from % 8 == 0);
	*r = (struct log_reader){.at = from, .end = end};
	log_scan_init(&r->scan, f);
}

void
log_reader_release(struct log_reader *r)
{
	log_scan_release(&r->scan);
}

static enum log_read
reader_take(struct log_reader *r, const struct log_record *record)
{
	r->at = record->next;
	if (record->synced > r->claimed)
		r->claimed = record->synced;
	if (record->synced > r->synced)
		r->synced = record->synced;
	return LOG_READ_RECORD;
}

static enum log_read
reader_stop(struct log_reader *r)
{
	log_scan_reset(&r->scan);
	r->scan.wasted = 0;
	return LOG_READ_END;
}

static enum log_read
reader_skip(struct log_reader *r, uint64_t to, struct log_record *record)
{
	*record = (struct log_record){.offset = r->at, .payload_at = r->at, .next = to};
	r->at = to;
	return LOG_READ_DAMAGE;
}

/* Damage as far as the next record, but not beyond `to`. */
static enum log_read
reader_damage(struct log_reader *r, uint64_t limit, uint64_t to,
	      struct log_record *record, struct err *err)
{
	struct log_record after;

	switch (log_scan_seek(&r->scan, r->at, limit, &after, err)) {
	case LOG_SCAN_FOUND:
		return reader_skip(r, after.offset < to ? after.offset : to, record);
	case LOG_SCAN_NONE:
		return reader_skip(r, to, record);
	case LOG_SCAN_FAULT:
		break;
	}
	return LOG_READ_FAULT;
}

static enum log_read
reader_try(struct log_reader *r, uint64_t limit, struct log_record *record,
	   struct err *err)
{
	switch (log_scan_at(&r->scan, r->at, limit, record, err)) {
	case LOG_SCAN_FOUND:
		return reader_take(r, record);
	case LOG_SCAN_NONE:
		return LOG_READ_END;
	case LOG_SCAN_FAULT:
		break;
	}
	return LOG_READ_FAULT;
}

static int
reader_measure(struct log_reader *r, struct err *err)
{
	uint64_t size;

	if (log_file_size(&r->scan.file, &size, err) < 0)
		return -1;
	r->limit = size < LOG_FILE_MAX ? size : LOG_FILE_MAX;
	log_scan_reset(&r->scan);
	return 0;
}

/* A file that may be growing at this moment: look at it anew, and at what lies
 * further on, before calling a place damaged. */
static enum log_read
reader_follow(struct log_reader *r, struct log_record *record, struct err *err)
{
	enum log_read result;

	if (reader_measure(r, err) < 0)
		return LOG_READ_FAULT;
	result = reader_try(r, r->limit, record, err);
	if (result != LOG_READ_END)
		return result;
	if (r->at >= r->synced) {
		if (log_scan_proof(&r->scan, r->at, r->limit, &r->synced, err) < 0)
			return LOG_READ_FAULT;
		if (r->at >= r->synced)
			return reader_stop(r);
		/* The writer may have finished it before it wrote the proof, but
		 * after it was read here. */
		log_scan_reset(&r->scan);
		result = reader_try(r, r->limit, record, err);
		if (result != LOG_READ_END)
			return result;
	}
	return reader_damage(r, r->limit, r->synced, record, err);
}

static enum log_read
reader_step(struct log_reader *r, struct log_record *record, struct err *err)
{
	bool known = r->end != LOG_END_UNKNOWN;
	enum log_read result = reader_try(r, known ? r->end : r->limit, record, err);

	if (result != LOG_READ_END)
		return result;
	if (!known)
		return reader_follow(r, record, err);
	if (r->at >= r->end)
		return reader_stop(r);
	return reader_damage(r, r->end, r->end, record, err);
}

enum log_read
log_reader_next(struct log_reader *r, struct log_record *record, struct err *err)
{
	enum log_read result;

	do
		result = reader_step(r, record, err);
	while (result == LOG_READ_RECORD && record->kind == LOG_KIND_MARK);
	return result;
}
