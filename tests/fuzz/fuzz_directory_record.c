/* tests/fuzz/fuzz_directory_record.c - records on disk whose checksum is right: of both
 * versions, of every kind; and their keys */
#include "common/directory/record.h"

static void
check_value(struct span value, enum directory_kind kind)
{
	struct directory_object o = {.kind = kind}, again = {.kind = kind};
	struct buf written = buf_make(RECORD_VALUE_MAX);

	if (record_get_object(value, &o)) {
		record_put_object(&o, &written);
		ASSERT(written.full || record_get_object(buf_span(&written), &again));
	}
	buf_release(&written);
}

static void
check_key(struct span key, enum directory_kind kind)
{
	struct record_name name;
	struct record_key made;

	if (!record_key_name(kind, key, &name))
		return;
	made = record_key_of(kind, &name.name, span_str(name.label));
	ASSERT(span_equal(record_key_span(&made), key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);

	buf_put(&value, span_make(data, size));
	wire_put_u32(&value, crc32c(0, span_make(data, size)));
	for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
		check_value(buf_span(&value), (enum directory_kind)kind);
		check_key(span_make(data, size), (enum directory_kind)kind);
	}
	buf_release(&value);
	return 0;
}
