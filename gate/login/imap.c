/* The not authenticated state of IMAP [RFC3501 6.1] [RFC3501 6.2] [RFC9051 6.2].
 *
 * A command is gathered by common/imap with its literals; what it says is little enough
 * to be read here. Clients may send small literals without waiting, as LITERAL- and
 * IMAP4rev2 let them; one that is too large ends the connection, for what follows
 * it could not be told from commands.
 */
#include "gate/login/inner.h"

/* --- words ---------------------------------------------------------------- */

static bool
is_special(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f || memchr("(){%*\"\\", c, 7);
}

/* What is not special, perhaps nothing. UTF-8 passes: it is no harm in a password. */
static struct span
take_atom(struct span *s)
{
	size_t n = 0;

	while (n < s->n && !is_special(s->at[n]))
		n++;
	*s = span_after(*s, n);
	return span_make(s->at - n, n);
}

static bool
take_char(struct span *s, char c)
{
	if (s->n == 0 || s->at[0] != c)
		return false;
	*s = span_after(*s, 1);
	return true;
}

/* Behind the quote that opens it [RFC3501 9]. */
static bool
take_quoted(struct span *s, struct buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		char c = s->at[i];

		if (c == '"') {
			*s = span_after(*s, i + 1);
			return true;
		}
		if (c == '\\' && (++i == s->n || !memchr("\"\\", c = s->at[i], 2)))
			return false;
		if (c == '\r' || c == '\n')
			return false;
		buf_put_char(out, c);
	}
	return false;
}

/* Behind the brace; the frame has made sure that all of it is there. */
static bool
take_literal(struct span *s, struct buf *out)
{
	struct span head = span_cut(s, '\n');
	uint64_t n;

	if (!span_ends_nocase(head, SPAN("}\r")))
		return false;
	head = span_first(head, head.n - 2);
	if (span_ends_nocase(head, SPAN("+")))
		head = span_first(head, head.n - 1);
	if (!number_parse(head, s->n, &n))
		return false;
	buf_put(out, span_first(*s, n));
	*s = span_after(*s, n);
	return true;
}

/* False for what is no string; what does not fit `out` marks it as full. */
static bool
take_string(struct span *s, struct buf *out)
{
	if (take_char(s, '"'))
		return take_quoted(s, out);
	return take_char(s, '{') && take_literal(s, out);
}

static bool
take_astring(struct span *s, struct buf *out)
{
	struct span atom = take_atom(s);

	if (atom.n == 0)
		return take_string(s, out);
	buf_put(out, atom);
	return true;
}

/* --- capabilities --------------------------------------------------------- */

static void
put_capabilities(const struct login *l, struct buf *out)
{
	struct span names = login_mechanisms(l);

	buf_put_str(out, "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID");
	if (l->policy->starttls && !l->tls)
		buf_put_str(out, " STARTTLS");
	if (!login_may_bare(l))
		buf_put_str(out, " LOGINDISABLED");
	while (names.n > 0) {
		buf_put_str(out, " AUTH=");
		buf_put(out, span_cut(&names, ' '));
	}
}

/* --- commands ------------------------------------------------------------- */

static void
answer(const struct login *l, const char *text, struct buf *out)
{
	buf_put_str(out, l->tag);
	buf_put_str(out, text);
}

static void
wrong(struct login *l, const char *text, struct buf *out)
{
	answer(l, text, out);
	login_error(l, out);
}

static void
run_capability(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	if (args.n > 0) {
		wrong(l, " BAD CAPABILITY has no argument\r\n", out);
		return;
	}
	buf_put_str(out, "* ");
	put_capabilities(l, out);
	buf_put_str(out, "\r\n");
	answer(l, " OK CAPABILITY completed\r\n", out);
}

static void
run_noop(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	if (args.n > 0)
		wrong(l, " BAD NOOP has no argument\r\n", out);
	else
		answer(l, " OK NOOP completed\r\n", out);
}

static void
run_logout(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	if (args.n > 0) {
		wrong(l, " BAD LOGOUT has no argument\r\n", out);
		return;
	}
	buf_put_str(out, "* BYE bye\r\n");
	answer(l, " OK LOGOUT completed\r\n", out);
	l->reason = "logout";
	login_enter(l, L_CLOSED);
}

/* Names and values in one pair of parentheses, or NIL [RFC2971 3.1]. */
static bool
is_id(struct span s)
{
	struct buf nothing = buf_make(0);

	if (span_equal_nocase(s, SPAN("NIL")))
		return true;
	if (!take_char(&s, '('))
		return false;
	while (!take_char(&s, ')')) {
		bool nil = span_starts_nocase(s, SPAN("NIL"));

		if (nil)
			s = span_after(s, 3);
		else if (!take_string(&s, &nothing))
			return false;
		if (!take_char(&s, ' ') && !(s.n > 0 && s.at[0] == ')'))
			return false;
	}
	return s.n == 0;
}

static void
run_id(struct login *l, struct span args, struct span rest, struct buf *out)
{
	(void)rest;
	if (!is_id(args)) {
		wrong(l, " BAD ID has a list of strings\r\n", out);
		return;
	}
	buf_reset(&l->agent);
	buf_put(&l->agent, span_first(args, LOGIN_AGENT_MAX));
	buf_put_str(out, "* ID (\"name\" \"Postroad\")\r\n");
	answer(l, " OK ID completed\r\n", out);
}

static void
run_starttls(struct login *l, struct span args, struct span rest, struct buf *out)
{
	if (l->tls)
		wrong(l, " BAD TLS is up already\r\n", out);
	else if (!l->policy->starttls)
		wrong(l, " NO no TLS here\r\n", out);
	else if (args.n > 0)
		wrong(l, " BAD STARTTLS has no argument\r\n", out);
	else {
		if (rest.n == 0)
			answer(l, " OK begin TLS\r\n", out);
		login_begin_tls(l, rest, out);
	}
}

static bool
is_bare(struct span mechanism)
{
	return span_equal_nocase(mechanism, SPAN("PLAIN")) ||
	       span_equal_nocase(mechanism, SPAN("LOGIN"));
}

static void
run_authenticate(struct login *l, struct span args, struct span rest, struct buf *out)
{
	struct span mechanism = take_atom(&args);
	bool has_initial = take_char(&args, ' ');

	(void)rest;
	if (mechanism.n == 0 || has_initial != (args.n > 0))
		wrong(l,
		      " BAD AUTHENTICATE has a mechanism, and perhaps a response\r\n",
		      out);
	else if (!login_may_bare(l) && is_bare(mechanism))
		wrong(l, " NO [PRIVACYREQUIRED] begin TLS first\r\n", out);
	else
		login_exchange(l, mechanism, has_initial, args, out);
}

static bool
has_nul(const struct buf *b)
{
	return span_find(buf_span(b), '\0') < b->n;
}

/* A name that is too long is one that nobody has. */
static void
log_in(struct login *l, const struct buf *name, const struct buf *password,
       struct buf *out)
{
	if (name->full || password->full || has_nul(name) || has_nul(password))
		wrong(l, " NO [AUTHENTICATIONFAILED] wrong name or password\r\n", out);
	else
		login_password(l, buf_span(name), buf_span(password));
}

static void
run_login(struct login *l, struct span args, struct span rest, struct buf *out)
{
	struct buf password = buf_make(LOGIN_MESSAGE_MAX - LOGIN_NAME_MAX - 2);
	bool good;

	(void)rest;
	buf_reset(&l->name);
	good = take_astring(&args, &l->name) && take_char(&args, ' ') &&
	       take_astring(&args, &password) && args.n == 0;
	if (!good)
		wrong(l, " BAD LOGIN has a name and a password\r\n", out);
	else if (!login_may_bare(l))
		wrong(l, " NO [PRIVACYREQUIRED] begin TLS first\r\n", out);
	else
		log_in(l, &l->name, &password, out);
	buf_reset(&l->name);
	if (password.at)
		explicit_bzero(password.at, password.size);
	buf_release(&password);
}

static const struct {
	const char *name;
	void (*run)(struct login *l, struct span args, struct span rest,
		    struct buf *out);
} commands[] = {
    {"CAPABILITY",   run_capability  },
    {"NOOP",         run_noop        },
    {"LOGOUT",       run_logout      },
    {"ID",           run_id          },
    {"STARTTLS",     run_starttls    },
    {"AUTHENTICATE", run_authenticate},
    {"LOGIN",        run_login       },
};

static bool
is_tag(struct span s)
{
	return s.n > 0 && span_find(s, '+') == s.n;
}

/* The tag off the front of a command, kept for its answers. */
static bool
take_tag(struct login *l, struct span *command)
{
	struct span tag = take_atom(command);

	return span_copy(is_tag(tag) ? tag : SPAN(""), l->tag, sizeof(l->tag)) &&
	       l->tag[0] && take_char(command, ' ');
}

static void
run(struct login *l, struct span command, struct span rest, struct buf *out)
{
	struct span name;

	if (!take_tag(l, &command)) {
		login_say(l, REPLY_BAD_LINE, out);
		login_error(l, out);
		return;
	}
	name = take_atom(&command);
	(void)take_char(&command, ' ');
	for (size_t i = 0; i < N_ELEMS(commands); i++)
		if (span_equal_nocase(name, span_str(commands[i].name))) {
			commands[i].run(l, command, rest, out);
			return;
		}
	wrong(l, " BAD unknown command, or not before the login\r\n", out);
}

static void
command(struct login *l, struct span line, struct span rest, struct buf *out)
{
	run(l, line, rest, out);
	login_wipe_frame(l);
	imap_frame_next(&l->frame);
}

/* --- framing -------------------------------------------------------------- */

/* False: it closes. */
static bool
take_announced(struct login *l, struct buf *out)
{
	bool sync = imap_frame_literal(&l->frame)->sync;

	if (!imap_frame_accept(&l->frame)) {
		struct span begun = imap_frame(&l->frame);

		(void)take_tag(l, &begun);
		login_close(l, REPLY_LONG_LITERAL, "literal too large", out);
		return false;
	}
	if (sync)
		buf_put_str(out, "+ OK\r\n");
	return true;
}

static enum crlf_result
take_bad(struct login *l)
{
	struct span begun = imap_frame(&l->frame);

	(void)take_tag(l, &begun);
	login_wipe_frame(l);
	imap_frame_next(&l->frame);
	return CRLF_LONG;
}

static enum crlf_result
take(struct login *l, struct span *in, struct span *line, struct buf *out)
{
	for (;;)
		switch (imap_frame_feed(&l->frame, in)) {
		case IMAP_FRAME_MORE:
			return CRLF_MORE;
		case IMAP_FRAME_COMMAND:
			*line = imap_frame(&l->frame);
			*line = span_first(*line, line->n - 2);
			return CRLF_LINE;
		case IMAP_FRAME_LITERAL:
			if (!take_announced(l, out))
				return CRLF_MORE;
			break;
		case IMAP_FRAME_BAD:
		case IMAP_FRAME_FULL:
			return take_bad(l);
		case IMAP_FRAME_LOST:
			login_close(l, REPLY_LONG_LITERAL, "literal too large", out);
			return CRLF_MORE;
		}
}

static void
greet(struct login *l, struct buf *out)
{
	buf_put_str(out, "* OK [");
	put_capabilities(l, out);
	buf_put_str(out, "] ");
	buf_put(out, l->policy->host_name);
	buf_put_str(out, " Postroad ready\r\n");
}

/* clang-format off */
const struct login_protocol login_imap = {
    .name = "imap",
    .greet = greet,
    .take = take,
    .command = command,
    .challenge = "+ ",
    .replies = {
	[REPLY_BAD_LINE] = " BAD that is no command\r\n",
	[REPLY_LONG_LINE] = " BAD too long, or with a bare CR, a bare LF or a NUL\r\n",
	[REPLY_LONG_LITERAL] = " NO [TOOBIG] so long a literal may not come before the login\r\n"
			       "* BYE literal too large\r\n",
	[REPLY_TOO_MANY_ERRORS] = "* BYE too many errors\r\n",
	[REPLY_TOO_MANY_COMMANDS] = "* BYE too many commands before the login\r\n",
	[REPLY_CANCELLED] = " BAD login given up\r\n",
	[REPLY_BAD_BASE64] = " BAD that is no base64\r\n",
	[REPLY_DENIED] = " NO [AUTHENTICATIONFAILED] wrong name or password\r\n",
	[REPLY_BAD_EXCHANGE] = " BAD the login is malformed\r\n",
	[REPLY_NO_MECHANISM] = " NO no such mechanism here\r\n",
	[REPLY_LATER] = " NO [UNAVAILABLE] logins do not work now, try again later\r\n",
	[REPLY_TOO_MANY_FAILURES] = " NO [AUTHENTICATIONFAILED] wrong name or password\r\n"
				    "* BYE too many failed logins\r\n",
	[REPLY_UNOPENED] = " NO [UNAVAILABLE] mailboxes are away, try again later\r\n"
			   "* BYE mailboxes are away\r\n",
	[REPLY_BEHIND_TLS] = "* BYE nothing may stand behind STARTTLS\r\n",
	[REPLY_TIMEOUT] = "* BYE you took too long\r\n",
	[REPLY_TOO_MANY] = "* BYE [LIMIT] too many connections from you\r\n",
	[REPLY_TOO_FAST] = "* BYE [LIMIT] you connect too often\r\n",
	[REPLY_BUSY] = "* BYE [UNAVAILABLE] too busy, try again later\r\n",
	[REPLY_STOPPING] = "* BYE [UNAVAILABLE] the server stops, try again later\r\n",
    },
};
/* clang-format on */
