/* The AUTHORIZATION state of POP3 [RFC1939 4]. */
#include "common/pop3/pop3.h"
#include "gate/login/inner.h"

static void
wrong(struct login *l, const char *reply, struct buf *out)
{
	buf_put_str(out, reply);
	login_error(l, out);
}

static void
run_capa(struct login *l, struct span args, struct span rest, struct buf *out)
{
	struct pop3_offer offer = {
	    .mechanisms = login_mechanisms(l),
	    .user = login_may_bare(l),
	    .stls = l->policy->starttls && !l->tls,
	};

	(void)args;
	(void)rest;
	pop3_put_capabilities(&offer, out);
}

static void
run_user(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	buf_reset(&l->name);
	buf_put(&l->name, args);
	if (!login_may_bare(l))
		wrong(l, "-ERR begin TLS first\r\n", out);
	else if (args.n == 0 || l->name.full)
		wrong(l, "-ERR that is no name\r\n", out);
	else
		buf_put_str(out, "+OK\r\n");
}

/* [RFC1939 7]: blanks in the argument belong to the password. */
static void
run_pass(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	if (!login_may_bare(l))
		wrong(l, "-ERR begin TLS first\r\n", out);
	else if (l->name.n == 0)
		wrong(l, "-ERR USER comes first\r\n", out);
	else if (args.n == 0 || args.n > LOGIN_MESSAGE_MAX - LOGIN_NAME_MAX - 2)
		wrong(l, "-ERR that is no password\r\n", out);
	else
		login_password(l, buf_span(&l->name), args);
	buf_reset(&l->name);
}

static void
run_auth(struct login *l, struct span args, struct span rest, struct buf *out)
{
	struct span mechanism = pop3_word(&args);

	(void)rest;
	if (mechanism.n == 0) {
		/* Not in [RFC5034]; some clients ask so. */
		struct span names = login_mechanisms(l);

		buf_put_str(out, "+OK\r\n");
		while (names.n > 0) {
			buf_put(out, span_cut(&names, ' '));
			buf_put_str(out, "\r\n");
		}
		buf_put_str(out, ".\r\n");
		return;
	}
	login_exchange(l, mechanism, args.n > 0, args, out);
}

static void
run_stls(struct login *l, struct span args, struct span rest, struct buf *out)
{
	if (l->tls)
		wrong(l, "-ERR TLS is up already\r\n", out);
	else if (!l->policy->starttls)
		wrong(l, "-ERR no TLS here\r\n", out);
	else if (args.n > 0)
		wrong(l, "-ERR STLS has no argument\r\n", out);
	else {
		if (rest.n == 0)
			buf_put_str(out, "+OK begin TLS\r\n");
		login_begin_tls(l, rest, out);
	}
}

/* Messages are served as they are in any case: [RFC6856 2.1]. */
static void
run_utf8(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	if (args.n > 0)
		wrong(l, "-ERR UTF8 has no argument\r\n", out);
	else
		buf_put_str(out, "+OK UTF-8 it is\r\n");
}

static void
run_lang(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)l;
	(void)rest;
	pop3_put_language(args, out);
}

static void
run_quit(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)args;
	(void)rest;
	buf_put_str(out, "+OK bye\r\n");
	l->reason = "quit";
	login_enter(l, L_CLOSED);
}

static const struct {
	const char *verb;
	void (*run)(struct login *l, struct span args, struct span rest,
		    struct buf *out);
} commands[] = {
    {"CAPA", run_capa},
    {"USER", run_user},
    {"PASS", run_pass},
    {"AUTH", run_auth},
    {"STLS", run_stls},
    {"UTF8", run_utf8},
    {"LANG", run_lang},
    {"QUIT", run_quit},
};

static void
command(struct login *l, struct span line, struct span rest, struct buf *out)
{
	struct span verb = pop3_word(&line);

	for (size_t i = 0; i < N_ELEMS(commands); i++)
		if (span_equal_nocase(verb, span_str(commands[i].verb))) {
			commands[i].run(l, line, rest, out);
			return;
		}
	wrong(l, "-ERR unknown command, or not before the login\r\n", out);
}

static void
greet(struct login *l, struct buf *out)
{
	buf_put_str(out, "+OK ");
	buf_put(out, l->policy->host_name);
	buf_put_str(out, " POP3 ready\r\n");
}

const struct login_protocol login_pop3 = {
    .name = "pop3",
    .greet = greet,
    .command = command,
    .challenge = "+ ",
    .replies =
	{
		  [REPLY_BAD_LINE] = "-ERR a bare CR, a bare LF or a NUL\r\n",
		  [REPLY_LONG_LITERAL] = "-ERR line too long\r\n",
		  [REPLY_LONG_LINE] = "-ERR line too long\r\n",
		  [REPLY_TOO_MANY_ERRORS] = "-ERR too many errors\r\n",
		  [REPLY_TOO_MANY_COMMANDS] = "-ERR too many commands before the login\r\n",
		  [REPLY_CANCELLED] = "-ERR login given up\r\n",
		  [REPLY_BAD_BASE64] = "-ERR that is no base64\r\n",
		  [REPLY_DENIED] = "-ERR [AUTH] wrong name or password\r\n",
		  [REPLY_BAD_EXCHANGE] = "-ERR the login is malformed\r\n",
		  [REPLY_NO_MECHANISM] = "-ERR no such mechanism here\r\n",
		  [REPLY_LATER] =
		"-ERR [SYS/TEMP] logins do not work now, try again later\r\n", [REPLY_TOO_MANY_FAILURES] = "-ERR [AUTH] too many failed logins\r\n",
		  [REPLY_UNOPENED] =
		"-ERR [SYS/TEMP] mailboxes are away, try again later\r\n", [REPLY_BEHIND_TLS] = "-ERR nothing may stand behind STLS\r\n",
		  [REPLY_TIMEOUT] = "-ERR you took too long\r\n",
		  [REPLY_TOO_MANY] = "-ERR [SYS/TEMP] too many connections from you\r\n",
		  [REPLY_TOO_FAST] = "-ERR [SYS/TEMP] you connect too often\r\n",
		  [REPLY_BUSY] = "-ERR [SYS/TEMP] too busy, try again later\r\n",
		  [REPLY_STOPPING] = "-ERR [SYS/TEMP] the server stops, try again later\r\n",
		  },
};
