/* tests/fuzz/fuzz_remote_session.c - the dialogue with a server that says anything
 *
 * Input: a byte of modes, a byte for the size of the pieces, then what the server says.
 * TLS comes up when it is wished; transactions are started whenever one may. Whatever
 * is said, our lines end in CRLF, and every recipient has a result.
 */
#include "common/smtp/smtp.h"
#include "delivery/remote/session/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROUNDS_MAX 20

static const struct relay_recipient recipients[] = {
    {.ordinal = 0,		      .address = SPAN("a@example.org"),        .notify = ENVELOPE_NOTIFY_FAILURE},
    {.ordinal = 1,		      .address = SPAN("\xc3\xbc@example.org")},
    {.ordinal = 2, .address = SPAN("c@example.com"),             .orcpt = SPAN("rfc822;d@e")                                 },
};

static const char content[] =
    "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n.\n\r"
    "\xc3\xbc\r\n.\r\n--b--";

static void
check_output(struct session *s)
{
	struct buf *out = session_output(s);

	for (size_t i = 0; i < out->n; i++) {
		ASSERT(out->at[i] != '\n' || (i > 0 && out->at[i - 1] == '\r'));
		ASSERT(out->at[i] != '\r' ||
		       (i + 1 < out->n && out->at[i + 1] == '\n'));
	}
	/* All is sent only when no line is begun: content may be. */
	if (session_wish(s) != SESSION_CONTENT && session_wish(s) != SESSION_FLUSH)
		ASSERT(out->n == 0 || out->at[out->n - 1] == '\n');
	buf_drop_front(out, out->n);
}

static void
check_results(struct session *s)
{
	size_t n;
	const struct relay_result *r = session_results(s, &n);

	for (size_t i = 0; i < n; i++) {
		ASSERT(r[i].outcome <= DELIVERY_FAILED && r[i].ordinal == i);
		ASSERT(r[i].text.n <= RELAY_TEXT_MAX && utf8_valid(r[i].text));
		ASSERT(span_find(r[i].text, '\n') == r[i].text.n);
	}
}

static void
start(struct session *s, uint8_t modes)
{
	struct session_transaction t = {
	    .sender = SPAN("me@example.net"),
	    .envid = SPAN("x"),
	    .ret = ENVELOPE_RET_HEADERS,
	    .flags = modes & 64 ? ENVELOPE_SMTPUTF8 | ENVELOPE_8BITMIME : 0,
	    .content_bytes = sizeof(content) - 1,
	    .recipients = recipients,
	};

	t.n_recipients = session_fits(s, recipients, N_ELEMS(recipients));
	if (t.n_recipients == 0)
		session_quit(s);
	else
		session_start(s, &t);
}

/* What the program around it does, until the server is to speak. */
static void
follow(struct session *s, uint8_t modes, unsigned *rounds)
{
	for (size_t fed = 0;;) {
		struct span rest = span_after(span_str(content), fed);

		switch (session_wish(s)) {
		case SESSION_TLS:
			session_secured(s, modes & 1);
			break;
		case SESSION_READY:
			check_results(s);
			if (++*rounds > ROUNDS_MAX)
				return;
			start(s, modes);
			break;
		case SESSION_CONTENT:
			/* In pieces; after a pause all that is left. */
			rest = span_first(rest, modes & 2 ? 11 : rest.n);
			fed += rest.n;
			session_content(s, rest, fed == sizeof(content) - 1);
			break;
		case SESSION_WHOLE:
			session_whole(s, span_str(content));
			break;
		case SESSION_FLUSH:
			session_flushed(s);
			break;
		default:
			return;
		}
		if (!(modes & 2))
			check_output(s);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_config config = {.helo = SPAN("c"),
					.nonce = SPAN("rOprNGfwEbeRWgbNEkqO")};
	struct span rest = span_make(data, size);
	struct buf line = buf_make((size_t)1 << 20);
	unsigned rounds = 0;
	struct session *s;

	if (size < 2)
		return 0;
	config.tls = (enum session_tls)(data[0] % 3);
	config.lmtp = data[0] & 4;
	config.user = data[0] & 8 ? SPAN("me") : SPAN("");
	config.password = SPAN("secret");
	config.auth_without_tls = data[0] & 16;
	config.burst_bytes_max = data[0] & 32 ? 1000 : 0;
	s = session_new(&config);
	rest = span_after(rest, 2);
	while (rest.n > 0 && session_wish(s) != SESSION_OVER && rounds < ROUNDS_MAX) {
		size_t n = data[1] ? data[1] : rest.n;
		struct span in;

		buf_put(&line, span_first(rest, n));
		rest = span_after(rest, n);
		in = buf_span(&line);
		session_input(s, &in);
		buf_drop_front(&line, line.n - in.n);
		follow(s, data[0], &rounds);
	}
	session_lost(s, SPAN("end"));
	check_output(s);
	check_results(s);
	session_free(&s);
	buf_release(&line);
	return 0;
}
