/* tests/unit/smtp_script.h - one session core with an outside that answers by rule
 *
 * Senders and recipients are answered by their local part: "unknown", "relay",
 * "disabled", "overquota", "later", "refused", "rate", "full", "foreign", "table0" to
 * "table5"; any other is fine. AUTH takes alice with "secret". A message is stored at
 * END unless `end_answer` says otherwise.
 */
#pragma once

#include "smtpd/session/session.h"

struct script {
	struct session *s;
	struct buf pending; /* input not taken yet */
	struct buf out;     /* all reply bytes */
	struct buf body;    /* of the message under way, without the trace field */
	struct buf trace;   /* of the last message */
	struct buf mail;    /* finished: "sender>rcpt,rcpt:body\n" each */
	struct buf asked;   /* recipients asked about, each with a space behind */
	uint64_t now_ms;
	unsigned begun, finished, aborted;
	bool open; /* a message is begun */
	bool first_piece;
	bool closed;
	enum session_want want;
	enum session_message_answer begin_answer, end_answer;
	uint64_t seed; /* not 0: answers are drawn from it */
};

/* The default limits, starttls and all mechanisms on. */
struct session_policy script_policy(enum session_kind kind);

void script_init(struct script *t, const struct session_policy *policy,
		 const struct session_peer *peer);
void script_release(struct script *t);

/* Gives all of `in`, answers everything that is asked. */
void script_feed(struct script *t, struct span in);
/* The same in two parts; `cut` beyond the end gives it whole. */
void script_feed_cut(struct script *t, struct span in, size_t cut);
/* One byte at a time. */
void script_feed_bytes(struct script *t, struct span in);

/* The next number of the row that *seed begins. */
uint64_t script_random(uint64_t *seed);

/* Codes of all reply lines that end a reply, each with a space behind. */
void script_codes(struct span out, struct buf *codes);
