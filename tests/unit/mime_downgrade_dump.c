/* tests/unit/mime_downgrade_dump.c - makes messages 7-bit, for another parser to read
 *
 * usage: mime_downgrade_dump FILE...   Writes FILE.7bit for each; none where it cannot
 * be done.
 */
#include <stdio.h>

#include "common/mime/mime.h"

#define MESSAGE_MAX ((size_t)16 << 20)

static void
read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char *at = buf_extend(out, MESSAGE_MAX);

	ASSERT(file && at);
	out->n = fread(at, 1, MESSAGE_MAX, file);
	fclose(file);
}

static void
write_file(const char *path, struct mime_downgrade *d)
{
	struct buf name = buf_make(4096), made = buf_make(4 * MESSAGE_MAX);
	FILE *file;

	buf_putf(&name, "%s.7bit", path);
	buf_put_char(&name, '\0');
	file = fopen(name.at, "wb");
	ASSERT(file);
	/* Small steps, so that every state is met in the middle of something. */
	while (mime_downgrade_next(d, 7, &made))
		;
	ASSERT(fwrite(made.at, 1, made.n, file) == made.n && fclose(file) == 0);
	buf_release(&made);
	buf_release(&name);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf message = buf_make(MESSAGE_MAX);
		struct mime_downgrade *d;

		read_file(argv[i], &message);
		d = mime_downgrade_new(buf_span(&message));
		if (d)
			write_file(argv[i], d);
		mime_downgrade_free(&d);
		buf_release(&message);
	}
	return 0;
}
