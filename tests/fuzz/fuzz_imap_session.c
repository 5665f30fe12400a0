/* tests/fuzz/fuzz_imap_session.c - any bytes to a session with mail
 *
 * The first byte cuts the rest into pieces. Whatever comes, the session wants input or
 * is closed in the end, what it answered ends with a line, and another session of the
 * account goes on.
 */
#include "tests/unit/imap_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MAIL                                                                           \
	"From: A <a@example.org>\r\nTo: b@example.org\r\nSubject: =?utf-8?q?h=C3=A9?=" \
	"\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n"                     \
	"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ntext\r\n--x\r\n"  \
	"Content-Type: text/plain; charset=utf-8\r\n"                                  \
	"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--x--\r\n"

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_answer(const struct harness *h, size_t i, struct span got)
{
	enum session_want want = h->at[i].want;

	must(want == SESSION_WANT_INPUT || want == SESSION_WANT_CLOSE);
	must(got.n == 0 || span_ends_nocase(got, SPAN("\r\n")));
}

/* In pieces of `cut` bytes. */
static void
feed(struct harness *h, struct span bytes, size_t cut)
{
	while (bytes.n > 0 && h->at[0].want != SESSION_WANT_CLOSE) {
		check_answer(h, 0, harness_send(h, 0, span_first(bytes, cut)));
		/* The rest would be compressed. */
		if (h->at[0].deflating)
			return;
		bytes = span_after(bytes, cut);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span bytes = span_make(data, n);
	struct harness h;

	if (n < 2 || n > 1 << 16)
		return 0;
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	harness_init(&h);
	for (int i = 0; i < 3; i++)
		harness_append(&h, STORE_INBOX, MAIL, 0);
	(void)harness_session(&h, 0);
	check_answer(&h, 1, harness_say(&h, 1, "a SELECT INBOX\r\n"));
	h.at[0].want = SESSION_WANT_INPUT;
	feed(&h, span_after(bytes, 1), (size_t)data[0] + 1);
	check_answer(&h, 1, harness_say(&h, 1, "b FETCH 1:* (FLAGS)\r\nc NOOP\r\n"));
	harness_release(&h);
	return 0;
}
