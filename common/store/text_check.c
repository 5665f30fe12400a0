/* text.N looked at as a whole: for verify and rebuild */
#include "common/store/text_internal.h"

static bool
header_is_damaged(const struct log_dir *dir, uint64_t number)
{
	struct log_file f;
	struct err ignored;
	enum log_open got = log_dir_open(dir, number, LOG_READ, &f, &ignored);

	if (got == LOG_OPEN_OK)
		log_file_close(&f);
	return got == LOG_OPEN_DAMAGED;
}

static void
file_check(struct store_account *a, struct text_file *t, texts_damage *each,
	   void *context)
{
	uint64_t at = LOG_HEADER_BYTES;

	for (uint32_t i = 0; i < t->n_chunks; i++) {
		const struct text_chunk chunk = t->chunks[i];
		struct span payload;

		if (chunk.offset > at && !t->old)
			each(context, t->number, at, chunk.offset - at);
		at = chunk.offset + chunk.bytes;
		buf_reset(&text_work_of(a->store)->window);
		if (text_chunk_read(a, t, i, &payload))
			continue;
		text_chunk_damaged(a, t, i);
		each(context, t->number, chunk.offset, chunk.bytes);
	}
}

int
texts_check(struct store_account *a, texts_damage *each, void *context, struct err *err)
{
	const struct log_dir dir = account_dir(a, FILE_TEXT);
	struct log_numbers numbers;

	texts_reset(a);
	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	for (size_t i = 0; i < numbers.n; i++) {
		if (header_is_damaged(&dir, numbers.at[i]))
			each(context, (uint32_t)numbers.at[i], 0, LOG_HEADER_BYTES);
		file_check(a, text_file_get(a, (uint32_t)numbers.at[i]), each, context);
	}
	log_numbers_release(&numbers);
	return 0;
}

static void
damage_ignore(void *context, uint32_t number, uint64_t offset, uint64_t bytes)
{
	(void)context;
	(void)number;
	(void)offset;
	(void)bytes;
}

enum store_result
texts_rebuild(struct store_account *a, struct err *err)
{
	enum store_result result = STORE_OK;
	bool done = false;

	if (texts_check(a, damage_ignore, NULL, err) < 0)
		return STORE_FAULT;
	while (result == STORE_OK && !done)
		result = texts_fill(a, TEXT_PENDING_BYTES, true, &done, err);
	return result;
}
