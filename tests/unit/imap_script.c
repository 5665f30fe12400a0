#include "tests/unit/imap_script.h"

#define MAIL "From: a@example.org\r\nSubject: hello\r\n\r\ntext\r\n"

struct playing {
	const char *name;
	struct harness h;
	bool bytewise;
	size_t who;
	struct buf sent, got, wanted;
};

/* ~ stands for digits. */
static bool
matches(struct span want, struct span got)
{
	while (want.n > 0) {
		if (want.at[0] == '~') {
			if (got.n == 0 || !ascii_digit(got.at[0]))
				return false;
			while (got.n > 0 && ascii_digit(got.at[0]))
				got = span_after(got, 1);
		} else {
			if (got.n == 0 || got.at[0] != want.at[0])
				return false;
			got = span_after(got, 1);
		}
		want = span_after(want, 1);
	}
	return got.n == 0;
}

static void
show(const char *what, struct span text)
{
	fprintf(stderr, "--- %s\n%.*s", what, SPAN_ARG(text));
}

/* What was wanted is what was got. */
static void
settle(struct playing *r)
{
	if (!matches(buf_span(&r->wanted), buf_span(&r->got))) {
		fprintf(stderr, "script \"%s\"%s\n", r->name,
			r->bytewise ? ", byte by byte" : "");
		show("sent", buf_span(&r->sent));
		show("wanted", buf_span(&r->wanted));
		show("got", buf_span(&r->got));
		fail();
	}
	buf_reset(&r->got);
	buf_reset(&r->wanted);
}

static void
send(struct playing *r)
{
	struct span got;

	if (r->sent.n == 0)
		return;
	settle(r);
	got = r->bytewise ? harness_send_bytewise(&r->h, r->who, buf_span(&r->sent))
			  : harness_send(&r->h, r->who, buf_span(&r->sent));
	buf_put(&r->got, got);
	buf_reset(&r->sent);
}

static void
act(struct playing *r, struct span line)
{
	struct span verb = span_cut(&line, ' ');
	uint32_t mailbox = store_mailbox_find(r->h.f.account, line);

	if (span_equal(verb, SPAN("deliver"))) {
		harness_deliver(&r->h, mailbox, MAIL);
	} else if (span_equal(verb, SPAN("append"))) {
		harness_append(&r->h, mailbox, MAIL, 0);
	} else if (span_equal(verb, SPAN("seen"))) {
		harness_append(&r->h, mailbox, MAIL, STORE_SEEN);
	} else if (span_equal(verb, SPAN("push"))) {
		settle(r);
		buf_put(&r->got, harness_push(&r->h, (size_t)(line.at[0] - '0')));
	} else {
		assert_true(span_equal(verb, SPAN("closed")));
		assert_int_equal(r->h.at[line.at[0] - '0'].want, SESSION_WANT_CLOSE);
	}
}

static void
script_line(struct playing *r, struct span line)
{
	size_t who;

	if (line.at[0] == '=') {
		send(r);
		buf_put(&r->wanted, span_after(line, 2));
		buf_put(&r->wanted, SPAN("\r\n"));
	} else if (line.at[0] == '!') {
		send(r);
		act(r, span_after(line, 1));
	} else {
		who = (size_t)(line.at[0] - '0');
		if (who != r->who)
			send(r);
		r->who = who;
		(void)harness_session(&r->h, who);
		line = span_after(line, 3);
		if (line.n > 0 && line.at[line.n - 1] == '\\') {
			buf_put(&r->sent, span_first(line, line.n - 1));
		} else {
			buf_put(&r->sent, line);
			buf_put(&r->sent, SPAN("\r\n"));
		}
	}
}

static void
script_run(const struct imap_script *script, bool bytewise)
{
	struct playing r = {.name = script->name, .bytewise = bytewise};
	struct span rest = span_str(script->text);

	r.sent = buf_make(1 << 20);
	r.got = buf_make(16 << 20);
	r.wanted = buf_make(16 << 20);
	harness_init(&r.h);
	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');

		if (line.n > 0)
			script_line(&r, line);
	}
	send(&r);
	settle(&r);
	harness_release(&r.h);
	buf_release(&r.sent);
	buf_release(&r.got);
	buf_release(&r.wanted);
}

void
imap_scripts_run(const struct imap_script *scripts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		script_run(&scripts[i], false);
		script_run(&scripts[i], true);
	}
}
