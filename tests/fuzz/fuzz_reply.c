/* tests/fuzz/fuzz_reply.c - the decision over any header, and the answer to it: it
 * ends each line as it should, and is never one that may be answered.
 *
 * The first byte of the input says where the sender ends and the header begins.
 */
#include "common/reply/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
lines_check(struct span message)
{
	for (size_t i = 0; i < message.n; i++) {
		ASSERT(message.at[i] != '\0');
		if (message.at[i] == '\n')
			ASSERT(i > 0 && message.at[i - 1] == '\r');
		if (message.at[i] == '\r')
			ASSERT(i + 1 < message.n && message.at[i + 1] == '\n');
	}
}

static void
answer_check(struct span sender, struct span header, struct span text)
{
	const struct reply_letter l = {.to = sender,
				       .address = SPAN("a@b.example"),
				       .name = text,
				       .subject = text,
				       .text = text,
				       .header = header,
				       .hostname = SPAN("b.example")};
	struct buf out = buf_make(REPLY_BYTES_MAX);
	struct reply_made made;

	if (reply_compose(&out, &l, &made)) {
		const struct reply_question q = {.sender = SPAN("x@b.example"),
						 .header = buf_span(&out),
						 .own = &sender,
						 .n_own = 1};

		lines_check(buf_span(&out));
		ASSERT(reply_decide(&q) != REPLY_DUE);
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_make(data, size), sender, header;
	struct span own = SPAN("me@here.example");
	size_t n;

	if (size == 0)
		return 0;
	n = data[0];
	all = span_after(all, 1);
	sender = span_first(all, n);
	header = span_after(all, n);
	const struct reply_question q = {.sender = sender,
					 .header = header,
					 .own = &own,
					 .n_own = 1,
					 .delimiters = SPAN("-+")};

	ASSERT(reply_reason_text(reply_decide(&q))[0] != '?');
	answer_check(sender, header, span_first(header, 2000));
	return 0;
}
