/* One transaction: what goes out when, and what the replies mean [RFC5321 3.3]
 *
 * With PIPELINING all goes out at once up to DATA, or, when the message is small and
 * CHUNKING is offered, up to its last byte [RFC2920] [RFC3030]; without it one command
 * at a time. Either way the replies come in the order of the commands, and what is
 * owed says which is next.
 */
#include "delivery/remote/session/inner.h"

static bool
offered(const struct session *s, unsigned offer)
{
	return (s->offers.set & offer) != 0;
}

/* --- whether it can go to this server ------------------------------------- */

/* Our verdict when the server can take no such message, or no_fault. */
static bool
find_obstacle(struct session *s, struct verdict *out)
{
	const struct session_transaction *t = &s->t.given;

	if (s->offers.size_max > 0 && t->content_bytes > s->offers.size_max)
		*out = verdict_own(s, STATUS(5, 3, 4),
				   "the message is bigger than the server takes");
	else if (t->flags & ENVELOPE_REQUIRETLS &&
		 !(s->secured && s->verified && offered(s, SESSION_REQUIRETLS)))
		*out = verdict_own(s, STATUS(5, 7, 30),
				   "REQUIRETLS is asked for, which the server does not "
				   "offer, or its name could not be verified");
	else if (t->flags & ENVELOPE_BINARYMIME &&
		 (!offered(s, SESSION_BINARYMIME) || !offered(s, SESSION_CHUNKING)))
		*out = verdict_own(s, STATUS(5, 6, 1),
				   "the message is binary (BINARYMIME), which the "
				   "server does not take");
	else if (t->sender.n > 0 && !address_sound(t->sender))
		*out = verdict_own(s, STATUS(5, 1, 7),
				   "the sender's address is no address");
	else if (!offered(s, SESSION_SMTPUTF8) && !address_has_ascii(t->sender))
		*out = verdict_own(s, STATUS(5, 6, 7),
				   "the sender's address needs SMTPUTF8, which the "
				   "server does not offer");
	else
		return false;
	return true;
}

/* Recipients whom no command could name here. */
static void
decide_addresses(struct session *s)
{
	const struct session_transaction *t = &s->t.given;

	s->t.utf8 = t->flags & ENVELOPE_SMTPUTF8 || !bytes_are_ascii(t->sender);
	for (size_t i = 0; i < t->n_recipients; i++) {
		struct span address = t->recipients[i].address;

		if (!address_sound(address)) {
			decide(s, i,
			       verdict_own(s, STATUS(5, 1, 3), "no mail address"));
		} else if (!bytes_are_ascii(address)) {
			s->t.utf8 = true;
			if (!offered(s, SESSION_SMTPUTF8) &&
			    !address_has_ascii(address))
				decide(s, i,
				       verdict_own(s, STATUS(5, 6, 7),
						   "the address needs SMTPUTF8, which "
						   "the server does not offer"));
		}
	}
	s->t.utf8 &= offered(s, SESSION_SMTPUTF8);
}

static bool
all_decided(const struct session *s)
{
	for (size_t i = 0; i < s->n_results; i++)
		if (s->fates[i].step != STEP_DECIDED)
			return false;
	return true;
}

static bool
needs_whole(const struct session *s)
{
	const struct session_transaction *t = &s->t.given;

	if (t->flags & ENVELOPE_SMTPUTF8 && !s->t.utf8)
		return true;
	return !offered(s, SESSION_8BITMIME) && !t->seven_bit &&
	       !(t->flags & ENVELOPE_BINARYMIME);
}

void
session_start(struct session *s, const struct session_transaction *transaction)
{
	struct verdict obstacle;

	ASSERT(s->state == S_READY && transaction->n_recipients > 0 &&
	       transaction->n_recipients <= RELAY_RECIPIENTS_MAX);
	if (s->texts.size > KEEP_BYTES)
		buf_release(&s->texts);
	buf_reset(&s->texts);
	results_reserve(s, transaction->n_recipients);
	s->t.given = *transaction;
	enter(s, S_WHOLE);
	if (find_obstacle(s, &obstacle))
		decide_open(s, obstacle);
	else
		decide_addresses(s);
	if (all_decided(s))
		enter(s, S_READY);
	else if (!needs_whole(s))
		transaction_begin(s);
}

/* --- what goes out -------------------------------------------------------- */

void
transaction_begin(struct session *s)
{
	struct transaction *t = &s->t;

	if (!(t->given.flags & ENVELOPE_BINARYMIME))
		t->fold.line_bytes_max = s->line_bytes_max;
	t->chunked = offered(s, SESSION_CHUNKING);
	t->burst = t->chunked && offered(s, SESSION_PIPELINING) &&
		   t->given.content_bytes <= s->burst_bytes_max;
	t->stage = s->reset_needed ? STAGE_RSET : STAGE_MAIL;
	enter(s, S_TRANSACTION);
	transaction_go(s);
}

/* All replies up to those of RCPT are there. */
static bool
recipients_known(const struct transaction *t)
{
	return t->stage > STAGE_RCPT && !t->rset_owed && !t->mail_owed &&
	       t->rcpts_owed == 0;
}

static bool
owes_nothing(const struct session *s)
{
	enum place place = transaction_place(s);

	return place == P_NONE || place == P_CONTENT;
}

static bool
send_rcpt(struct session *s)
{
	struct transaction *t = &s->t;
	size_t i = t->next_ask;

	if (t->mail_refused) {
		t->stage = STAGE_END;
		return true;
	}
	while (i < s->n_results && s->fates[i].step != STEP_OPEN)
		i++;
	t->next_ask = i + 1;
	if (i == s->n_results) {
		t->stage = STAGE_GATE;
		return true;
	}
	rcpt_put(s, i);
	s->fates[i].step = STEP_ASKED;
	s->fates[i].asked = true;
	t->rcpts_owed++;
	return true;
}

/* Whether content, or DATA, may go out; true when it is clear. */
static bool
pass_gate(struct session *s)
{
	struct transaction *t = &s->t;
	bool known = recipients_known(t);

	if (known && t->n_accepted == 0) {
		t->stage = STAGE_END;
	} else if (!t->chunked) {
		buf_put(&s->out, SPAN("DATA\r\n"));
		t->data_owed = true;
		t->stage = STAGE_DATA;
	} else if (known || t->burst) {
		t->stage = STAGE_CONTENT;
	} else {
		return false;
	}
	return true;
}

/* Sends the next command; false when that must wait. */
static bool
send_next(struct session *s)
{
	struct transaction *t = &s->t;

	if (!offered(s, SESSION_PIPELINING) && !owes_nothing(s))
		return false;
	switch (t->stage) {
	case STAGE_RSET:
		buf_put(&s->out, SPAN("RSET\r\n"));
		t->rset_owed = true;
		t->stage = STAGE_MAIL;
		return true;
	case STAGE_MAIL:
		mail_put(s);
		s->n_mails++;
		t->mail_owed = true;
		t->stage = STAGE_RCPT;
		return true;
	case STAGE_RCPT:
		return send_rcpt(s);
	case STAGE_GATE:
		return pass_gate(s);
	default:
		return false;
	}
}

void
transaction_go(struct session *s)
{
	struct transaction *t = &s->t;

	while (send_next(s))
		;
	/* Chunks that nobody is to get need not be sent. */
	if (t->stage == STAGE_CONTENT && recipients_known(t) && t->n_accepted == 0)
		t->stage = STAGE_END;
	if (t->stage == STAGE_END && owes_nothing(s))
		enter(s, S_READY);
}

bool
transaction_feeds(const struct session *s)
{
	const struct transaction *t = &s->t;

	return t->stage == STAGE_CONTENT && t->chunks_owed < CHUNKS_OWED_MAX &&
	       (offered(s, SESSION_PIPELINING) || owes_nothing(s));
}

enum place
transaction_place(const struct session *s)
{
	const struct transaction *t = &s->t;

	return t->rset_owed                ? P_RSET
	       : t->mail_owed              ? P_MAIL
	       : t->rcpts_owed > 0         ? P_RCPT
	       : t->data_owed              ? P_DATA
	       : t->chunks_owed > 0        ? P_CHUNK
	       : t->final_owed             ? P_FINAL
	       : t->stage == STAGE_CONTENT ? P_CONTENT
					   : P_NONE;
}

/* --- what the replies mean ------------------------------------------------ */

static const char strange[] = "a strange reply to";

static bool
accepts(const struct session *s)
{
	return s->reply.code / 100 == 2;
}

static bool
refuses(const struct session *s)
{
	return s->reply.code >= 400;
}

static void
answer_rset(struct session *s)
{
	s->t.rset_owed = false;
	s->reset_needed = false;
	if (!accepts(s))
		broken(s, strange);
}

static void
answer_mail(struct session *s)
{
	struct transaction *t = &s->t;

	if (accepts(s)) {
		s->reset_needed = true;
	} else if (refuses(s)) {
		t->mail_refused = true;
		decide_open(s, verdict_reply(s, P_MAIL));
	} else {
		broken(s, strange);
		return;
	}
	t->mail_owed = false;
}

/* [RFC5321 4.5.3.1.10] "Too many recipients" used to be 552. */
static struct verdict
verdict_rcpt(struct session *s)
{
	struct verdict v = verdict_reply(s, P_RCPT);

	if (v.code == 552 && v.enhanced[1] == 5 && v.enhanced[2] == 3) {
		v.outcome = DELIVERY_DEFERRED;
		v.code = 452;
		v.enhanced[0] = 4;
	}
	return v;
}

static void
answer_rcpt(struct session *s)
{
	struct transaction *t = &s->t;
	size_t i = t->next_reply;

	while (!s->fates[i].asked)
		i++;
	if (!accepts(s) && !refuses(s)) {
		broken(s, strange);
		return;
	}
	t->next_reply = i + 1;
	t->rcpts_owed--;
	if (t->mail_refused)
		return;
	if (refuses(s)) {
		decide(s, i, verdict_rcpt(s));
		return;
	}
	s->fates[i].step = STEP_ACCEPTED;
	t->n_accepted++;
}

static void
answer_data(struct session *s)
{
	struct transaction *t = &s->t;

	if (refuses(s)) {
		t->data_owed = false;
		decide_accepted(s, verdict_reply(s, P_DATA));
		t->stage = STAGE_END;
	} else if (s->reply.code != 354) {
		broken(s, strange);
	} else if (t->n_accepted > 0) {
		t->data_owed = false;
		t->stage = STAGE_CONTENT;
	} else if (s->lmtp) {
		/* Whether a reply to the dot would come, nobody says. */
		broken(s, "no recipient was accepted before");
	} else {
		t->data_owed = false;
		buf_put(&s->out, SPAN(".\r\n")); /* [RFC2920 3.1] */
		t->final_owed = true;
		t->stage = STAGE_END;
	}
}

static void
answer_chunk(struct session *s)
{
	struct transaction *t = &s->t;

	if (accepts(s)) {
		t->chunks_owed--;
	} else if (!refuses(s)) {
		broken(s, strange);
	} else {
		t->chunks_owed--;
		decide_accepted(s, verdict_reply(s, P_CHUNK));
		t->stage = STAGE_END;
		/* How many replies to the last chunk follow is not defined. */
		if (s->lmtp && t->final_owed)
			broken(s, "the message was refused before");
	}
}

/* [RFC2033 4.2] One reply for each recipient that was accepted. */
static void
answer_final_lmtp(struct session *s)
{
	struct transaction *t = &s->t;

	for (size_t i = 0; i < s->n_results; i++) {
		if (s->fates[i].step != STEP_ACCEPTED)
			continue;
		decide(s, i, verdict_reply(s, P_FINAL));
		break;
	}
	t->final_owed = t->n_accepted > 0;
}

static void
answer_final(struct session *s)
{
	struct transaction *t = &s->t;

	if (!accepts(s) && !refuses(s)) {
		broken(s, strange);
		return;
	}
	/* Behind DATA the transaction is over in any case [RFC5321 4.1.1.4]. */
	s->reset_needed = t->chunked && refuses(s);
	if (s->lmtp) {
		answer_final_lmtp(s);
		return;
	}
	t->final_owed = false;
	if (t->n_accepted > 0)
		decide_accepted(s, verdict_reply(s, P_FINAL));
}

/* A reply before the message was all sent: a refusal holds, but what the server does
 * with the rest of the bytes is not known. */
static void
answer_content(struct session *s)
{
	if (!refuses(s)) {
		broken(s, "a reply came before the end of");
		return;
	}
	decide_accepted(s, verdict_reply(s, P_CONTENT));
	over(s, SESSION_END_REFUSED, verdict_reply(s, P_CONTENT));
}

void
transaction_answer(struct session *s)
{
	static void (*const answers[])(struct session *) = {
	    [P_RSET] = answer_rset,       [P_MAIL] = answer_mail,
	    [P_RCPT] = answer_rcpt,       [P_DATA] = answer_data,
	    [P_CHUNK] = answer_chunk,     [P_FINAL] = answer_final,
	    [P_CONTENT] = answer_content,
	};

	answers[transaction_place(s)](s);
	if (s->state == S_TRANSACTION)
		transaction_go(s);
}

/* --- how many recipients -------------------------------------------------- */

static struct span
domain_of(const struct relay_recipient *r)
{
	return span_after(r->address, span_find_last(r->address, '@') + 1);
}

/* Whether r[i] has a domain that none before it has. */
static bool
domain_is_new(const struct relay_recipient *r, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (span_equal_nocase(domain_of(&r[j]), domain_of(&r[i])))
			return false;
	return true;
}

size_t
session_fits(const struct session *s, const struct relay_recipient *recipients,
	     size_t n)
{
	const struct offers *o = &s->offers;
	uint64_t domains = 0;

	if (o->mails_max > 0 && s->n_mails >= o->mails_max)
		return 0;
	if (n > RELAY_RECIPIENTS_MAX)
		n = RELAY_RECIPIENTS_MAX;
	if (o->rcpts_max > 0 && n > o->rcpts_max)
		n = o->rcpts_max;
	for (size_t i = 0; o->domains_max > 0 && i < n; i++)
		if (domain_is_new(recipients, i) && ++domains > o->domains_max)
			return i;
	return n;
}
