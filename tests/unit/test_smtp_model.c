/* tests/unit/test_smtp_model.c - every sequence of up to 5 commands out of 16
 *
 * A small model of [RFC5321 4.1.4], [RFC3030 2], [RFC3207 4.2] and [RFC4954 4],
 * written as a table and knowing nothing of the core, says which code each command
 * gets and which messages come out. Sequences of fewer commands are the beginnings
 * of these, since replies are compared after each command. SMTP_COMMANDS= from the
 * environment makes the sequences shorter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/smtp_script.h"

enum command {
	EHLO,
	HELO,
	MAIL,
	MAIL_BAD,
	RCPT,
	RCPT_UNKNOWN,
	DATA,
	BDAT,
	BDAT_LAST,
	RSET,
	NOOP,
	VRFY,
	AUTH,
	STARTTLS,
	QUIT,
	FOO,
	N_COMMANDS,
};

static const struct span wires[N_COMMANDS] = {
    [EHLO] = SPAN("EHLO c\r\n"),
    [HELO] = SPAN("HELO c\r\n"),
    [MAIL] = SPAN("MAIL FROM:<a@b>\r\n"),
    [MAIL_BAD] = SPAN("MAIL FROM:a\r\n"),
    [RCPT] = SPAN("RCPT TO:<c@d>\r\n"),
    [RCPT_UNKNOWN] = SPAN("RCPT TO:<unknown@d>\r\n"),
    [DATA] = SPAN("DATA\r\n"),
    [BDAT] = SPAN("BDAT 2\r\n\r\n"),
    [BDAT_LAST] = SPAN("BDAT 2 LAST\r\n\r\n"),
    [RSET] = SPAN("RSET\r\n"),
    [NOOP] = SPAN("NOOP\r\n"),
    [VRFY] = SPAN("VRFY a\r\n"),
    [AUTH] = SPAN("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"),
    [STARTTLS] = SPAN("STARTTLS\r\n"),
    [QUIT] = SPAN("QUIT\r\n"),
    [FOO] = SPAN("FOO\r\n"),
};

enum model_state {
	NEW,    /* no hello yet */
	IDLE,   /* no transaction */
	SENDER, /* MAIL taken */
	RCPTS,  /* RCPT taken */
	CHUNKS, /* BDAT taken */
	N_STATES,
	GONE = N_STATES, /* closed: nothing is answered */
};

/* Code and state behind each command; STAY: unchanged. */
#define STAY (N_STATES + 1)
static const struct rule {
	unsigned code;
	enum model_state next;
} rules[N_STATES][N_COMMANDS] = {
  /*          EHLO         HELO         MAIL           MAIL_BAD    RCPT */
    [NEW] = {{250, IDLE},
	     {250, IDLE},
	     {503, STAY},
	     {503, STAY},
	     {503, STAY},
	     /* RCPT_UNKNOWN DATA      BDAT         BDAT_LAST    RSET */
	     {503, STAY},
	     {503, STAY},
	     {503, STAY},
	     {503, STAY},
	     {250, STAY},
	     /* NOOP      VRFY         AUTH         STARTTLS     QUIT   FOO */
	     {250, STAY},
	     {252, STAY},
	     {503, STAY},
	     {220, NEW},
	     {221, GONE},
	     {500, STAY}},
    [IDLE] = {{250, IDLE},
             {250, IDLE},
             {250, SENDER},
             {501, STAY},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {250, STAY},
             {250, STAY},
             {252, STAY},
             {235, STAY},
             {220, NEW},
             {221, GONE},
             {500, STAY}},
    [SENDER] = {{250, IDLE},
             {250, IDLE},
             {503, STAY},
             {503, STAY},
             {250, RCPTS},
             {550, STAY},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {250, IDLE},
             {250, STAY},
             {252, STAY},
             {503, STAY},
             {503, STAY},
             {221, GONE},
             {500, STAY}},
    [RCPTS] = {{250, IDLE},
             {250, IDLE},
             {503, STAY},
             {503, STAY},
             {250, RCPTS},
             {550, STAY},
             {250, IDLE},
             {250, CHUNKS},
             {250, IDLE},
             {250, IDLE},
             {250, STAY},
             {252, STAY},
             {503, STAY},
             {503, STAY},
             {221, GONE},
             {500, STAY}},
    [CHUNKS] = {{250, IDLE},
             {250, IDLE},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {503, STAY},
             {250, STAY},
             {250, IDLE},
             {250, IDLE},
             {250, STAY},
             {252, STAY},
             {503, STAY},
             {503, STAY},
             {221, GONE},
             {500, STAY}},
};

struct model {
	enum model_state state;
	bool tls, login, extended;
	unsigned rcpts, chunks;
	struct buf mail; /* as struct script has it */
};

static void
model_message(struct model *m, const char *content, unsigned n)
{
	buf_put_str(&m->mail, "a@b>c@d");
	for (unsigned i = 1; i < m->rcpts; i++)
		buf_put_str(&m->mail, ",c@d");
	buf_put_char(&m->mail, ':');
	for (unsigned i = 0; i < n; i++)
		buf_put_str(&m->mail, content);
	buf_put_char(&m->mail, '\n');
}

/* What the table does not say: what a session may do once, and counts. */
static unsigned
model_exception(struct model *m, enum command c, unsigned code)
{
	if (c == STARTTLS && code == 220 && m->tls)
		return 503;
	if (c == AUTH && code == 235 && (m->login || !m->extended))
		return 503;
	return code;
}

static void
model_effects(struct model *m, enum command c, unsigned code)
{
	if (c == STARTTLS && code == 220)
		m->tls = true, m->login = m->extended = false;
	if (c == AUTH && code == 235)
		m->login = true;
	if (c == EHLO || c == HELO)
		m->extended = c == EHLO;
	if (c == RCPT && code == 250)
		m->rcpts++;
	if (c == BDAT && code == 250)
		m->chunks++;
	if (c == DATA && code == 250)
		model_message(m, "x\r\n", 1);
	if (c == BDAT_LAST && code == 250)
		model_message(m, "\r\n", m->chunks + 1);
}

/* The code of the last reply to the command; 0 when none comes. */
static unsigned
model_step(struct model *m, enum command c)
{
	const struct rule *rule;
	unsigned code;

	if (m->state == GONE)
		return 0;
	rule = &rules[m->state][c];
	code = model_exception(m, c, rule->code);
	model_effects(m, c, code);
	if (code == rule->code && rule->next != STAY)
		m->state = rule->next;
	if (m->state < RCPTS)
		m->rcpts = m->chunks = 0;
	return code;
}

/* Feeds one command; the code of its last reply, 0 for none, 1 for too many. */
static unsigned
core_step(struct script *t, enum command c)
{
	size_t before = t->out.n;
	struct span reply;
	unsigned finals = 0;

	if (t->closed)
		return 0;
	script_feed(t, wires[c]);
	reply = span_after(buf_span(&t->out), before);
	if (span_starts(reply, SPAN("354 ")))
		script_feed(t, SPAN("x\r\n.\r\n"));
	reply = span_after(buf_span(&t->out), before);
	while (reply.n > 0)
		finals += span_cut(&reply, '\n').at[3] == ' ';
	return finals == (c == DATA && session_last_code(t->s) == 250 ? 2 : 1)
		   ? session_last_code(t->s)
		   : 1;
}

static void
run_sequence(const struct session_policy *policy, const enum command *sequence,
	     size_t n)
{
	struct model m = {.mail = buf_make(4096)};
	struct script t;

	script_init(&t, policy, NULL);
	for (size_t i = 0; i < n; i++) {
		unsigned want = model_step(&m, sequence[i]);
		unsigned got = core_step(&t, sequence[i]);

		if (got == want)
			continue;
		for (size_t j = 0; j <= i; j++)
			print_error("%.*s", SPAN_ARG(wires[sequence[j]]));
		fail_msg("got %u, want %u", got, want);
	}
	if (!span_equal(buf_span(&t.mail), buf_span(&m.mail)))
		fail_msg("got mail \"%.*s\", want \"%.*s\"",
			 SPAN_ARG(buf_span(&t.mail)), SPAN_ARG(buf_span(&m.mail)));
	if (t.open && t.closed == false && m.state != CHUNKS)
		fail_msg("a message was left open");
	script_release(&t);
	buf_release(&m.mail);
}

#define COMMANDS_MAX 5

static void
test_every_sequence_agrees_with_the_model(void **state)
{
	struct session_policy policy = script_policy(SESSION_MX);
	const char *wanted = getenv("SMTP_COMMANDS");
	size_t n = wanted && *wanted >= '1' && *wanted <= '5' ? (size_t)(*wanted - '0')
							      : COMMANDS_MAX;
	unsigned long count = 0;

	(void)state;
	policy.auth_without_tls = true;
	for (unsigned long code = 0; code < 1ul << (4 * n); code++) {
		enum command sequence[COMMANDS_MAX];

		for (size_t i = 0; i < n; i++)
			sequence[i] = code >> (4 * i) & 15;
		run_sequence(&policy, sequence, n);
		count++;
	}
	print_message("%lu sequences of %zu commands\n", count, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_sequence_agrees_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
