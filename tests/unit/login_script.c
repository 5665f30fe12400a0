#include "tests/unit/login_script.h"

void
authd_start(struct authd *a, const struct login_policy *p, bool tls)
{
	*a = (struct authd){.out = buf_make(1u << 16), .asked = buf_make(1u << 16)};
	a->l = login_new(p, tls);
	login_open(a->l, &a->out);
}

void
authd_stop(struct authd *a)
{
	login_free(&a->l);
	buf_release(&a->out);
	buf_release(&a->asked);
}

static void
verdict(struct authd *a, bool right)
{
	login_answer_done(a->l, right ? LOGIN_OK : LOGIN_DENIED, &a->out);
}

static void
answer_login(struct authd *a, const struct login_ask *ask)
{
	if (a->step == 0 && !ask->has_text)
		login_answer_challenge(a->l, SPAN("Username:"), &a->out);
	else if (a->step <= 1 && span_equal(ask->text, SPAN("joe")))
		a->step = 1, login_answer_challenge(a->l, SPAN("Password:"), &a->out);
	else
		verdict(a, span_equal(ask->text, SPAN("a b")));
	a->step++;
}

static void
answer(struct authd *a)
{
	const struct login_ask *ask = login_ask(a->l);

	if (ask->first)
		a->step = 0;
	buf_put(&a->asked, ask->mechanism);
	buf_put_str(&a->asked, ask->has_text ? "=" : "");
	buf_put(&a->asked, ask->text);
	buf_put_str(&a->asked, "\n");
	if (a->later)
		login_answer_done(a->l, LOGIN_LATER, &a->out);
	else if (span_equal_nocase(ask->mechanism, SPAN("LOGIN")))
		answer_login(a, ask);
	else if (span_equal_nocase(ask->mechanism, SPAN("PLAIN")))
		verdict(a, span_equal(ask->text, SPAN("\0joe\0a b")));
	else if (span_equal(ask->text, SPAN("client")))
		login_answer_challenge(a->l, SPAN("server"), &a->out);
	else if (span_equal(ask->text, SPAN("proof")))
		login_answer_challenge(a->l, SPAN("v=x"), &a->out);
	else if (ask->text.n == 0)
		verdict(a, true);
	else
		login_answer_done(a->l, LOGIN_BAD_EXCHANGE, &a->out);
}

void
authd_feed(struct authd *a, struct span *in)
{
	for (int i = 0; i < 10000; i++) {
		size_t before = in->n;

		a->last = login_step(a->l, in, &a->out);
		switch (a->last) {
		case LOGIN_WANT_AUTH:
			answer(a);
			break;
		case LOGIN_WANT_CANCEL:
			a->cancels++;
			break;
		case LOGIN_WANT_TLS:
			a->secured++;
			buf_put_str(&a->out, "{TLS}");
			login_answer_tls(a->l);
			break;
		case LOGIN_WANT_INPUT:
			if (in->n == before)
				return;
			break;
		case LOGIN_WANT_OPEN:
			a->opened = true;
			return;
		case LOGIN_WANT_CLOSE:
			return;
		}
	}
	fail_msg("it never ends");
}

void
authd_feed_cut(struct authd *a, struct span all, size_t cut)
{
	struct span in = span_first(all, cut);

	authd_feed(a, &in);
	in = span_make(in.at, in.n + all.n - cut);
	if (a->last == LOGIN_WANT_INPUT)
		authd_feed(a, &in);
}

void
authd_assert_asked(const struct authd *a, const char *want)
{
	assert_int_equal(a->asked.n, strlen(want));
	for (size_t i = 0; i < a->asked.n; i++)
		assert_int_equal(a->asked.at[i] ? a->asked.at[i] : '|', want[i]);
}

void
authd_assert_said(const struct authd *a, size_t greeting, const char *want)
{
	struct span got = span_after(buf_span(&a->out), greeting);

	if (!span_equal(got, span_str(want)))
		print_message("got:\n%.*s\nwant:\n%s\n", SPAN_ARG(got), want);
	assert_true(span_equal(got, span_str(want)));
}

/* --- tables that both protocols have -------------------------------------- */

static void
assert_said(const struct script *s, bool tls, const struct authd *a, const char *want)
{
	authd_assert_said(a, tls ? s->greeting_tls : s->greeting, want);
}

void
script_dialogues(const struct script *s, const struct script_dialogue *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_message("%s\n", rows[i].name);
		for (size_t cut = 0; cut <= strlen(rows[i].in); cut++) {
			struct authd a;

			authd_start(&a, s->policy, rows[i].tls);
			authd_feed_cut(&a, span_str(rows[i].in), cut);
			assert_said(s, rows[i].tls, &a, rows[i].out);
			assert_int_equal(a.opened, rows[i].opened);
			authd_assert_asked(&a, rows[i].asked);
			authd_stop(&a);
		}
	}
}

void
script_limits(const struct script *s, const struct script_limit *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct authd a;

		print_message("%s\n", rows[i].name);
		authd_start(&a, s->policy, true);
		for (unsigned times = 0; times <= rows[i].before; times++) {
			struct span in = span_str(rows[i].line);

			authd_feed(&a, &in);
			assert_int_equal(a.last, times < rows[i].before
						     ? LOGIN_WANT_INPUT
						     : LOGIN_WANT_CLOSE);
		}
		assert_string_equal(login_reason(a.l), rows[i].reason);
		authd_stop(&a);
	}
}

void
script_endings(const struct script *s, const struct script_ending *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span none = SPAN("");
		struct authd a;

		authd_start(&a, s->policy, false);
		login_end(a.l, rows[i].why, &a.out);
		assert_said(s, false, &a, rows[i].want);
		assert_int_equal(login_step(a.l, &none, &a.out), LOGIN_WANT_CLOSE);
		authd_stop(&a);
	}
}

void
script_bare_password(const struct script *s, const char *login)
{
	struct login_policy open = *s->policy;
	struct span in = span_str(login);
	struct authd a;

	open.auth_without_tls = true;
	authd_start(&a, &open, false);
	authd_feed(&a, &in);
	assert_true(a.opened);
	authd_stop(&a);
}

void
script_directory_away(const struct script *s, const char *login, const char *want)
{
	struct span in = span_str(login);
	struct authd a;

	authd_start(&a, s->policy, true);
	a.later = true;
	authd_feed(&a, &in);
	assert_said(s, true, &a, want);
	assert_int_equal(login_failures(a.l), 0);
	authd_stop(&a);
}
