/* tests/fuzz/fuzz_directory_request.c - requests and rows: what is taken apart goes
 * together to something that is taken apart to the same */
#include "common/directory/directory.h"

static void
check_items(struct span items)
{
	struct cursor c = cursor_make(items);
	struct span item;
	size_t n = 0;

	while (directory_item_next(&c, &item)) {
		ASSERT(directory_item_find(items, item));
		n++;
	}
	ASSERT(n == directory_item_count(items));
	ASSERT(cursor_done(&c));
}

static void
check_object(const struct directory_object *o)
{
	for (size_t i = 0; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(o->kind, i);

		ASSERT(f || o->values[i].how == DIRECTORY_VALUE_ABSENT);
		if (f && f->type == DIRECTORY_ADDRESSES)
			check_items(o->values[i].text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = buf_make(4 << 20), second = buf_make(4 << 20);
	struct directory_request r, again;
	struct directory_object row;

	if (directory_row_get(span_make(data, size), &row))
		check_object(&row);
	if (directory_request_get(span_make(data, size), &r)) {
		check_object(&r.object);
		directory_request_put(&r, &first);
		ASSERT(directory_request_get(buf_span(&first), &again));
		directory_request_put(&again, &second);
		ASSERT(span_equal(buf_span(&first), buf_span(&second)));
		ASSERT(first.n == size);
	}
	buf_release(&first);
	buf_release(&second);
	return 0;
}
