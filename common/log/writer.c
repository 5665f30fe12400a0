#include "common/log/writer.h"
#include "common/log/write_all.h"

#define IOVECS_MAX (LOG_SPANS_MAX + 2)

/* What one call writes, and how many of its bytes are payload. */
struct gather {
	struct iovec v[IOVECS_MAX];
	int n;
	uint64_t bytes;
};

static void
gather_add(struct gather *g, const char *at, size_t n)
{
	g->v[g->n++] = (struct iovec){(char *)(uintptr_t)at, n};
}

static void
gather_payload(struct gather *g, const struct span *spans, size_t n)
{
	ASSERT(n <= LOG_SPANS_MAX);
	for (size_t i = 0; i < n; i++) {
		gather_add(g, spans[i].at, spans[i].n);
		g->bytes += spans[i].n;
	}
}

static uint32_t
crc_spans(uint32_t crc, const struct span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		crc = crc32c(crc, spans[i]);
	return crc;
}

void
log_writer_init(struct log_writer *w, const struct log_file *f, uint64_t position,
		uint64_t limit)
{
	ASSERT(position % 8 == 0 && position >= LOG_HEADER_BYTES);
	ASSERT(limit <= LOG_FILE_MAX);
	*w = (struct log_writer){
	    .file = *f, .position = position, .synced = position, .limit = limit};
}

/* The only way to die; for ever. */
static enum log_result
writer_die(struct log_writer *w, const struct err *fault)
{
	w->dead = true;
	w->fault = *fault;
	w->stream.open = false;
	return LOG_DEAD;
}

static enum log_result
writer_dead(const struct log_writer *w, struct err *err)
{
	*err = w->fault;
	return LOG_DEAD;
}

static enum log_result
writer_put(struct log_writer *w, struct gather *g, uint64_t offset, struct err *err)
{
	if (log_write_all(w->file.io, w->file.fd, g->v, g->n, offset, err) < 0)
		return writer_die(w, err);
	return LOG_OK;
}

bool
log_writer_room(const struct log_writer *w, uint64_t n)
{
	return n <= LOG_RECORD_MAX && w->position <= w->limit &&
	       log_frame_bytes(n) <= w->limit - w->position;
}

static struct log_record
writer_record(const struct log_writer *w, uint64_t n, uint16_t kind)
{
	return (struct log_record){.offset = w->position,
				   .next = w->position + log_frame_bytes(n),
				   .synced = w->synced,
				   .n = (uint32_t)n,
				   .kind = kind};
}

enum log_result
log_append(struct log_writer *w, uint16_t kind, const struct span *spans,
	   size_t n_spans, uint64_t *offset, struct err *err)
{
	struct gather g = {.n = 1}; /* the first place is the head's */
	struct log_record record;
	char head[LOG_HEAD_BYTES], tail[11];
	uint32_t crc;

	ASSERT(!w->stream.open && kind != LOG_KIND_MARK);
	if (w->dead)
		return writer_dead(w, err);
	gather_payload(&g, spans, n_spans);
	if (!log_writer_room(w, g.bytes))
		return LOG_FULL;
	record = writer_record(w, g.bytes, kind);
	log_frame_put_head(&w->file.id, &record, head);
	g.v[0] = (struct iovec){head, sizeof(head)};
	crc = crc_spans(log_frame_crc(&w->file.id, record.offset), spans, n_spans);
	gather_add(&g, tail, log_frame_put_tail(crc, &record, head, tail));
	if (writer_put(w, &g, record.offset, err) != LOG_OK)
		return LOG_DEAD;
	*offset = record.offset;
	w->position = record.next;
	return LOG_OK;
}

enum log_result
log_stream_begin(struct log_writer *w, uint16_t kind, struct err *err)
{
	ASSERT(!w->stream.open && kind != LOG_KIND_MARK);
	if (w->dead)
		return writer_dead(w, err);
	w->stream.open = true;
	w->stream.crc = log_frame_crc(&w->file.id, w->position);
	w->stream.n = 0;
	w->stream.kind = kind;
	return LOG_OK;
}

enum log_result
log_stream_piece(struct log_writer *w, const struct span *spans, size_t n_spans,
		 struct err *err)
{
	struct gather g = {.n = 0};

	if (w->dead)
		return writer_dead(w, err);
	ASSERT(w->stream.open);
	gather_payload(&g, spans, n_spans);
	if (!log_writer_room(w, w->stream.n + g.bytes)) {
		log_stream_abandon(w);
		return LOG_FULL;
	}
	w->stream.crc = crc_spans(w->stream.crc, spans, n_spans);
	if (writer_put(w, &g, w->position + LOG_HEAD_BYTES + w->stream.n, err) !=
	    LOG_OK)
		return LOG_DEAD;
	w->stream.n += g.bytes;
	return LOG_OK;
}

enum log_result
log_stream_end(struct log_writer *w, uint64_t *offset, struct err *err)
{
	struct gather front = {.n = 0}, back = {.n = 0};
	struct log_record record;
	char head[LOG_HEAD_BYTES], tail[11];

	if (w->dead)
		return writer_dead(w, err);
	ASSERT(w->stream.open);
	if (!log_writer_room(w, w->stream.n)) {
		log_stream_abandon(w);
		return LOG_FULL;
	}
	record = writer_record(w, w->stream.n, w->stream.kind);
	log_frame_put_head(&w->file.id, &record, head);
	gather_add(&front, head, sizeof(head));
	gather_add(&back, tail, log_frame_put_tail(w->stream.crc, &record, head, tail));
	if (writer_put(w, &back, record.offset + LOG_HEAD_BYTES + record.n, err) !=
		LOG_OK ||
	    writer_put(w, &front, record.offset, err) != LOG_OK)
		return LOG_DEAD;
	*offset = record.offset;
	w->position = record.next;
	w->stream.open = false;
	return LOG_OK;
}

void
log_stream_abandon(struct log_writer *w)
{
	w->stream.open = false;
}

uint64_t
log_sync_begin(const struct log_writer *w)
{
	return w->position;
}

enum log_result
log_sync_end(struct log_writer *w, uint64_t covered, int result, struct err *err)
{
	ASSERT(covered <= w->position);
	if (w->dead)
		return writer_dead(w, err);
	if (result < 0)
		return writer_die(w, err);
	if (covered > w->synced)
		w->synced = covered;
	return LOG_OK;
}

enum log_result
log_sync(struct log_writer *w, struct err *err)
{
	uint64_t covered = log_sync_begin(w);

	if (w->dead)
		return writer_dead(w, err);
	if (covered == w->synced)
		return LOG_OK;
	return log_sync_end(w, covered, log_file_sync(&w->file, err), err);
}
