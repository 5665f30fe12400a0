/* texts, from their file or made anew */
#include "common/store/text_internal.h"

#include <errno.h>
#include <stdio.h>

#define WINDOW_BYTES (256u << 10) /* of chunks read for one block */
#define KEEP_BYTES   (1u << 20)   /* more working memory is given back */

struct text_work *
text_work_of(struct store *s)
{
	struct text_work *w = s->text_work;

	if (w)
		return w;
	w = s->text_work = memory_new(1, sizeof(*w));
	w->renderer = text_renderer_new(text_charsets_mime(s->charsets));
	buf_init(&w->prefix, JOURNAL_EVENT_MAX);
	buf_init(&w->content, LOG_RECORD_MAX);
	buf_init(&w->window, WINDOW_BYTES + TEXT_CHUNK_MAX);
	buf_init(&w->frames, TEXT_PENDING_MAX * 2);
	return w;
}

void
text_work_free(struct text_work **work)
{
	struct text_work *w = *work;

	if (!w)
		return;
	text_renderer_free(&w->renderer);
	buf_release(&w->prefix);
	buf_release(&w->content);
	buf_release(&w->window);
	buf_release(&w->frames);
	free(w->items);
	free(w);
	*work = NULL;
}

static void
keep_little(struct buf *b)
{
	if (b->size > KEEP_BYTES)
		buf_release(b);
	buf_reset(b);
}

/* --- one message ---------------------------------------------------------- */

/* Is there a journal file that the view does not know? Then what was not found may be
 * where that says; else it is lost. */
static bool
has_moved(const struct store_account *a)
{
	const struct log_io *io = a->store->io;
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "%s%llu", file_kinds[FILE_JOURNAL].prefix,
		 (unsigned long long)a->files[FILE_JOURNAL].id.number + 1);
	fd = io->open(io->disk, a->dir, name, LOG_READ);
	if (fd >= 0)
		io->close(io->disk, fd);
	return fd >= 0;
}

enum store_result
text_make(struct store_account *a, const struct store_record *r, struct span *out,
	  struct err *err)
{
	struct text_work *w = text_work_of(a->store);
	struct span prefix, content;
	enum store_result result;

	keep_little(&w->content);
	result = prefix_get(a, r, &w->prefix, &prefix, err);
	if (result == STORE_OK)
		result = data_fetch(a, r, &w->content, &content, err);
	if (result == STORE_NONE && !has_moved(a))
		return STORE_DAMAGED;
	if (result != STORE_OK)
		return result;
	*out = text_render(w->renderer, prefix, content);
	return STORE_OK;
}

static void
damaged_set(const struct store_account *a, const struct store_record *r,
	    struct err *err)
{
	err_set(err, "store: account %016llx mailbox %u uid %u is damaged",
		(unsigned long long)a->id, r->mailbox, r->uid);
}

/* --- chunks --------------------------------------------------------------- */

bool
text_chunk_read(struct store_account *a, struct text_file *t, uint32_t chunk,
		struct span *out)
{
	const struct text_chunk *c = &t->chunks[chunk];
	const struct log_file *f = text_file_open(a, t);
	struct buf *window = &text_work_of(a->store)->window;
	struct log_record record;
	size_t start = window->n;
	ssize_t got;
	char *at;

	if (c->bytes == 0 || !f)
		return false;
	at = buf_extend(window, c->bytes);
	if (!at)
		return false;
	do
		got = f->io->pread(f->io->disk, f->fd, at, c->bytes, c->offset);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)c->bytes ||
	    log_frame_check(&f->id, c->offset, span_make(at, c->bytes), &record) !=
		LOG_FRAME_OK) {
		window->n = start;
		return false;
	}
	*out = record.payload;
	return true;
}

/* The text of an entry in its chunk; false when it is another message's. */
static bool
entry_view(const struct text_entry *e, struct span payload,
	   const struct store_record *r, struct text_parts *out)
{
	struct text_row row;

	/* The file may be another one by now. */
	if (!text_row_get(payload, e->row, &row) ||
	    (uint64_t)e->at + row.bytes >= payload.n)
		return false;
	if (memcmp(row.guid, r->guid, sizeof(row.guid)) != 0)
		return false;
	*out = text_view(span_first(span_after(payload, e->at), row.bytes));
	return true;
}

enum store_result
store_text_of(struct store_account *a, const struct store_record *r,
	      struct text_parts *out, struct err *err)
{
	struct text_file *t = text_file_get(a, r->data_number);
	struct buf *window = &text_work_of(a->store)->window;
	const struct text_entry *e;
	enum store_result result;
	struct span bytes;
	size_t hint = 0;

	keep_little(window);
	e = text_file_find(t, r->data_offset, &hint);
	if (e && !text_chunk_read(a, t, e->chunk, &bytes))
		text_chunk_damaged(a, t, e->chunk);
	else if (e && entry_view(e, bytes, r, out))
		return STORE_OK;
	result = text_make(a, r, &bytes, err);
	if (result == STORE_DAMAGED)
		damaged_set(a, r, err);
	if (result == STORE_OK)
		*out = text_view(bytes);
	return result;
}

/* --- many ----------------------------------------------------------------- */

struct gathering {
	struct store_account *account;
	struct text_work *work;
	struct text_file *file;
	size_t n;       /* items */
	uint32_t chunk; /* that `payload` is of */
	struct span payload;
	uint64_t low, high; /* of the file: where chunks may lie */
};

static void
item_add(struct gathering *g, const struct store_text_item *item)
{
	struct text_work *w = g->work;

	if (g->n == w->size_items) {
		w->size_items = w->size_items ? 2 * w->size_items : 256;
		w->items = memory_resize(w->items, w->size_items, sizeof(*w->items));
	}
	w->items[g->n++] = *item;
}

/* Has the payload of that chunk at hand. False when it cannot be, or would be too much.
 */
static bool
gather_chunk(struct gathering *g, uint32_t chunk)
{
	const struct text_chunk *c = &g->file->chunks[chunk];
	struct buf *window = &g->work->window;

	if (g->payload.at && g->chunk == chunk)
		return true;
	if (g->n > 0 && window->n + c->bytes > WINDOW_BYTES)
		return false;
	/* Spans into the window must stay. */
	if (window->n + c->bytes > window->size && g->n > 0)
		return false;
	if (!text_chunk_read(g->account, g->file, chunk, &g->payload)) {
		text_chunk_damaged(g->account, g->file, chunk);
		g->payload.at = NULL;
		return false;
	}
	g->chunk = chunk;
	return true;
}

/* False when the text is not in the file, or not near. */
static bool
gather_one(struct gathering *g, const struct store_record *r, size_t *hint)
{
	struct store_text_item item = {.record = r};
	const struct text_entry *e;

	if (r->data_number != g->file->number)
		return false;
	e = text_file_find(g->file, r->data_offset, hint);
	if (!e || !gather_chunk(g, e->chunk) ||
	    !entry_view(e, g->payload, r, &item.text))
		return false;
	item_add(g, &item);
	return true;
}

/* The one message, made. OK, NONE, FAULT. */
static enum store_result
gather_made(struct gathering *g, const struct store_record *r,
	    struct store_text_block *out, struct err *err)
{
	struct store_text_item item = {.record = r};
	enum store_result result = text_make(g->account, r, &out->all, err);

	if (result != STORE_OK && result != STORE_DAMAGED)
		return result;
	item.damaged = result == STORE_DAMAGED;
	if (item.damaged)
		out->all = SPAN("");
	item.text = text_view(out->all);
	item_add(g, &item);
	out->bytes = r->content_bytes;
	return STORE_OK;
}

/* As store_text_block(); NONE: what was to be read has moved. */
static enum store_result
block_get(struct store_account *a, uint32_t mailbox, struct store_range uids,
	  struct store_text_block *out, struct err *err)
{
	struct gathering g = {.account = a, .work = text_work_of(a->store)};
	const struct store_record *first = store_find_from(a, mailbox, uids.first);
	const struct store_record *r = first;
	struct buf *window = &g.work->window;
	enum store_result result = STORE_OK;
	bool made = false;
	size_t hint = 0;

	*out = (struct store_text_block){.all = SPAN("")};
	if (!first || first->uid > uids.last)
		return STORE_OK;
	keep_little(window);
	ASSERT(buf_extend(window, WINDOW_BYTES));
	buf_reset(window);
	g.file = text_file_get(a, first->data_number);
	while (r && r->uid <= uids.last && gather_one(&g, r, &hint))
		r = store_next(a, r);
	out->all = buf_span(window);
	out->bytes = out->all.n;
	if (g.n == 0) {
		made = true;
		result = gather_made(&g, first, out, err);
		r = store_next(a, first);
	}
	if (r && r->uid <= uids.last)
		out->next = r->uid;
	out->items = g.work->items;
	out->n = g.n;
	if (made && result == STORE_OK && !g.work->items[0].damaged)
		texts_keep(a, first, out->all, out->next == 0);
	return result;
}

enum store_result
store_text_block(struct store_account *a, uint32_t mailbox, struct store_range uids,
		 struct store_text_block *out, struct err *err)
{
	struct store_text_block block;
	enum store_result result = block_get(a, mailbox, uids, &block, err);

	if (result == STORE_NONE) {
		result = store_view_refresh(a, err);
		if (result == STORE_OK)
			result = block_get(a, mailbox, uids, &block, err);
		if (result == STORE_NONE)
			result = STORE_BUSY;
	}
	if (result == STORE_OK)
		*out = block;
	return result;
}
