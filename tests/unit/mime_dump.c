/* tests/unit/mime_dump.c - prints what the room sees in messages, for another parser
 *
 * usage: mime_dump FILE...   One line of JSON for each message; bytes in hex.
 */
#include "tests/unit/mime_check.h"

#include <stdio.h>

static void
put_hex(const char *name, struct span s)
{
	printf(",\"%s\":\"", name);
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", (unsigned char)s.at[i]);
	printf("\"");
}

static void
print_part(const struct mime_tree *tree, uint32_t i, struct span message)
{
	const struct mime_place *place = &tree->places[i];
	const struct mime_content *content = &tree->contents[i];
	struct span body = span_make(message.at + place->body_start,
				     place->body_end - place->body_start);
	struct buf decoded = buf_make(body.n + 16);
	struct span charset = SPAN("");
	struct mime_decoder decoder;

	mime_decoder_init(&decoder, (enum mime_encoding)place->encoding);
	mime_decoder_feed(&decoder, body, &decoded);
	mime_decoder_end(&decoder, &decoded);
	mime_param_find(tree, content->type_params, SPAN("charset"), &charset);
	printf("%s{\"parent\":%d,\"kind\":%u,\"start\":%zu,\"end\":%zu,\"lines\":%u",
	       i ? "," : "", (int)place->parent, place->kind, (size_t)place->body_start,
	       (size_t)place->body_end, place->body_lines);
	put_hex("type", content->type);
	put_hex("subtype", content->subtype);
	put_hex("charset", charset);
	put_hex("decoded", buf_span(&decoded));
	printf("}");
	buf_release(&decoded);
}

static void
print_message(struct mime_parser *parser, struct span message)
{
	struct mime_summary s;

	mime_summarize(parser, message, &s);
	printf("{\"wrong\":%d,\"date\":%lld", mime_check(message, &s) != NULL,
	       (long long)s.date_seconds);
	put_hex("subject", s.base_subject);
	put_hex("from_mailbox", s.from_mailbox);
	put_hex("from_display", s.from_display);
	put_hex("message_id", s.message_id);
	put_hex("bodystructure", s.bodystructure);
	printf(",\"parts\":[");
	for (uint32_t i = 0; i < s.tree.n; i++)
		print_part(&s.tree, i, message);
	printf("]}\n");
}

static int
dump_file(struct mime_parser *parser, const char *path)
{
	struct buf message = buf_make((size_t)64 << 20);
	FILE *file = fopen(path, "rb");
	int c;

	if (!file) {
		perror(path);
		return -1;
	}
	while ((c = getc(file)) != EOF)
		buf_put_char(&message, (char)c);
	fclose(file);
	print_message(parser, buf_span(&message));
	buf_release(&message);
	return 0;
}

int
main(int argc, char **argv)
{
	struct mime_parser *parser = mime_parser_new(NULL);
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= dump_file(parser, argv[i]);
	mime_parser_free(&parser);
	return failed ? 1 : 0;
}
