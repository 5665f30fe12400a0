/* the directory of a text.N in memory: which messages have a text, and where */
#include "common/store/text_internal.h"

#include <errno.h>

#define LATE_MAX   4096 /* entries out of order before they are merged */
#define LOOK_BYTES 1024 /* of a chunk, at first */

/* --- entries -------------------------------------------------------------- */

/* The first that is not below. */
static size_t
lower(const struct text_entry *at, size_t n, uint32_t data_offset)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (at[middle].data_offset < data_offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct text_entry *at, size_t n, size_t i, uint32_t data_offset)
{
	return i < n && at[i].data_offset == data_offset;
}

const struct text_entry *
text_file_find(const struct text_file *t, uint32_t data_offset, size_t *hint)
{
	const struct text_entry *found = NULL;
	size_t i = *hint;

	if (!is_at(t->base, t->n, i, data_offset))
		i = lower(t->base, t->n, data_offset);
	if (is_at(t->base, t->n, i, data_offset)) {
		*hint = i + 1;
		found = &t->base[i];
	} else if (t->n_late > 0) {
		i = lower(t->late, t->n_late, data_offset);
		if (is_at(t->late, t->n_late, i, data_offset))
			found = &t->late[i];
	}
	return found && t->chunks[found->chunk].bytes > 0 ? found : NULL;
}

static void
base_reserve(struct text_file *t, size_t n)
{
	if (n <= t->size)
		return;
	t->size = n + n / 2 + 16;
	t->base = memory_resize(t->base, t->size, sizeof(*t->base));
}

/* From behind, so that it needs no second array. */
static void
late_merge(struct text_file *t)
{
	size_t i = t->n, k = t->n_late, to = t->n + t->n_late;

	base_reserve(t, to);
	t->n = to;
	while (k > 0) {
		if (i > 0 && t->base[i - 1].data_offset > t->late[k - 1].data_offset)
			t->base[--to] = t->base[--i];
		else
			t->base[--to] = t->late[--k];
	}
	t->n_late = 0;
}

static void
late_insert(struct text_file *t, size_t i, const struct text_entry *e)
{
	if (!t->late)
		t->late = memory_new(LATE_MAX, sizeof(*t->late));
	memmove(&t->late[i + 1], &t->late[i], (t->n_late - i) * sizeof(*t->late));
	t->late[i] = *e;
	if (++t->n_late == LATE_MAX)
		late_merge(t);
}

void
text_file_add(struct text_file *t, const struct text_row *row, uint32_t at,
	      uint32_t index)
{
	const struct text_entry e = {row->data_offset, (uint32_t)t->n_chunks - 1, at,
				     index};
	size_t i, k;

	if (e.data_offset > t->top)
		t->top = e.data_offset;
	if (!t->loaded)
		return;
	i = lower(t->base, t->n, e.data_offset);
	k = lower(t->late, t->n_late, e.data_offset);
	if (is_at(t->base, t->n, i, e.data_offset)) {
		t->base[i] = e;
	} else if (is_at(t->late, t->n_late, k, e.data_offset)) {
		t->late[k] = e;
	} else if (i == t->n && k == t->n_late && k == 0) {
		base_reserve(t, t->n + 1);
		t->base[t->n++] = e;
	} else {
		late_insert(t, k, &e);
	}
}

void
text_file_add_chunk(struct text_file *t, uint64_t offset, uint64_t bytes)
{
	if (!t->loaded)
		return;
	if (t->n_chunks == t->size_chunks) {
		t->size_chunks = t->size_chunks ? t->size_chunks * 3 / 2 + 1 : 16;
		t->chunks =
		    memory_resize(t->chunks, t->size_chunks, sizeof(*t->chunks));
	}
	t->chunks[t->n_chunks] = (struct text_chunk){offset, (uint32_t)bytes};
	t->n_chunks++;
}

void
text_chunk_damaged(struct store_account *a, struct text_file *t, uint32_t chunk)
{
	t->chunks[chunk].bytes = 0;
	texts_look_again(a);
}

void
text_file_reset(struct text_file *t)
{
	free(t->base);
	free(t->late);
	free(t->chunks);
	*t = (struct text_file){.number = t->number, .loaded = true};
}

/* --- reading it ----------------------------------------------------------- */

/* Bytes of the file from `offset` on; returns how many came. */
static size_t
look(const struct log_file *f, uint64_t offset, size_t n, struct buf *hold)
{
	ssize_t got;
	char *at;

	buf_reset(hold);
	at = buf_extend(hold, n);
	if (!at)
		return 0;
	do
		got = f->io->pread(f->io->disk, f->fd, at, n, offset);
	while (got < 0 && errno == EINTR);
	hold->n = got > 0 ? (size_t)got : 0;
	return hold->n;
}

/* Takes the table of the chunk at `offset`; false when it is damaged. The texts are
 * checked when they are read. */
static bool
chunk_take(struct text_file *t, const struct log_file *f, const struct log_record *r,
	   struct buf *hold)
{
	struct span payload = span_after(buf_span(hold), LOG_HEAD_BYTES);
	size_t n = text_table_bytes(payload);
	uint32_t rules, rows, at = (uint32_t)n;

	if (n == 0 || n > r->n)
		return false;
	if (payload.n < n) {
		if (look(f, r->offset, LOG_HEAD_BYTES + n, hold) < LOG_HEAD_BYTES + n)
			return false;
		payload = span_after(buf_span(hold), LOG_HEAD_BYTES);
	}
	payload = span_first(payload, n);
	if (!text_table_check(payload, r->n, &rules, &rows))
		return false;
	if (rules != text_rules()) {
		t->old = true;
		return true;
	}
	text_file_add_chunk(t, r->offset, r->next - r->offset);
	for (uint32_t i = 0; i < rows; i++) {
		struct text_row row;

		if (!text_row_get(payload, i, &row))
			return false;
		text_file_add(t, &row, at, i);
		at += row.bytes + 1;
	}
	return true;
}

/* The head of a chunk at `offset`; false when there is none. */
static bool
chunk_head(const struct log_file *f, uint64_t offset, uint64_t size, struct buf *hold,
	   struct log_record *out)
{
	if (look(f, offset, LOOK_BYTES, hold) < LOG_HEAD_BYTES)
		return false;
	return log_frame_check(&f->id, offset, buf_span(hold), out) != LOG_FRAME_BAD &&
	       out->kind == TEXT_RECORD && out->next <= size &&
	       out->next - offset <= TEXT_CHUNK_MAX;
}

/* The next good chunk after one whose head is lost; false when there is none. */
static bool
chunk_seek(const struct log_file *f, uint64_t from, uint64_t size, uint64_t *offset)
{
	struct log_record record;
	struct log_reader r;
	enum log_read got;
	struct err ignored;

	log_reader_init(&r, f, from, size & ~UINT64_C(7));
	do
		got = log_reader_next(&r, &record, &ignored);
	while (got == LOG_READ_DAMAGE);
	log_reader_release(&r);
	*offset = record.offset;
	return got == LOG_READ_RECORD;
}

void
text_file_follow(struct store_account *a, struct text_file *t, const struct log_file *f)
{
	struct buf hold =
	    buf_make(LOG_HEAD_BYTES + TEXT_HEAD_BYTES + TEXT_ROWS_MAX * TEXT_ROW_BYTES);
	struct log_record record;
	struct err ignored;
	uint64_t size, at;

	if (t->end > 0 && t->salt != f->id.salt) {
		text_file_reset(t);
		texts_look_again(a);
	}
	if (t->end == 0) {
		t->salt = f->id.salt;
		t->end = LOG_HEADER_BYTES;
	}
	if (log_file_size(f, &size, &ignored) < 0)
		size = 0;
	for (at = t->end; at < size; at = record.next) {
		if (!chunk_head(f, at, size, &hold, &record)) {
			if (!chunk_seek(f, at, size, &at) ||
			    !chunk_head(f, at, size, &hold, &record))
				break;
		}
		(void)chunk_take(t, f, &record, &hold);
		t->end = record.next;
	}
	buf_release(&hold);
}

const struct log_file *
text_file_open(struct store_account *a, const struct text_file *t)
{
	const struct log_file *f;
	struct err ignored;

	if (account_file(a, FILE_TEXT, t->number, &f, &ignored) != STORE_OK)
		return NULL;
	if (f->id.salt == t->salt)
		return f;
	log_file_close(&a->cached[FILE_TEXT]);
	if (account_file(a, FILE_TEXT, t->number, &f, &ignored) != STORE_OK)
		return NULL;
	return f->id.salt == t->salt ? f : NULL;
}

/* --- all of an account ---------------------------------------------------- */

static struct text_file *
file_insert(struct texts *texts, size_t i, uint32_t number)
{
	texts->files = memory_resize(texts->files, texts->n + 1, sizeof(*texts->files));
	memmove(&texts->files[i + 1], &texts->files[i],
		(texts->n - i) * sizeof(*texts->files));
	texts->n++;
	texts->files[i] = (struct text_file){.number = number};
	return &texts->files[i];
}

static size_t
file_lower(const struct texts *texts, uint32_t number)
{
	size_t low = 0, high = texts->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (texts->files[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* That of text.N, loaded or not. */
static struct text_file *
file_slot(struct store_account *a, uint32_t number)
{
	struct texts *texts = texts_of(a);
	size_t i = file_lower(texts, number);

	if (i < texts->n && texts->files[i].number == number)
		return &texts->files[i];
	return file_insert(texts, i, number);
}

static void
file_load(struct store_account *a, struct text_file *t)
{
	const struct log_file *f;
	struct err ignored;

	text_file_reset(t);
	if (account_file(a, FILE_TEXT, t->number, &f, &ignored) == STORE_OK)
		text_file_follow(a, t, f);
}

struct text_file *
text_file_get(struct store_account *a, uint32_t number)
{
	struct text_file *t = file_slot(a, number);

	if (!t->loaded)
		file_load(a, t);
	return t;
}

enum text_presence
text_file_has(struct store_account *a, const struct store_record *r, size_t *hint)
{
	struct text_file *t = file_slot(a, r->data_number);

	if (!t->loaded && t->end > 0 && r->data_offset > t->top)
		return TEXT_MISSING;
	if (t->loaded)
		return text_file_find(t, r->data_offset, hint) ? TEXT_THERE
							       : TEXT_MISSING;
	file_load(a, t);
	return TEXT_LOADED;
}

struct text_file *
text_file_tail(struct store_account *a, uint32_t number)
{
	struct text_file *t = file_slot(a, number);

	return t->end > 0 ? t : text_file_get(a, number);
}

struct texts *
texts_of(struct store_account *a)
{
	if (!a->texts) {
		a->texts = memory_new(1, sizeof(*a->texts));
		buf_init(&a->texts->pending, TEXT_PENDING_MAX);
	}
	return a->texts;
}

void
texts_free(struct texts **texts)
{
	struct texts *t = *texts;

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		text_file_reset(&t->files[i]);
	free(t->files);
	free(t->filled);
	free(t->rows);
	buf_release(&t->pending);
	free(t);
	*texts = NULL;
}

void
store_text_forget(struct store_account *a)
{
	struct texts *texts = a->texts;

	for (size_t i = 0; texts && i < texts->n; i++) {
		struct text_file *t = &texts->files[i];
		const struct text_file little = {.number = t->number,
						 .salt = t->salt,
						 .end = t->old ? 0 : t->end,
						 .top = t->top};

		text_file_reset(t);
		*t = little;
	}
	if (texts && texts->n_rows > 0) {
		buf_release(&texts->pending);
		texts->n_rows = 0;
		texts_look_again(a);
	}
	log_file_close(&a->cached[FILE_TEXT]);
}

void
texts_reset(struct store_account *a)
{
	texts_free(&a->texts);
	log_file_close(&a->cached[FILE_TEXT]);
}

void
texts_look_again(struct store_account *a)
{
	if (!a->texts)
		return;
	a->texts->n_filled = 0;
	a->texts->position = 0;
}
