/* smtpd/session/envelope.h - sender, recipients and what was asked for them
 *
 * Memory  every span points into the session's transaction and dies with it:
 *         at the next MAIL, RSET, EHLO, STARTTLS or the end of the message.
 */
#pragma once

#include "common/smtp/smtp.h"

struct session_rcpt {
	struct span address; /* canonical, see smtp_path_canonical() */
	struct span orcpt;   /* as given, "type;xtext"; empty when not given */
	struct span target;  /* what session_answer_rcpt() got, not looked into */
	unsigned notify;     /* SMTP_NOTIFY_ bits; 0 when not given */
};

struct session_envelope {
	struct span sender;     /* canonical; empty for <> */
	struct span envid;      /* as given, xtext; empty when not given */
	struct span auth;       /* decoded AUTH=; empty when not given or <> */
	uint64_t size_declared; /* SIZE=, 0 when not given */
	enum smtp_ret ret;
	bool eightbit; /* BODY=8BITMIME */
	bool utf8;     /* SMTPUTF8 */
	struct session_rcpt *rcpts;
	size_t n_rcpts;
};
