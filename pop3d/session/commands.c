#include "common/pop3/pop3.h"
#include "pop3d/session/inner.h"

/* A message number of the client's, counted from 1; says what is wrong with it. */
static struct pop3_message *
message_of(struct pop3 *s, struct span number, struct buf *out)
{
	uint64_t i;

	if (!number_parse(number, UINT32_MAX, &i)) {
		pop3_wrong(s, "-ERR that is no message number\r\n", out);
		return NULL;
	}
	if (i == 0 || i > s->n || s->messages[i - 1].deleted) {
		buf_put_str(out, "-ERR no such message\r\n");
		return NULL;
	}
	return &s->messages[i - 1];
}

static void
run_capa(struct pop3 *s, struct span args, struct buf *out)
{
	static const struct pop3_offer nothing_to_log_in_with;

	(void)s;
	(void)args;
	pop3_put_capabilities(&nothing_to_log_in_with, out);
}

static void
run_stat(struct pop3 *s, struct span args, struct buf *out)
{
	(void)args;
	buf_putf(out, "+OK %zu %llu\r\n", s->n - s->n_deleted,
		 (unsigned long long)(s->bytes - s->bytes_deleted));
}

static void
put_row(const struct pop3 *s, size_t i, bool uids, struct buf *out)
{
	const struct pop3_message *m = &s->messages[i];
	char guid[2 * POP3_GUID_BYTES + 1];

	if (uids && m->uidl) {
		buf_putf(out, "%zu %s\r\n", i + 1, m->uidl);
	} else if (uids) {
		hex_put(m->guid, POP3_GUID_BYTES, guid);
		buf_putf(out, "%zu %s\r\n", i + 1, guid);
	} else {
		buf_putf(out, "%zu %llu\r\n", i + 1, (unsigned long long)m->bytes);
	}
}

static void
run_listing(struct pop3 *s, struct span args, bool uids, struct buf *out)
{
	const struct pop3_message *m;

	if (args.n > 0) {
		m = message_of(s, args, out);
		if (m) {
			buf_put_str(out, "+OK ");
			put_row(s, (size_t)(m - s->messages), uids, out);
		}
		return;
	}
	buf_putf(out, "+OK %zu messages\r\n", s->n - s->n_deleted);
	s->listing_uids = uids;
	pop3_enter(s, P_LISTING);
}

static void
run_list(struct pop3 *s, struct span args, struct buf *out)
{
	run_listing(s, args, false, out);
}

static void
run_uidl(struct pop3 *s, struct span args, struct buf *out)
{
	run_listing(s, args, true, out);
}

void
pop3_list_on(struct pop3 *s, struct buf *out)
{
	for (; s->listing_at < s->n; s->listing_at++) {
		if (out->n >= s->limits->output_high)
			return;
		if (!s->messages[s->listing_at].deleted)
			put_row(s, s->listing_at, s->listing_uids, out);
	}
	buf_put_str(out, ".\r\n");
	pop3_enter(s, P_COMMAND);
}

static void
begin_message(struct pop3 *s, const struct pop3_message *m, uint64_t lines)
{
	s->current = (size_t)(m - s->messages);
	s->ask = (struct pop3_ask){.uid = m->uid};
	s->top = lines != POP3_ALL_LINES;
	pop3_send_init(&s->send, lines);
	pop3_enter(s, P_MESSAGE);
}

static void
run_retr(struct pop3 *s, struct span args, struct buf *out)
{
	const struct pop3_message *m = message_of(s, args, out);

	if (m)
		begin_message(s, m, POP3_ALL_LINES);
}

static void
run_top(struct pop3 *s, struct span args, struct buf *out)
{
	struct span number = pop3_word(&args);
	const struct pop3_message *m;
	uint64_t lines;

	if (!number_parse(args, UINT32_MAX, &lines)) {
		pop3_wrong(s, "-ERR that is no number of lines\r\n", out);
		return;
	}
	m = message_of(s, number, out);
	if (m)
		begin_message(s, m, lines);
}

static void
run_dele(struct pop3 *s, struct span args, struct buf *out)
{
	struct pop3_message *m = message_of(s, args, out);

	if (!m)
		return;
	m->deleted = true;
	s->n_deleted++;
	s->bytes_deleted += m->bytes;
	buf_put_str(out, "+OK\r\n");
}

static void
run_rset(struct pop3 *s, struct span args, struct buf *out)
{
	(void)args;
	for (size_t i = 0; i < s->n; i++)
		s->messages[i].deleted = false;
	s->n_deleted = 0;
	s->bytes_deleted = 0;
	buf_put_str(out, "+OK\r\n");
}

static void
run_noop(struct pop3 *s, struct span args, struct buf *out)
{
	(void)s;
	(void)args;
	buf_put_str(out, "+OK\r\n");
}

static void
run_lang(struct pop3 *s, struct span args, struct buf *out)
{
	(void)s;
	pop3_put_language(args, out);
}

static void
run_quit(struct pop3 *s, struct span args, struct buf *out)
{
	(void)args;
	pop3_enter(s, P_UPDATE);
	if (s->n_deleted == 0)
		pop3_answer_update(s, true, out);
}

enum {
	NONE = 0,
	MAYBE = 1,
	NEEDED = 2,
};

static const struct {
	const char *verb;
	int args;
	void (*run)(struct pop3 *s, struct span args, struct buf *out);
} commands[] = {
    {"RETR", NEEDED, run_retr},
    {"TOP",  NEEDED, run_top },
    {"LIST", MAYBE,  run_list},
    {"UIDL", MAYBE,  run_uidl},
    {"DELE", NEEDED, run_dele},
    {"STAT", NONE,   run_stat},
    {"RSET", NONE,   run_rset},
    {"NOOP", NONE,   run_noop},
    {"QUIT", NONE,   run_quit},
    {"CAPA", NONE,   run_capa},
    {"LANG", MAYBE,  run_lang},
};

void
pop3_command(struct pop3 *s, struct span line, struct buf *out)
{
	struct span args = line, verb = pop3_word(&args);

	/* Blanks at the end of a line are harmless, and common. */
	args = span_trim(args, " ");
	for (size_t i = 0; i < N_ELEMS(commands); i++) {
		if (!span_equal_nocase(verb, span_str(commands[i].verb)))
			continue;
		if (commands[i].args == NONE && args.n > 0)
			pop3_wrong(s, "-ERR there is no argument\r\n", out);
		else if (commands[i].args == NEEDED && args.n == 0)
			pop3_wrong(s, "-ERR an argument is needed\r\n", out);
		else
			commands[i].run(s, args, out);
		return;
	}
	pop3_wrong(s, "-ERR unknown command\r\n", out);
}
