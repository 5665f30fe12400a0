/* tests/unit/imap_pipe.c - sessions on a store of their own, driven from a pipe
 *
 *   message PREFIX CONTENT\n    and that many bytes of each: delivered to INBOX, synced
 *   say SESSION BYTES\n         and that many bytes: sent by a client
 *
 * Each is answered by a length, LF, and what the server says (nothing to a message).
 */
#include "tests/unit/imap_harness.h"

#define MESSAGE_MAX (64u << 20)

static void
read_bytes(struct buf *to, size_t n)
{
	char *at;

	buf_reset(to);
	at = buf_extend(to, n);
	if (n > 0 && (!at || fread(at, 1, n, stdin) != n))
		exit(1);
}

static void
answer(struct span bytes)
{
	printf("%zu\n", bytes.n);
	fwrite(bytes.at, 1, bytes.n, stdout);
	fflush(stdout);
}

static void
message(struct harness *h, size_t prefix_bytes, size_t content_bytes)
{
	struct buf prefix = buf_make(MESSAGE_MAX), content = buf_make(MESSAGE_MAX);
	struct store_message m;

	read_bytes(&prefix, prefix_bytes);
	read_bytes(&content, content_bytes);
	m = fixture_message(&h->f, buf_span(&content), buf_span(&prefix));
	fixture_append(&h->f, &m);
	buf_release(&prefix);
	buf_release(&content);
	answer(SPAN(""));
}

static void
say(struct harness *h, size_t session, size_t bytes)
{
	struct buf text = buf_make(MESSAGE_MAX);

	read_bytes(&text, bytes);
	answer(harness_send(h, session, buf_span(&text)));
	buf_release(&text);
}

int
main(void)
{
	struct harness h;
	char line[100];
	size_t a, b;

	harness_init(&h);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "message %zu %zu", &a, &b) == 2)
			message(&h, a, b);
		else if (sscanf(line, "say %zu %zu", &a, &b) == 2)
			say(&h, a, b);
		else
			return 1;
	}
	harness_release(&h);
	return 0;
}
