/* smtpd/session/replies.h - every reply smtpd gives, in one table
 *
 * RFC     [RFC5321 4.2.3] codes, [RFC3463] enhanced codes, [RFC2034 3]: the
 *         greeting and the answer to EHLO carry none, nor do 334 and 354.
 */
#pragma once

#include "common/base/base.h"

/*      name               code  enhanced code and text */
#define REPLIES(ROW)                                                                   \
	ROW(NONE, 0, "")                                                               \
	ROW(GREETING, 220, "")                                                         \
	ROW(TLS_READY, 220, "2.0.0 Ready to start TLS")                                \
	ROW(BYE, 221, "2.0.0 Bye")                                                     \
	ROW(HELP, 214, "2.0.0 See RFC 5321")                                           \
	ROW(AUTH_OK, 235, "2.7.0 Authentication successful")                           \
	ROW(HELLO, 250, "")                                                            \
	ROW(OK, 250, "2.0.0 Ok")                                                       \
	ROW(QUEUED, 250, "2.0.0 Ok: queued as ")                                       \
	ROW(CHUNK_OK, 250, "2.0.0 Ok: bytes taken: ")                                  \
	ROW(SENDER_OK, 250, "2.1.0 Ok")                                                \
	ROW(RCPT_OK, 250, "2.1.5 Ok")                                                  \
	ROW(VRFY, 252, "2.1.5 Send some mail, and see")                                \
	ROW(CHALLENGE, 334, "")                                                        \
	ROW(DATA, 354, "End data with <CR><LF>.<CR><LF>")                              \
	ROW(TOO_MANY, 421, "4.7.0 Too many connections from you")                      \
	ROW(TOO_FAST, 421, "4.7.0 Too many new connections from you")                  \
	ROW(BUSY, 421, "4.3.2 Too busy, try again later")                              \
	ROW(STOPPING, 421, "4.3.2 Service is going down")                              \
	ROW(BARRED, 421, "4.7.0 Your login is no longer good")                         \
	ROW(TIMEOUT, 421, "4.4.2 Timeout")                                             \
	ROW(SESSION_OVER, 421, "4.4.2 Session takes too long")                         \
	ROW(TOO_SLOW, 421, "4.4.2 Message data comes too slowly")                      \
	ROW(NO_ANSWER, 421, "4.3.0 Internal timeout, try again later")                 \
	ROW(TOO_MANY_ERRORS, 421, "4.7.0 Too many errors")                             \
	ROW(TOO_MANY_IDLE, 421, "4.7.0 Too many commands without a message")           \
	ROW(TOO_MANY_MAILS, 421, "4.7.0 Too many messages in this session")            \
	ROW(TOO_MANY_CHUNKS, 421, "4.7.0 Too many chunks in a message")                \
	ROW(TOO_MANY_LOGINS, 421, "4.7.0 Too many failed logins")                      \
	ROW(TOO_MANY_LONG, 421, "4.7.0 Too many long lines")                           \
	ROW(SENDER_RATE, 450, "4.7.1 Too many messages, try again later")              \
	ROW(RCPT_RATE, 450, "4.7.1 Too many recipients, try again later")              \
	ROW(LATER, 451, "4.3.0 Temporary problem, try again later")                    \
	ROW(FULL, 452, "4.3.1 Insufficient storage, try again later")                  \
	ROW(TOO_MANY_RCPTS, 452, "4.5.3 Too many recipients")                          \
	ROW(AUTH_LATER, 454, "4.7.0 Temporary authentication failure")                 \
	ROW(UNKNOWN_COMMAND, 500, "5.5.2 Command not recognized")                      \
	ROW(LONG_LINE, 500, "5.5.2 Line too long")                                     \
	ROW(LONG_AUTH_LINE, 500, "5.5.6 Authentication exchange line is too long")     \
	ROW(BAD_BYTE, 500, "5.5.2 Bare <CR>, bare <LF> or NUL in a command")           \
	ROW(SYNTAX, 501, "5.5.4 Syntax error in parameters")                           \
	ROW(BAD_HELLO, 501, "5.5.2 Invalid host name")                                 \
	ROW(BAD_SENDER, 501, "5.1.7 Bad sender address syntax")                        \
	ROW(BAD_RCPT, 501, "5.1.3 Bad recipient address syntax")                       \
	ROW(BAD_CHUNK, 501, "5.5.4 Bad chunk size, closing")                           \
	ROW(AUTH_SYNTAX, 501, "5.5.2 Cannot decode response")                          \
	ROW(AUTH_CANCELLED, 501, "5.7.0 Authentication cancelled")                     \
	ROW(NO_COMMAND, 502, "5.5.1 Command not offered here")                         \
	ROW(SEQUENCE, 503, "5.5.1 Bad sequence of commands")                           \
	ROW(HELLO_FIRST, 503, "5.5.1 Say hello first")                                 \
	ROW(NO_RCPTS, 503, "5.5.1 No valid recipients")                                \
	ROW(ALREADY, 503, "5.5.1 Already done")                                        \
	ROW(PIPELINING, 503, "5.5.1 Improper command pipelining")                      \
	ROW(BAD_MECHANISM, 504, "5.5.4 Mechanism not offered")                         \
	ROW(LOGIN_FIRST, 530, "5.7.0 Authentication required")                         \
	ROW(TLS_FIRST, 530, "5.7.0 Must issue a STARTTLS command first")               \
	ROW(AUTH_DENIED, 535, "5.7.8 Authentication credentials invalid")              \
	ROW(RCPT_UNKNOWN, 550, "5.1.1 No such user here")                              \
	ROW(RCPT_FORGED, 550, "5.7.1 Return address was not made here")                \
	ROW(RCPT_EXPIRED, 550, "5.1.1 Return address has expired")                     \
	ROW(RCPT_DISABLED, 550, "5.2.1 Mailbox disabled")                              \
	ROW(RCPT_RELAY, 550, "5.7.1 Relaying denied")                                  \
	ROW(RCPT_LOOP, 550, "5.4.6 Address leads in a circle")                         \
	ROW(RCPT_NOT_ALLOWED, 550, "5.7.2 Not allowed to write to this list")          \
	ROW(RCPT_REFUSED, 550, "5.7.1 Recipient refused")                              \
	ROW(SENDER_REFUSED, 550, "5.7.1 Sender refused")                               \
	ROW(NEED_XCLIENT, 550, "5.7.0 Not for you")                                    \
	ROW(BARE_NEWLINE, 550, "5.6.0 Bare <CR> or <LF> in a message not allowed")     \
	ROW(NUL_BYTE, 550, "5.6.0 NUL in a message not allowed")                       \
	ROW(OVER_QUOTA, 552, "5.2.2 Mailbox full")                                     \
	ROW(TOO_BIG, 552, "5.3.4 Message too big")                                     \
	ROW(LONG_TEXT, 552, "5.3.4 Message has a line that is too long")               \
	ROW(BIG_HEADER, 552, "5.3.4 Message header too big")                           \
	ROW(SENDER_NOT_OWNED, 553, "5.7.1 Sender address not owned by login")          \
	ROW(NEED_UTF8, 553, "5.6.7 Address needs SMTPUTF8")                            \
	ROW(EARLY, 554, "5.5.1 You talk before you are greeted")                       \
	ROW(HOPS, 554, "5.4.6 Too many hops, mail loops")                              \
	ROW(MESSAGE_REFUSED, 554, "5.7.1 Message refused")                             \
	ROW(BAD_PARAM, 555, "5.5.4 Parameter not recognized")

enum reply {
#define ROW(name, code, text) REPLY_##name,
	REPLIES(ROW)
#undef ROW
};

MUST_USE unsigned reply_code(enum reply reply);

/* Code, enhanced code and text, without CRLF. */
MUST_USE struct span reply_text(enum reply reply);

/* One whole line: code, enhanced code, text and what is added to it. */
void reply_put(struct buf *out, enum reply reply, struct span added);
