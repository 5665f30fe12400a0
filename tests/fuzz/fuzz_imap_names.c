/* tests/fuzz/fuzz_imap_names.c - names, patterns and dates of any bytes
 *
 * The first byte says the mode. A name that decodes and is put comes back the same, in
 * both modes; a pattern matches what a slow model says; a date that parses comes back.
 */
#include "common/imap/imap.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* --- names ---------------------------------------------------------------- */

/* As a command would hold it. */
static void
check_parsed(struct span name, bool utf8)
{
	const struct imap_parse_options options = {utf8};
	struct buf wire = buf_make(1u << 16);
	struct imap_command command;
	const char *text;
	struct arena arena;

	arena_init(&arena, 1u << 16);
	buf_put_str(&wire, "a DELETE ");
	imap_put_name(&wire, name, utf8);
	buf_put_str(&wire, "\r\n");
	check(imap_parse(buf_span(&wire), &options, &arena, &command, &text) ==
		  IMAP_PARSE_OK,
	      "a name that was put is none");
	check(span_equal(command.mailbox, name), "a name that was put is another");
	arena_release(&arena);
	buf_release(&wire);
}

static void
check_name(struct span wire, bool utf8)
{
	struct buf name = buf_make(IMAP_NAME_MAX + 10);

	buf_put(&name, SPAN("before"));
	if (imap_name_decode(wire, utf8, &name)) {
		struct span s = span_after(buf_span(&name), 6);

		check(utf8_valid(s) && s.n <= IMAP_NAME_MAX,
		      "what kind of name is that");
		check_parsed(s, false);
		check_parsed(s, true);
	} else {
		check(span_equal(buf_span(&name), SPAN("before")) && !name.full,
		      "a bad name leaves its trace");
	}
	buf_release(&name);
}

/* --- patterns ------------------------------------------------------------- */

/* What may be reached, row by row of the pattern: quadratic, and plain. */
static bool
model_match(struct span pattern, struct span name)
{
	bool at[64], next[64];

	memset(at, 0, sizeof(at));
	at[0] = true;
	for (size_t p = 0; p < pattern.n; p++) {
		char c = pattern.at[p];
		bool wild = c == '*' || c == '%';

		for (size_t k = 0; k <= name.n; k++) {
			bool on = k > 0 && (wild ? next[k - 1] : at[k - 1]);

			if (wild)
				next[k] = at[k] ||
					  (on && (c == '*' || name.at[k - 1] != '/'));
			else
				next[k] = on && name.at[k - 1] == c;
		}
		memcpy(at, next, sizeof(at));
	}
	return at[name.n];
}

static void
check_match(struct span s)
{
	size_t middle = span_find(s, '\n');
	struct span pattern = span_first(s, middle), name = span_after(s, middle + 1);
	bool hit = imap_name_match(pattern, name);

	if (name.n <= 60 && !span_starts_nocase(name, SPAN("INBOX")))
		check(hit == model_match(pattern, name), "the pattern says otherwise");
}

/* --- dates ---------------------------------------------------------------- */

static void
check_date(struct span s)
{
	struct buf out = buf_make(100);
	int64_t seconds, back;
	int32_t day;

	if (imap_date_parse(s, &day)) {
		imap_put_date_time(&out, day * INT64_C(86400));
		check(imap_date_time_parse(span_make(out.at + 1, out.n - 2), &back) &&
			  back == day * INT64_C(86400),
		      "a day is another");
		buf_reset(&out);
	}
	/* A zone may lead out of the years that can be written. */
	if (imap_date_time_parse(s, &seconds) && seconds >= -INT64_C(62167219200) &&
	    seconds <= INT64_C(253402300799)) {
		imap_put_date_time(&out, seconds);
		check(imap_date_time_parse(span_make(out.at + 1, out.n - 2), &back) &&
			  back == seconds,
		      "a time is another");
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_after(span_make(data, size), 1);

	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		check_name(s, false);
		break;
	case 1:
		check_name(s, true);
		break;
	case 2:
		check_match(s);
		break;
	case 3:
		check_date(s);
		break;
	}
	return 0;
}
