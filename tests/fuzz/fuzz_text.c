/* tests/fuzz/fuzz_text.c - any bytes as a message: its text is folded, valid and within
 * its limits, and what is looked for in it is found where it is */
#include "common/text/text.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Each line and part is as folding leaves it. */
static void
check_lines(struct span text)
{
	struct buf folded = buf_make(TEXT_BYTES_MAX);

	check(utf8_valid(text), "not UTF-8");
	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		buf_reset(&folded);
		text_fold(line, &folded);
		check(span_equal(buf_span(&folded), line) || folded.full,
		      "folding changes what is folded");
	}
	buf_release(&folded);
}

static void
check_find(struct span haystack, struct span needle)
{
	const char *hit =
	    memmem(haystack.at, haystack.n, needle.at ? needle.at : "", needle.n);
	size_t want = hit ? (size_t)(hit - haystack.at) : haystack.n;

	check(text_find(haystack, needle) == want, "found elsewhere");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct text_charsets *charsets;
	static struct text_renderer *renderer;
	struct span message = span_make(data, size), stored;
	struct text_parts parts;

	if (!renderer) {
		charsets = text_charsets_new();
		renderer = text_renderer_new(text_charsets_mime(charsets));
	}
	stored = text_render(renderer, SPAN("Return-Path: <>\r\n"), message);
	check(stored.n <= TEXT_BYTES_MAX, "too long");
	parts = text_view(stored);
	check(parts.headers.n + 1 + parts.body.n == stored.n, "not all of it");
	check(span_find(parts.body, '\0') == parts.body.n, "a NUL");
	check_lines(parts.headers);
	check_lines(parts.body);
	check_find(stored, span_first(span_after(stored, size % 97), size % 13));
	check_find(message, span_first(span_after(message, size / 2), size % 40));
	check(text_header_has(parts.headers, SPAN("return-path"), SPAN("<>")),
	      "no Return-Path");
	return 0;
}
