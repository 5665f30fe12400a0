/* the files of a journal, one after the other */
#include "common/store/internal.h"

enum store_result
chain_head(const struct log_file *f, struct event *head, struct buf *hold,
	   struct err *err)
{
	uint64_t at = LOG_HEADER_BYTES;
	struct log_record record;

	/* It stands there twice. */
	for (int i = 0; i < 2; i++) {
		struct log_reader r;
		enum log_read result =
		    log_fetch(f, at, 4096 - LOG_HEAD_BYTES, hold, &record, err);

		if (result == LOG_READ_FAULT)
			return STORE_FAULT;
		if (result == LOG_READ_RECORD)
			return record.kind == EVENT_HEAD &&
				       event_get(record.kind, record.payload, 0, head)
				   ? STORE_OK
				   : STORE_NONE;
		log_reader_init(&r, f, at, LOG_END_UNKNOWN);
		result = log_reader_next(&r, &record, err);
		log_reader_release(&r);
		if (result == LOG_READ_FAULT)
			return STORE_FAULT;
		if (result != LOG_READ_DAMAGE)
			return STORE_NONE;
		at = record.next;
	}
	return STORE_NONE;
}

void
chain_release(struct chain *c)
{
	free(c->at);
	*c = (struct chain){0};
}

/* Puts a file of `size` bytes in front. Its end is `limit`, a position, or where it
 * ends. */
static void
chain_add(struct chain *c, const struct chain_file *file, uint64_t size, uint64_t limit)
{
	uint64_t base = file->head.base;

	c->at = memory_resize(c->at, c->n + 1, sizeof(*c->at));
	memmove(&c->at[1], &c->at[0], c->n * sizeof(*c->at));
	c->n++;
	c->at[0] = *file;
	if (limit == UINT64_MAX)
		c->at[0].end = LOG_END_UNKNOWN;
	else if (limit < base + LOG_HEADER_BYTES)
		c->at[0].end = LOG_HEADER_BYTES;
	else
		c->at[0].end = limit - base < size ? limit - base : size & ~UINT64_C(7);
}

/* OK, NONE (no journal file), FAULT. */
static enum store_result
chain_file_open(const struct store_account *a, uint64_t number, struct log_file *out,
		struct err *err)
{
	const struct log_dir dir = account_dir(a, FILE_JOURNAL);

	switch (log_dir_open(&dir, number, LOG_READ, out, err)) {
	case LOG_OPEN_OK:
		return STORE_OK;
	case LOG_OPEN_FAULT:
		return STORE_FAULT;
	default:
		return STORE_NONE;
	}
}

/* OK, NONE (no journal file), FAULT. */
static enum store_result
chain_look(const struct store_account *a, uint64_t number, struct buf *hold,
	   struct chain_file *out, uint64_t *size, struct err *err)
{
	enum store_result result;
	struct log_file file;
	struct event head;

	result = chain_file_open(a, number, &file, err);
	if (result != STORE_OK)
		return result;
	result = chain_head(&file, &head, hold, err);
	if (result == STORE_OK && log_file_size(&file, size, err) < 0)
		result = STORE_FAULT;
	log_file_close(&file);
	if (result == STORE_OK)
		*out = (struct chain_file){
		    .number = number, .head = head.head, .time_us = head.time_us};
	return result;
}

/* From the tail back, until `position` is reached. */
static enum store_result
chain_collect(struct store_account *a, const struct log_numbers *numbers,
	      uint64_t position, struct chain *out, struct err *err)
{
	struct buf hold = buf_make(JOURNAL_EVENT_MAX);
	enum store_result result = STORE_NONE;
	uint64_t limit = UINT64_MAX;

	for (size_t i = numbers->n; i-- > 0;) {
		struct chain_file f;
		uint64_t size;

		if (numbers->at[i] > a->files[FILE_JOURNAL].id.number)
			continue; /* begun by somebody else this moment */
		result = chain_look(a, numbers->at[i], &hold, &f, &size, err);
		if (result == STORE_NONE)
			continue;
		if (result == STORE_FAULT)
			break;
		chain_add(out, &f, size, limit);
		if (f.head.previous_end < limit)
			limit = f.head.previous_end;
		if (f.head.snapshot || (position > 0 && f.head.base <= position))
			break;
	}
	buf_release(&hold);
	return result == STORE_FAULT ? STORE_FAULT : STORE_OK;
}

enum store_result
chain_open(struct store_account *a, uint64_t position, struct chain *out,
	   struct err *err)
{
	struct log_dir dir = account_dir(a, FILE_JOURNAL);
	struct log_numbers numbers;
	enum store_result result;

	*out = (struct chain){.account = a};
	dir.io = &a->store->lazy; /* who only looks need not sync names */
	if (log_dir_list(&dir, &numbers, err) < 0)
		return STORE_FAULT;
	result = chain_collect(a, &numbers, position, out, err);
	log_numbers_release(&numbers);
	if (result == STORE_OK &&
	    (out->n == 0 || (position > 0 && out->at[0].head.base > position)))
		result = STORE_NONE;
	if (result != STORE_OK)
		chain_release(out);
	return result;
}

/* The payload of a record that is larger than the reader's window. */
static int
payload_get(const struct log_file *f, struct log_record *record, struct buf *hold,
	    struct err *err)
{
	struct log_record whole;

	if (record->payload.at)
		return 0;
	if (log_fetch(f, record->offset, record->n, hold, &whole, err) ==
	    LOG_READ_FAULT)
		return -1;
	record->payload = whole.payload;
	return 0;
}

struct walking {
	struct chain_walk *walk;
	uint64_t from, to;
	struct buf hold;
	bool ended;
};

static int
file_walk(struct walking *w, const struct chain_file *f, const struct log_file *file,
	  struct err *err)
{
	uint64_t start = w->from > f->head.base ? w->from - f->head.base : 0;
	struct log_reader r;
	struct log_record record;
	enum log_read result;
	int fault = 0;

	log_reader_init(&r, file, start < LOG_HEADER_BYTES ? LOG_HEADER_BYTES : start,
			f->end);
	while (!w->ended && fault == 0 &&
	       (result = log_reader_next(&r, &record, err)) != LOG_READ_END) {
		uint64_t position = f->head.base + record.next;
		struct event e;

		if (result == LOG_READ_FAULT) {
			fault = -1;
		} else if (position > w->to) {
			w->ended = true;
		} else if (result == LOG_READ_DAMAGE) {
			if (w->walk->damage)
				w->walk->damage(w->walk, &record, (uint32_t)f->number);
		} else if ((fault = payload_get(file, &record, &w->hold, err)) == 0 &&
			   event_get(record.kind, record.payload, position, &e)) {
			e.file = (uint32_t)f->number;
			e.offset = (uint32_t)record.offset;
			w->ended = !w->walk->event(w->walk, &e);
		}
	}
	log_reader_release(&r);
	return fault;
}

int
chain_walk(const struct chain *c, uint64_t from, uint64_t to, struct chain_walk *walk,
	   struct err *err)
{
	struct walking w = {walk, from, to, buf_make(JOURNAL_EVENT_MAX), false};
	int result = 0;

	for (size_t i = 0; i < c->n && result == 0 && !w.ended; i++) {
		struct log_file file;

		result = -1;
		switch (chain_file_open(c->account, c->at[i].number, &file, err)) {
		case STORE_OK:
			result = file_walk(&w, &c->at[i], &file, err);
			log_file_close(&file);
			break;
		case STORE_FAULT:
			break;
		default:
			err_set(err, "store: journal.%llu can no longer be read",
				(unsigned long long)c->at[i].number);
		}
	}
	buf_release(&w.hold);
	return result;
}

int
chain_walk_all(struct store_account *a, struct chain_walk *walk, struct err *err)
{
	struct chain c;
	int result;

	switch (chain_open(a, 0, &c, err)) {
	case STORE_OK:
		break;
	case STORE_FAULT:
		return -1;
	default:
		return err_set(err, "store: account %llx has no journal",
			       (unsigned long long)a->id);
	}
	result = chain_walk(&c, 0, a->state.position, walk, err);
	chain_release(&c);
	return result;
}
