/* Any request about any message, with any file of texts, as a report: a part is never
 * ended but by the report itself, no line of ours is too long or ends in less than
 * CRLF.
 *
 * Input: u8 reader | u16 bytes of texts | u16 bytes of request | texts | request |
 * content */
#include "common/dsn/dsn.h"

static void
lines_check(struct span text)
{
	while (text.n > 0) {
		size_t n = span_find(text, '\n');
		struct span line = span_first(text, n);

		ASSERT(n < text.n && n > 0 && line.at[n - 1] == '\r');
		ASSERT(span_find(line, '\r') == n - 1 && n <= 999);
		text = span_after(text, n + 1);
	}
}

/* How often `needle` stands in s. */
static size_t
count(struct span s, struct span needle)
{
	size_t n = 0, at;

	for (; (at = span_find_span(s, needle)) < s.n; n++)
		s = span_after(s, at + needle.n);
	return n;
}

static void
report_check(struct span report)
{
	static const struct span header = SPAN("\r\n\tboundary=\"");
	struct span rest =
	    span_after(report, span_find_span(report, header) + header.n);
	struct span boundary = span_cut(&rest, '"'), mark;
	char text[80] = "--";

	if (boundary.n == 0)
		return; /* a notice */
	ASSERT(boundary.n > 32 && boundary.n < 70);
	memcpy(text + 2, boundary.at, boundary.n);
	mark = span_str(text);
	ASSERT(count(report, boundary) == 5);
	ASSERT(count(report, mark) == 4);
	/* What stands before the message that is returned is ours. */
	rest = report;
	for (int part = 0; part < 3; part++)
		rest = span_after(rest, span_find_span(rest, mark) + mark.n);
	lines_check(span_make(report.at, (size_t)(rest.at - report.at) - mark.n));
}

static void
compose(const struct dsn_request *r, const struct dsn_templates *t, unsigned reader,
	struct span content)
{
	struct buf out = buf_make((size_t)8 << 20);
	struct dsn_letter_made made;
	struct dsn_letter letter = {.request = r,
				    .templates = t,
				    .reader = (enum dsn_reader)(reader % 3),
				    .to = r->sender,
				    .hostname = SPAN("mx.example.net"),
				    .postmaster = SPAN("postmaster@example.net"),
				    .now_us = UINT64_C(1795341600000000),
				    .id = 2,
				    .original_id = 1,
				    .content = content,
				    .whole = dsn_wants_whole(r)};

	if (dsn_compose(&out, &letter, &made))
		report_check(buf_span(&out));
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_make(span_make(data, size));
	unsigned reader = wire_get_u8(&c);
	uint16_t n_texts = wire_get_u16(&c), n_request = wire_get_u16(&c);
	struct span texts = wire_get_raw(&c, n_texts);
	struct span request = wire_get_raw(&c, n_request);
	struct dsn_templates t;
	struct dsn_request r;
	struct err err;

	dsn_templates_init(&t);
	(void)(dsn_templates_parse(&t, texts, "f", &err) == 0);
	if (dsn_request_parse(request, &r))
		compose(&r, &t, reader, c.rest);
	dsn_templates_release(&t);
	return 0;
}
