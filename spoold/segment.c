#include "spoold/segment.h"

struct segment *
segment_new(const struct log_file *file, uint64_t limit)
{
	struct segment *s = memory_new(1, sizeof(*s));

	s->number = (uint32_t)file->id.number;
	s->file = *file;
	log_writer_init(&s->writer, &s->file, LOG_HEADER_BYTES, limit);
	return s;
}

void
segment_free(struct segment **s)
{
	if (!*s)
		return;
	ASSERT(!(*s)->syncing);
	log_file_close(&(*s)->file);
	free((*s)->pending);
	free(*s);
	*s = NULL;
}

static void
pending_push(struct segment *s, const struct pending *p)
{
	if (s->first + s->n == s->size && s->first > s->size / 2) {
		memmove(s->pending, s->pending + s->first, s->n * sizeof(*p));
		s->first = 0;
	}
	if (s->first + s->n == s->size) {
		s->size = s->size ? s->size * 2 : 64;
		s->pending = memory_resize(s->pending, s->size, sizeof(*p));
	}
	s->pending[s->first + s->n++] = *p;
}

static void
pending_add(struct segment *s, const struct spool_head *head, struct origin origin,
	    uint64_t offset, uint64_t payload_bytes)
{
	struct pending p = {.id = head->id,
			    .origin = origin,
			    .offset = offset,
			    .end = s->writer.position,
			    .content_bytes =
				payload_bytes - SPOOL_HEAD_BYTES - head->envelope_bytes,
			    .envelope_bytes = head->envelope_bytes,
			    .moved = head->flags & SPOOL_MOVED};

	pending_push(s, &p);
}

enum log_result
segment_append(struct segment *s, const struct letter *m, struct err *err)
{
	char head[SPOOL_HEAD_BYTES];
	struct span spans[2] = {span_make(head, sizeof(head)), m->bytes};
	enum log_result result;
	uint64_t offset;

	spool_head_put(&m->head, head);
	result = log_append(&s->writer, SPOOL_MESSAGE, spans, 2, &offset, err);
	if (result == LOG_OK)
		pending_add(s, &m->head, m->origin, offset, sizeof(head) + m->bytes.n);
	return result;
}

enum log_result
segment_stream_end(struct segment *s, const struct spool_head *head,
		   struct origin origin, uint64_t payload_bytes, struct err *err)
{
	enum log_result result;
	uint64_t offset;

	result = log_stream_end(&s->writer, &offset, err);
	if (result == LOG_OK)
		pending_add(s, head, origin, offset, payload_bytes);
	return result;
}

enum segment_wish
segment_wish(const struct segment *s, uint64_t now_us)
{
	if (s->n == 0 || s->syncing || s->state == SEGMENT_FAILED ||
	    s->state == SEGMENT_UNUSED)
		return SEGMENT_WISH_NONE;
	if (s->state == SEGMENT_OPEN && s->n < s->gather && now_us < s->gather_until_us)
		return SEGMENT_WISH_LATER;
	return SEGMENT_WISH_SYNC;
}

static void
sync_work(struct proc_job *job)
{
	struct segment *s =
	    (struct segment *)((char *)job - offsetof(struct segment, job));

	s->result = log_file_sync(&s->file, &s->err);
}

/* One more is hoped for after they came in time often, sooner where several send
 * anyway; one less after they did not. */
static void
gather_learn(struct segment *s)
{
	unsigned try = s->gather < 4 ? SEGMENT_GATHER_TRY : SEGMENT_GATHER_TRY / 4;

	if (s->n < s->gather) {
		s->gather--;
		s->gathered = 0;
	} else if (++s->gathered >= try) {
		s->gather = s->gather ? s->gather + 1 : 2;
		s->gathered = 0;
	}
}

void
segment_sync_begin(struct segment *s)
{
	ASSERT(!s->syncing);
	gather_learn(s);
	s->syncing = true;
	s->covered = log_sync_begin(&s->writer);
	s->job.work = sync_work;
}

enum log_result
segment_sync_end(struct segment *s, uint64_t now_us)
{
	s->syncing = false;
	s->gather_until_us = now_us + SEGMENT_GATHER_US;
	return log_sync_end(&s->writer, s->covered, s->result, &s->err);
}

bool
segment_next(struct segment *s, bool all, struct pending *out)
{
	if (s->n == 0 || (!all && s->pending[s->first].end > s->writer.synced))
		return false;
	*out = s->pending[s->first++];
	if (--s->n == 0)
		s->first = 0;
	return true;
}
