/* The first two bytes choose a type, the rest is a message of the DNS: whatever is
 * read out of it is a list of records of that type, under a name. */
#include "resolver/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf records = buf_make(DNS_RECORDS_BYTES_MAX);
	struct message_answer out;
	unsigned type;

	if (size < 2)
		return 0;
	type = (unsigned)data[0] << 8 | data[1];
	if (!dns_type_known(type))
		return 0;
	if (message_read(span_make(data + 2, size - 2), SPAN("q.example"),
			 (enum dns_type)type, &records, &out) == MESSAGE_OK) {
		ASSERT(records.n > 0 && !records.full);
		ASSERT(dns_records_valid(buf_span(&records), (enum dns_type)type));
		ASSERT(dns_name_valid(span_str(out.name)));
	}
	buf_release(&records);
	return 0;
}
