/* imapd/session/session.h - the door of one logged-in IMAP dialogue
 *
 * What    takes the client's bytes, gives response bytes and says what it wants next.
 *         It reads and changes the account's store itself, never waiting: what has to
 *         be waited for (a lock, the disk, room for output) is a want. The stream,
 *         clocks and other programs are the caller's:
 *
 *           session_open(s, tag, out);
 *           for (;;) switch (session_step(s, now_us, &in, out)) {
 *           case SESSION_WANT_INPUT: send `out`, come back with more;
 *           case SESSION_WANT_TURN:  step again after other work;
 *           case SESSION_WANT_SYNC:  step again when store_durable() has reached
 *                                    session_sync_position(), or session_sync_failed();
 *           ...
 *           }
 *
 *         One step is bounded: about SESSION_STEP_US of work, and one command.
 *         A command is run to its end before the next is parsed, so pipelining
 *         needs no queue.
 * RFC     [RFC3501] [RFC9051] and what docs/imap.md lists.
 * Trust   every byte of `in` is the client's, every byte of the store a stranger's.
 * Memory  under 1 KB while idle, besides 4 bytes a message of the selected mailbox; an
 *         arena a command, limited by session_limits.
 */
#pragma once

#include "common/base/base.h"
#include "imapd/session/account.h"

struct session_limits {
	size_t line_bytes_max;      /* a command line with its CRLF */
	size_t literal_bytes_max;   /* one literal, but a message of APPEND */
	size_t arguments_bytes_max; /* all of a command */
	uint64_t message_bytes_max; /* of APPEND; APPENDLIMIT */
	size_t output_high;         /* no more is put beyond it: ROOM */
	unsigned errors_max;        /* BAD in a row before BYE */
	unsigned text_scan_bytes;   /* of text searched in one step */
	size_t order_bytes_max;     /* that one SORT or THREAD takes, in all */
	unsigned change_step; /* messages changed, or looked at for it, in one step */
};

extern const struct session_limits session_limits_default;

/* Shared by all sessions; must outlive them. */
struct session_policy {
	struct session_limits limits;
	struct span host_name;
	const char *temporary; /* a directory for messages of APPEND that are being
				* received, on the store's file system; files there have
				* no name */
	bool sync_flags;       /* STORE waits for the disk */
	bool compress;         /* COMPRESS is offered: the caller can do it */
};

struct session;

enum session_want {
	SESSION_WANT_INPUT,    /* all input taken; push may be said when idling */
	SESSION_WANT_ROOM,     /* step when `out` was sent */
	SESSION_WANT_TURN,     /* step again after other work */
	SESSION_WANT_LOCK,     /* somebody holds the account's lock: step in some ms */
	SESSION_WANT_SYNC,     /* step when durable, see above */
	SESSION_WANT_ASK,      /* step after session_domain_use() */
	SESSION_WANT_COMPRESS, /* send `out`, then all bytes both ways are deflated;
				* what is left of `in` is already; just step again */
	SESSION_WANT_CLOSE,    /* send `out` and close; session_reason() */
};

enum session_ending {
	SESSION_END_TIMEOUT, /* nothing came for too long: BYE */
	SESSION_END_STOPPING,
	SESSION_END_FAULT,  /* the account cannot be read any more */
	SESSION_END_CLOSED, /* it was disabled, removed, has another password or
			     * other mail */
};

/* The session joins account->sessions. */
MUST_USE struct session *
session_new(const struct session_policy *policy, struct account *account);
/* Leaves its account; input under way is forgotten. */
void session_free(struct session **s);

/* The answer to the login that gate took: "tag OK [CAPABILITY ...] Logged in". */
void session_open(struct session *s, struct span tag, struct buf *out);

MUST_USE enum session_want
session_step(struct session *s, int64_t now_us, struct span *in, struct buf *out);
/* Says what happened in the account when the client idles [RFC2177], nothing else;
 * after account_refresh(). Then session_step() as ever: when the mailbox was deleted it
 * wants CLOSE. */
void session_push(struct session *s, struct buf *out);
void session_end(struct session *s, enum session_ending why, struct buf *out);

/* Of SESSION_WANT_SYNC. */
MUST_USE uint64_t session_sync_position(const struct session *s);
/* What was written and not yet synced is void: a command that waits for it, or is about
 * to, fails at its next step. For all sessions of the account. */
void session_sync_failed(struct session *s);

/* Of SESSION_WANT_ASK: what all accounts of the domain hold, when anybody knows. */
void session_domain_use(struct session *s, bool known, uint64_t bytes);

/* For decisions and log lines. */
MUST_USE bool session_idles(const struct session *s);
MUST_USE bool
session_has_news(const struct session *s); /* session_push() would speak */
MUST_USE const char *session_reason(const struct session *s);
MUST_USE uint64_t session_commands(const struct session *s);
