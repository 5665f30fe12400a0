/* tests/fuzz/fuzz_mime.c - any bytes as a message: no crash, and the summary holds */
#include "tests/unit/mime_check.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stands in for iconv: gives back what it got, which is mostly no UTF-8. */
static bool
convert(void *context, struct span charset, struct span bytes, struct buf *out)
{
	(void)context;
	if (charset.n % 2 == 0)
		return false;
	buf_put(out, bytes);
	return true;
}

/* The kept fields are a block of their own, with no trace field in it. */
static void
check_kept(struct span message)
{
	struct buf kept = buf_make(message.n + 2);

	mime_headers_put_kept(message, &kept);
	if (kept.n > mime_header_block_size(message)) {
		fprintf(stderr, "more header kept than there was\n");
		abort();
	}
	buf_release(&kept);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mime_parser *parser;
	const struct mime_charsets charsets = {convert, NULL};
	struct span message = span_make(data, size);
	struct mime_summary summary;
	struct mime_hops hops;
	const char *wrong;

	if (!parser)
		parser = mime_parser_new(&charsets);
	mime_summarize(parser, message, &summary);
	wrong = mime_check(message, &summary);
	hops = mime_hops_count(message);
	if (!wrong && summary.tree.n == 1 && hops.received != summary.hops.received)
		wrong = "two counts of one thing";
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	check_kept(message);
	return 0;
}
