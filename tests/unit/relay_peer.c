#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

#define FLOOD_BYTES ((size_t)5 << 20)

void
peer_init(struct peer *p)
{
	*p = (struct peer){.eightbit = true};
	buf_init(&p->in, (size_t)64 << 20);
	buf_init(&p->replies, (size_t)8 << 20);
	buf_init(&p->log, (size_t)4 << 20);
	buf_init(&p->unread, (size_t)8 << 20);
	buf_init(&p->body, (size_t)64 << 20);
	buf_init(&p->taken, (size_t)64 << 20);
	buf_init(&p->rcpts, (size_t)1 << 20);
	buf_init(&p->taken_rcpts, (size_t)1 << 20);
}

void
peer_release(struct peer *p)
{
	session_free(&p->s);
	if (p->sasl_on)
		sasl_release(&p->sasl);
	buf_release(&p->in);
	buf_release(&p->replies);
	buf_release(&p->log);
	buf_release(&p->unread);
	buf_release(&p->body);
	buf_release(&p->taken);
	buf_release(&p->rcpts);
	buf_release(&p->taken_rcpts);
}

uint64_t
peer_random(struct peer *p)
{
	p->seed += 0x9e3779b97f4a7c15u;
	uint64_t z = p->seed;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct session_config
peer_config(const struct peer *p)
{
	return (struct session_config){
	    .helo = SPAN("client.example"),
	    .host = SPAN("mx.example[192.0.2.1]"),
	    .nonce = SPAN("rOprNGfwEbeRWgbNEkqO"),
	    .lmtp = p->lmtp,
	    .tls = p->tls ? SESSION_TLS_MAY : SESSION_TLS_NEVER,
	    .line_bytes_max = FOLD_LINE_BYTES_MAX,
	    .burst_bytes_max = 65536,
	};
}

/* --- replies -------------------------------------------------------------- */

static enum event
event_at(struct peer *p, enum at at)
{
	unsigned nth = p->seen[at]++;

	if (p->rule)
		return p->rule(p, at, nth);
	return p->rule_at == at && p->rule_nth == nth ? p->rule_event : EVENT_NONE;
}

static void
put_flood(struct buf *out)
{
	char *at = buf_extend(out, FLOOD_BYTES);

	assert_non_null(at);
	memset(at, 'a', FLOOD_BYTES);
	memcpy(at, "250-", 4);
}

/* Says `usual`, or what the rule has; true when it was 2xx (or 3xx, as it should). */
static bool
reply(struct peer *p, enum at at, const char *usual)
{
	enum event event = event_at(p, at);
	struct buf *out = &p->replies;

	switch (event) {
	case EVENT_NONE:
		buf_put_str(out, usual);
		return true;
	case EVENT_OK:
		buf_put_str(out, "255-2.9.9 fine\r\n255 2.9.9 really\r\n");
		return true;
	case EVENT_STRANGE:
		buf_put_str(out, "350 go on\r\n");
		return false;
	case EVENT_4XX:
		buf_put_str(out, "451-4.7.1 not now,\r\n451 4.7.1 later\r\n");
		return false;
	case EVENT_5XX:
		buf_put_str(out, "550 5.7.1 never\r\n");
		return false;
	case EVENT_421:
		buf_put_str(out, "421 4.3.2 too busy\r\n");
		p->gone = true;
		return false;
	case EVENT_GARBAGE:
		buf_put_str(out, "+OK hello\r\n");
		p->gone = true;
		return false;
	case EVENT_FLOOD:
		put_flood(out);
		p->gone = true;
		return false;
	default:
		p->fault = event;
		p->gone = true;
		return false;
	}
}

static void
reply_ehlo(struct peer *p)
{
	struct buf text = buf_make(4096);

	buf_put_str(&text, "250-mx.example says hello\r\n");
	if (p->pipelining)
		buf_put_str(&text, "250-PIPELINING\r\n");
	if (p->chunking)
		buf_put_str(&text, "250-CHUNKING\r\n");
	if (p->eightbit)
		buf_put_str(&text, "250-8BITMIME\r\n");
	if (p->utf8)
		buf_put_str(&text, "250-SMTPUTF8\r\n");
	if (p->dsn)
		buf_put_str(&text, "250-DSN\r\n");
	if (p->tls && !p->secured)
		buf_put_str(&text, "250-STARTTLS\r\n");
	if (p->auth && (p->secured || !p->tls))
		buf_putf(&text, "250-AUTH %s\r\n", p->auth);
	buf_put_str(&text, p->more ? p->more : "");
	buf_put_str(&text, "250 HELP\r\n");
	buf_put_char(&text, '\0');
	p->helloed = reply(p, p->secured ? AT_EHLO_TLS : AT_EHLO, text.at);
	buf_release(&text);
}

/* --- transactions --------------------------------------------------------- */

static void
transaction_reset(struct peer *p)
{
	p->mail_ok = false;
	p->n_rcpts = 0;
	p->body_bad = p->chunk_bad = false;
	buf_reset(&p->rcpts);
	buf_reset(&p->body);
}

static void
reply_message(struct peer *p)
{
	unsigned n = p->lmtp ? p->n_rcpts : 1;
	bool taken = false;

	for (unsigned i = 0; i < n && !p->gone; i++)
		taken |= reply(p, AT_FINAL, "250 2.0.0 queued\r\n");
	if (taken) {
		p->n_taken++;
		buf_reset(&p->taken);
		buf_put(&p->taken, buf_span(&p->body));
		buf_reset(&p->taken_rcpts);
		buf_put(&p->taken_rcpts, buf_span(&p->rcpts));
	}
	transaction_reset(p);
}

static void
on_mail(struct peer *p, struct span line)
{
	if (p->mail_ok) {
		buf_put_str(&p->replies, "503 5.5.1 nested MAIL\r\n");
		fail_msg("nested MAIL");
	}
	p->seen[AT_RCPT] = p->seen[AT_CHUNK] = p->seen[AT_FINAL] = 0;
	p->mail_ok = reply(p, AT_MAIL, "250 2.1.0 ok\r\n");
	snprintf(p->taken_from, sizeof(p->taken_from), "%.*s", SPAN_ARG(line));
}

static void
on_rcpt(struct peer *p, struct span line)
{
	struct span address = span_after(line, 8);

	address = span_first(address, span_find(address, ' '));
	if (!p->mail_ok) {
		buf_put_str(&p->replies, "503 5.5.1 need MAIL\r\n");
		p->seen[AT_RCPT]++;
	} else if (span_starts(address, SPAN("<refused"))) {
		buf_put_str(&p->replies, "550 5.1.1 no such user\r\n");
		p->seen[AT_RCPT]++;
	} else if (reply(p, AT_RCPT, "250 2.1.5 ok\r\n")) {
		p->n_rcpts++;
		buf_put(&p->rcpts, address);
		buf_put_char(&p->rcpts, ' ');
	}
}

static void
on_data(struct peer *p)
{
	if (!p->mail_ok || p->n_rcpts == 0) {
		buf_put_str(&p->replies, "503 5.5.1 no valid recipients\r\n");
		return;
	}
	p->in_data = reply(p, AT_DATA, "354 go ahead\r\n");
	if (span_ends_nocase(buf_span(&p->replies), SPAN("really\r\n")))
		p->in_data = false; /* 2xx: the client must not go on */
}

static void
on_bdat(struct peer *p, struct span args)
{
	uint64_t n;
	struct span size = smtp_word(&args);

	assert_true(number_parse(size, UINT32_MAX, &n));
	p->chunk_left = (size_t)n;
	p->chunk_last = span_equal_nocase(smtp_word(&args), SPAN("LAST"));
}

static void
chunk_over(struct peer *p)
{
	bool last = p->chunk_last;

	p->chunk_last = false;
	if (!p->mail_ok || p->n_rcpts == 0 || p->chunk_bad)
		buf_put_str(&p->replies, "503 5.5.1 no valid recipients\r\n");
	else if (!last)
		p->chunk_bad = !reply(p, AT_CHUNK, "250 2.0.0 chunk\r\n");
	else
		reply_message(p);
}

/* --- AUTH ----------------------------------------------------------------- */

static void
auth_reply(struct peer *p, enum sasl_result r, struct buf *out)
{
	if (r == SASL_LOOKUP) {
		struct scram_keys keys;

		scram_keys_make(SPAN("secret"), SPAN("salt of ours"), 4096, &keys);
		r = sasl_keys(&p->sasl, &keys, true, out);
	}
	if (r == SASL_VERIFY)
		r = span_equal(sasl_password(&p->sasl), SPAN("secret")) ? SASL_DONE
									: SASL_DENIED;
	if (r == SASL_CONTINUE) {
		buf_put_str(&p->replies, "334 ");
		base64_put(&p->replies, buf_span(out));
		buf_put_str(&p->replies, "\r\n");
		return;
	}
	p->sasl_on = false;
	sasl_release(&p->sasl);
	if (r == SASL_DONE)
		reply(p, AT_AUTH, "235 2.7.0 welcome\r\n");
	else
		buf_put_str(&p->replies, "535 5.7.8 denied\r\n");
}

static void
auth_step(struct peer *p, struct span text)
{
	struct buf message = buf_make(SASL_MESSAGE_MAX),
		   out = buf_make(SASL_MESSAGE_MAX);

	if (span_equal(text, SPAN("*")) || !base64_parse(text, &message))
		auth_reply(p, SASL_SYNTAX, &out);
	else
		auth_reply(p, sasl_step(&p->sasl, buf_span(&message), &out), &out);
	buf_release(&message);
	buf_release(&out);
}

static void
on_auth(struct peer *p, struct span args)
{
	static const struct sasl_offer offer = {.nonce = SPAN("serverserverserver")};
	struct buf out = buf_make(SASL_MESSAGE_MAX);
	enum sasl_mechanism m;

	assert_true(sasl_mechanism_find(smtp_word(&args), &m));
	sasl_init(&p->sasl, m, &offer);
	p->sasl_on = true;
	args = span_trim(args, " ");
	if (args.n > 0) {
		auth_step(p, args);
	} else {
		sasl_prompt(&p->sasl, &out);
		auth_reply(p, SASL_CONTINUE, &out);
	}
	buf_release(&out);
}

/* --- commands ------------------------------------------------------------- */

static void
run_line(struct peer *p, struct span line)
{
	struct span args = line, verb = smtp_word(&args);

	buf_put(&p->log, line);
	buf_put_char(&p->log, '\n');
	if (p->sasl_on) {
		auth_step(p, line);
	} else if (span_equal(verb, SPAN("EHLO")) || span_equal(verb, SPAN("LHLO"))) {
		assert_int_equal(verb.at[0], p->lmtp ? 'L' : 'E');
		reply_ehlo(p);
	} else if (span_equal(verb, SPAN("HELO"))) {
		reply(p, AT_HELO, "250 hello\r\n");
	} else if (span_equal(verb, SPAN("STARTTLS"))) {
		p->secured = reply(p, AT_STARTTLS, "220 go\r\n");
	} else if (span_equal(verb, SPAN("AUTH"))) {
		on_auth(p, args);
	} else if (span_equal(verb, SPAN("RSET"))) {
		if (reply(p, AT_RSET, "250 reset\r\n"))
			transaction_reset(p);
	} else if (span_equal(verb, SPAN("MAIL"))) {
		on_mail(p, line);
	} else if (span_equal(verb, SPAN("RCPT"))) {
		on_rcpt(p, line);
	} else if (span_equal(verb, SPAN("DATA"))) {
		on_data(p);
	} else if (span_equal(verb, SPAN("BDAT"))) {
		on_bdat(p, args);
	} else {
		assert_true(span_equal(verb, SPAN("QUIT")));
		p->gone = true;
	}
}

/* A whole line, its bytes checked; false when there is none. */
static bool
take_line(struct peer *p, struct span *line)
{
	struct span in = span_after(buf_span(&p->in), p->in_at);
	size_t lf = span_find(in, '\n');

	*line = span_first(in, lf);
	if (lf == in.n)
		return false;
	assert_true(lf > 0 && in.at[lf - 1] == '\r');
	*line = span_first(in, lf - 1);
	assert_int_equal(span_find(*line, '\r'), line->n);
	return true;
}

static void
data_line(struct peer *p, struct span line)
{
	if (span_equal(line, SPAN("."))) {
		p->in_data = false;
		reply_message(p);
		return;
	}
	if (span_starts(line, SPAN(".")))
		line = span_after(line, 1);
	buf_put(&p->body, line);
	buf_put_str(&p->body, "\r\n");
}

static bool
take_chunk(struct peer *p)
{
	struct span in = span_after(buf_span(&p->in), p->in_at);
	size_t n = in.n < p->chunk_left ? in.n : p->chunk_left;

	if (p->chunk_left == 0)
		return false;
	buf_put(&p->body, span_first(in, n));
	p->in_at += n;
	p->chunk_left -= n;
	if (p->chunk_left == 0)
		chunk_over(p);
	return n > 0;
}

/* All that came, as far as it can be understood. */
static void
work(struct peer *p)
{
	struct span line;
	unsigned n_commands = 0;

	while (!p->gone) {
		if (p->chunk_left > 0) {
			if (!take_chunk(p))
				return;
			continue;
		}
		if (!take_line(p, &line))
			return;
		if (p->in_data) {
			data_line(p, line);
		} else {
			n_commands++;
			/* RSET and MAIL, say, only when it was allowed. */
			if (!p->pipelining && !span_starts(line, SPAN("QUIT")))
				assert_int_equal(n_commands, 1);
			run_line(p, line);
		}
		p->in_at += line.n + 2;
		if (p->chunk_last && p->chunk_left == 0)
			chunk_over(p);
	}
}

/* --- the way between ------------------------------------------------------ */

static bool
carry_output(struct peer *p)
{
	struct buf *out = session_output(p->s);

	if (out->n == 0)
		return false;
	p->n_writes++;
	if (!p->gone)
		buf_put(&p->in, buf_span(out));
	buf_drop_front(out, out->n);
	if (!p->gone)
		work(p);
	buf_drop_front(&p->in, p->in_at);
	p->in_at = 0;
	return true;
}

static void
give(struct peer *p, struct span bytes)
{
	struct span in;

	buf_put(&p->unread, bytes);
	in = buf_span(&p->unread);
	session_input(p->s, &in);
	buf_drop_front(&p->unread, p->unread.n - in.n);
	if (session_wish(p->s) != SESSION_OVER)
		assert_true(p->unread.n < SMTP_REPLY_LINE_BYTES_MAX);
}

static bool
carry_replies(struct peer *p)
{
	struct buf all = p->replies;

	if (all.n == 0)
		return false;
	buf_init(&p->replies, all.max);
	if (!p->bytewise || all.n > 100000) {
		for (struct span rest = buf_span(&all); rest.n > 0;
		     rest = span_after(rest, 65536))
			give(p, span_first(rest, 65536));
	} else {
		for (size_t i = 0; i < all.n; i++)
			give(p, span_make(all.at + i, 1));
	}
	buf_release(&all);
	return true;
}

static bool
feed(struct peer *p)
{
	struct span rest = span_after(p->content, p->fed);
	struct span piece = span_first(rest, p->piece ? p->piece : rest.n);

	p->fed += piece.n;
	session_content(p->s, piece, p->fed == p->content.n);
	return true;
}

static bool
carry_wish(struct peer *p)
{
	switch (session_wish(p->s)) {
	case SESSION_CONTENT:
		return feed(p);
	case SESSION_WHOLE:
		session_whole(p->s, p->content);
		return true;
	case SESSION_FLUSH:
		session_flushed(p->s);
		return true;
	case SESSION_TLS:
		assert_int_equal(session_output(p->s)->n, 0);
		p->helloed = false;
		session_secured(p->s, true);
		return true;
	default:
		return false;
	}
}

static bool
carry_fault(struct peer *p)
{
	if (p->fault == EVENT_DROP)
		session_lost(p->s, SPAN("Connection reset by peer"));
	else if (p->fault == EVENT_TIMEOUT)
		session_timeout(p->s);
	else
		return false;
	return true;
}

void
peer_run(struct peer *p)
{
	if (p->seen[AT_GREETING] == 0)
		reply(p, AT_GREETING, "220 mx.example ESMTP\r\n");
	for (;;) {
		enum session_wish wish = session_wish(p->s);

		if (wish == SESSION_OVER)
			break;
		/* Content is given before anything is sent, as the program does. */
		if ((wish == SESSION_CONTENT || wish == SESSION_FLUSH) &&
		    session_output(p->s)->n < 65536 && carry_wish(p))
			continue;
		if (carry_output(p) || carry_replies(p))
			continue;
		if (wish == SESSION_READY || (!carry_fault(p) && !carry_wish(p)))
			break;
	}
	if (session_wish(p->s) != SESSION_READY)
		assert_int_equal(session_wish(p->s), SESSION_OVER);
	carry_output(p);
}

void
peer_transact(struct peer *p, const struct session_transaction *t, struct span content)
{
	p->content = content;
	p->fed = 0;
	session_start(p->s, t);
	peer_run(p);
}

/* --- what tests ask -------------------------------------------------------- */

void
peer_begin(struct peer *p)
{
	struct session_config config = peer_config(p);

	p->s = session_new(&config);
	peer_run(p);
	assert_int_equal(session_wish(p->s), SESSION_READY);
}

const struct relay_result *
peer_result(const struct peer *p, size_t i)
{
	size_t n;
	const struct relay_result *r = session_results(p->s, &n);

	assert_true(i < n);
	return &r[i];
}

void
result_has_text(const struct relay_result *r, const char *want)
{
	if (!span_equal(r->text, span_str(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)r->text.n, r->text.at, want);
}

void
result_has_status(const struct relay_result *r, enum delivery_outcome outcome,
		  unsigned code, unsigned a, unsigned b, unsigned c)
{
	assert_int_equal(r->outcome, outcome);
	assert_int_equal(r->code, code);
	assert_int_equal(r->enhanced[0], a);
	assert_int_equal(r->enhanced[1], b);
	assert_int_equal(r->enhanced[2], c);
}
