#include "smtpd/session/inner.h"

enum {
	C_LAST = 1,  /* last of a pipelined group: no input may be behind it */
	C_BARE = 2,  /* takes no arguments */
	C_WORK = 4,  /* brings mail forward: no idle command */
	C_SMTP = 8,  /* not in LMTP */
	C_LMTP = 16, /* only in LMTP */
};

static void
cmd_rset(struct session *s, struct span args)
{
	(void)args;
	if (s->state != S_START)
		enter(s, S_READY);
	say(s, REPLY_OK);
}

static void
cmd_noop(struct session *s, struct span args)
{
	(void)args;
	say(s, REPLY_OK);
}

static void
cmd_vrfy(struct session *s, struct span args)
{
	say(s, args.n > 0 ? REPLY_VRFY : REPLY_SYNTAX);
}

static void
cmd_help(struct session *s, struct span args)
{
	(void)args;
	say(s, REPLY_HELP);
}

static void
cmd_quit(struct session *s, struct span args)
{
	(void)args;
	say_and_close(s, REPLY_BYE);
}

/* Known, and never offered. */
static void
cmd_no(struct session *s, struct span args)
{
	(void)args;
	say(s, REPLY_NO_COMMAND);
}

/* Order of commands: [RFC5321 4.1.4]. BDAT looks for itself, since its bytes
 * follow in any state. Last of a group: [RFC2920 3.1] as far as it protects. */
static const struct command {
	struct span verb;
	unsigned states; /* where it is allowed; elsewhere 503 */
	unsigned flags;
	void (*run)(struct session *s, struct span args);
} commands[] = {
    {SPAN("EHLO"),     S_ANY,             C_LAST | C_SMTP,          cmd_hello   },
    {SPAN("HELO"),     S_ANY,             C_LAST | C_SMTP,          cmd_helo    },
    {SPAN("LHLO"),     S_ANY,             C_LAST | C_LMTP,          cmd_hello   },
    {SPAN("MAIL"),     S_READY,           C_WORK,                   cmd_mail    },
    {SPAN("RCPT"),     S_MAIL | S_RCPT,   C_WORK,                   cmd_rcpt    },
    {SPAN("DATA"),     S_MAIL | S_RCPT,   C_LAST | C_BARE | C_WORK, cmd_data    },
    {SPAN("BDAT"),     S_ANY,             C_WORK,                   cmd_bdat    },
    {SPAN("RSET"),     S_ANY,             C_BARE,                   cmd_rset    },
    {SPAN("NOOP"),     S_ANY,             0,                        cmd_noop    },
    {SPAN("VRFY"),     S_ANY,             0,                        cmd_vrfy    },
    {SPAN("HELP"),     S_ANY,             0,                        cmd_help    },
    {SPAN("QUIT"),     S_ANY,             C_BARE | C_WORK,          cmd_quit    },
    {SPAN("AUTH"),     S_READY,           C_LAST,                   cmd_auth    },
    {SPAN("STARTTLS"), S_START | S_READY, C_LAST | C_BARE,          cmd_starttls},
    {SPAN("XCLIENT"),  S_START | S_READY, C_LAST,                   cmd_xclient },
    {SPAN("EXPN"),     S_ANY,             0,                        cmd_no      },
    {SPAN("ETRN"),     S_ANY,             0,                        cmd_no      },
    {SPAN("TURN"),     S_ANY,             0,                        cmd_no      },
};

static const struct command *
find_command(const struct session *s, struct span verb)
{
	unsigned foreign = s->policy->kind == SESSION_LMTP ? C_SMTP : C_LMTP;

	for (size_t i = 0; i < N_ELEMS(commands); i++)
		if (span_equal_nocase(commands[i].verb, verb))
			return commands[i].flags & foreign ? NULL : &commands[i];
	return NULL;
}

void
command_run(struct session *s, struct span line, bool behind)
{
	struct span args = span_trim(line, " \t");
	const struct command *c = find_command(s, smtp_word(&args));

	args = span_trim(args, " \t");
	if ((!c || !(c->flags & C_WORK)) &&
	    ++s->idle > s->policy->limits.idle_commands_max)
		say_and_close(s, REPLY_TOO_MANY_IDLE);
	else if (!c)
		say(s, REPLY_UNKNOWN_COMMAND);
	else if (behind && (c->flags & C_LAST))
		say_and_close(s, REPLY_PIPELINING);
	else if (!(c->states & s->state))
		say(s, s->state == S_START ? REPLY_HELLO_FIRST : REPLY_SEQUENCE);
	else if (args.n > 0 && (c->flags & C_BARE))
		say(s, REPLY_SYNTAX);
	else
		c->run(s, args);
}
