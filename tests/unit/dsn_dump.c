/* tests/unit/dsn_dump.c - prints the report that a request leads to, for another parser
 *
 * usage: dsn_dump REQUEST CONTENT TO READER WHOLE RANDOM [TEMPLATES]
 * The first two and the last are files; READER is a number of enum dsn_reader, WHOLE 0
 * or 1, RANDOM 32 hexadecimal digits. Exit 1 when the request is none, 2 when the
 * templates are none: the fault is on stderr.
 */
#include "common/dsn/dsn.h"

#include <stdio.h>

#define NOW_US 1795341600000000u /* Sun, 22 Nov 2026 10:00:00 +0000 */

static void
file_read(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char piece[4096];
	size_t n;

	ASSERT(file);
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_put(out, span_make(piece, n));
	fclose(file);
}

static int
print(struct dsn_letter *letter, char **argv)
{
	struct buf out = buf_make((size_t)8 << 20);
	struct dsn_letter_made made;

	letter->to = span_str(argv[3]);
	letter->hostname = SPAN("mail.example.net");
	letter->postmaster = SPAN("postmaster@example.net");
	letter->now_us = NOW_US;
	letter->id = 0x6921a00000000007;
	letter->original_id = 0x6921a00000000001;
	letter->reader = (enum dsn_reader)(argv[4][0] - '0');
	letter->whole = argv[5][0] == '1';
	ASSERT(hex_parse(span_str(argv[6]), letter->random, sizeof(letter->random)));
	ASSERT(dsn_compose(&out, letter, &made));
	printf("%d %d\n", made.eightbit, made.utf8);
	fwrite(out.at, 1, out.n, stdout);
	buf_release(&out);
	return 0;
}

int
main(int argc, char **argv)
{
	struct buf bytes = buf_make((size_t)1 << 20),
		   content = buf_make((size_t)4 << 20);
	struct buf text = buf_make((size_t)1 << 20);
	struct dsn_templates templates;
	struct dsn_request request;
	struct dsn_letter letter = {.request = &request, .templates = &templates};
	struct err err;
	int result = 1;

	ASSERT(argc == 7 || argc == 8);
	file_read(argv[1], &bytes);
	file_read(argv[2], &content);
	dsn_templates_init(&templates);
	if (argc == 8) {
		file_read(argv[7], &text);
		if (dsn_templates_parse(&templates, buf_span(&text), argv[7], &err)) {
			fprintf(stderr, "%s\n", err.text);
			return 2;
		}
	}
	letter.content = buf_span(&content);
	if (dsn_request_parse(buf_span(&bytes), &request))
		result = print(&letter, argv);
	dsn_templates_release(&templates);
	buf_release(&bytes);
	buf_release(&content);
	buf_release(&text);
	return result;
}
