#include "tests/unit/imap_harness.h"

#include <time.h>

#define OUT_MAX (64u << 20)

void
harness_init_with(struct harness *h, const struct session_policy *policy,
		  const struct store_settings *settings)
{
	*h = (struct harness){.policy = *policy};
	fixture_init(&h->f, settings);
	store_account_wait(h->f.account, false);
	fixture_check(&h->f, store_view_refresh(h->f.account, &h->f.err));
	h->policy.temporary = h->f.root;
	h->account = account_new(h->f.store, h->f.account, 0);
}

void
harness_init(struct harness *h)
{
	const struct session_policy policy = {
	    .limits = session_limits_default,
	    .host_name = SPAN("mail.example.org"),
	    .compress = true,
	};

	harness_init_with(h, &policy, &(struct store_settings){.summarize = true});
}

void
harness_end(struct harness *h, size_t i)
{
	struct harness_session *hs = &h->at[i];

	session_free(&hs->session);
	buf_release(&hs->out);
	buf_release(&hs->all);
	buf_release(&hs->pending);
	*hs = (struct harness_session){0};
}

void
harness_release(struct harness *h)
{
	for (size_t i = 0; i < HARNESS_SESSIONS; i++)
		if (h->at[i].session)
			harness_end(h, i);
	if (h->other)
		store_account_close(&h->other);
	account_free(&h->account);
	h->f.account = NULL;
	fixture_release(&h->f);
}

struct session *
harness_session(struct harness *h, size_t i)
{
	struct harness_session *hs = &h->at[i];

	assert_true(i < HARNESS_SESSIONS);
	if (!hs->session) {
		hs->session = session_new(&h->policy, h->account);
		hs->out = buf_make(OUT_MAX);
		hs->all = buf_make(OUT_MAX);
		hs->pending = buf_make(OUT_MAX);
	}
	return hs->session;
}

static void
take_output(struct harness_session *hs)
{
	buf_put(&hs->all, buf_span(&hs->out));
	buf_reset(&hs->out);
}

static void
sync_store(struct harness *h)
{
	enum store_result result;

	do
		result = store_sync(h->f.account, h->f.now_us, &h->f.err);
	while (result == STORE_BUSY);
	assert_int_equal(result, STORE_OK);
}

/* True to step again. */
static bool
serve(struct harness *h, struct harness_session *hs)
{
	switch (hs->want) {
	case SESSION_WANT_INPUT:
	case SESSION_WANT_CLOSE:
		take_output(hs);
		return false;
	case SESSION_WANT_ROOM:
	case SESSION_WANT_TURN:
		take_output(hs);
		if (h->between)
			h->between(h->context);
		return true;
	case SESSION_WANT_LOCK:
		return true;
	case SESSION_WANT_SYNC:
		take_output(hs);
		if (h->hold_sync)
			return false;
		if (h->fail_sync)
			session_sync_failed(hs->session);
		else
			sync_store(h);
		return true;
	case SESSION_WANT_ASK:
		h->asked++;
		session_domain_use(hs->session, h->domain_known, h->domain_bytes);
		return true;
	case SESSION_WANT_COMPRESS:
		hs->deflating = true;
		return true;
	}
	return false;
}

/* Of the processor. */
static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
step(struct harness *h, struct harness_session *hs, struct span *in)
{
	double before = h->measure ? now_ms() : 0, took;

	hs->want = session_step(hs->session, h->f.now_us, in, &hs->out);
	took = h->measure ? now_ms() - before : 0;
	if (took > h->longest_ms)
		h->longest_ms = took;
}

static void
run(struct harness *h, struct harness_session *hs)
{
	struct span in;

	do {
		in = buf_span(&hs->pending);
		step(h, hs, &in);
		h->f.now_us += h->step_us;
		buf_drop_front(&hs->pending, hs->pending.n - in.n);
		assert_true(++hs->steps < 100000000);
	} while (serve(h, hs));
	if (hs->want == SESSION_WANT_INPUT)
		assert_int_equal(hs->pending.n, 0);
	assert_false(hs->out.full);
}

struct span
harness_send(struct harness *h, size_t i, struct span bytes)
{
	struct harness_session *hs = &h->at[i];

	(void)harness_session(h, i);
	buf_reset(&hs->all);
	buf_put(&hs->pending, bytes);
	run(h, hs);
	return buf_span(&hs->all);
}

struct span
harness_say(struct harness *h, size_t i, const char *text)
{
	return harness_send(h, i, span_str(text));
}

struct span
harness_send_bytewise(struct harness *h, size_t i, struct span bytes)
{
	struct harness_session *hs = &h->at[i];

	(void)harness_session(h, i);
	buf_reset(&hs->all);
	for (size_t k = 0; k < bytes.n && hs->want != SESSION_WANT_CLOSE; k++) {
		buf_put_char(&hs->pending, bytes.at[k]);
		run(h, hs);
	}
	return buf_span(&hs->all);
}

struct span
harness_go_on(struct harness *h, size_t i)
{
	struct harness_session *hs = &h->at[i];

	buf_reset(&hs->all);
	if (hs->want == SESSION_WANT_SYNC) {
		h->hold_sync = false;
		(void)serve(h, hs);
	}
	run(h, hs);
	return buf_span(&hs->all);
}

struct span
harness_push(struct harness *h, size_t i)
{
	struct harness_session *hs = &h->at[i];

	buf_reset(&hs->all);
	fixture_check(&h->f, account_refresh(h->account, &h->f.err));
	session_push(hs->session, &hs->out);
	take_output(hs);
	return buf_span(&hs->all);
}

void
harness_expect(struct harness *h, size_t i, const char *send, const char *want)
{
	struct span got = harness_say(h, i, send);

	if (!span_equal(got, span_str(want)))
		print_message("--- sent\n%s--- wanted\n%s--- got\n%.*s---\n", send,
			      want, SPAN_ARG(got));
	assert_true(span_equal(got, span_str(want)));
}

/* --- messages ------------------------------------------------------------- */

static uint32_t
append_to(struct harness *h, struct store_account *account, uint32_t mailbox,
	  struct span text, uint32_t flags, size_t n)
{
	struct store_message m = fixture_message(&h->f, text, span_make("", 0));
	struct store_appended out = {0};

	m.mailbox = mailbox;
	m.flags = flags;
	fixture_check(&h->f, store_batch_begin(account, true, &h->f.err));
	for (size_t i = 0; i < n; i++)
		fixture_check(&h->f, store_append(account, &m, &out, &h->f.err));
	fixture_check(&h->f, store_batch_end(account, &h->f.err));
	fixture_check(&h->f, store_sync(account, h->f.now_us, &h->f.err));
	return out.uid;
}

uint32_t
harness_append(struct harness *h, uint32_t mailbox, const char *text, uint32_t flags)
{
	return append_to(h, h->f.account, mailbox, span_str(text), flags, 1);
}

void
harness_fill(struct harness *h, uint32_t mailbox, size_t n)
{
	const char *text = "From: a@example.org\r\nSubject: hello\r\n\r\ntext\r\n";

	for (size_t done = 0; done < n; done += 10000)
		append_to(h, h->f.account, mailbox, span_str(text), 0,
			  n - done < 10000 ? n - done : 10000);
}

struct store_account *
harness_other(struct harness *h)
{
	if (!h->other) {
		fixture_check(&h->f, store_account_open(h->f.store, FIXTURE_ID,
							STORE_MUST_EXIST, h->f.now_us,
							&h->other, &h->f.err));
		fixture_check(&h->f, store_view_refresh(h->other, &h->f.err));
	}
	return h->other;
}

uint32_t
harness_deliver(struct harness *h, uint32_t mailbox, const char *text)
{
	return append_to(h, harness_other(h), mailbox, span_str(text), 0, 1);
}

uint32_t
harness_mailbox(struct harness *h, const char *name)
{
	return store_mailbox_find(h->f.account, span_str(name));
}
