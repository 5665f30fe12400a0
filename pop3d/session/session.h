/* pop3d/session/session.h - the door of one POP3 session after its login, without I/O
 *
 * What    the TRANSACTION and UPDATE states over a snapshot of the mailbox: takes
 *         the client's bytes, gives reply bytes and says what it wants next. The
 *         store, the socket and the clock are the caller's:
 *
 *           pop3_open(s, out);
 *           for (;;) switch (pop3_step(s, &in, out)) {
 *           case POP3_WANT_INPUT:   send `out`, come back with more bytes;
 *           case POP3_WANT_MESSAGE: open pop3_ask()->uid, then pop3_answer_message();
 *           case POP3_WANT_BYTES:   read, then pop3_answer_bytes();
 *           ...
 *           }
 *
 *         While an answer is owed no command is parsed, so the input simply stays
 *         with the caller and pipelining needs no queue. Nothing is deleted before
 *         POP3_WANT_UPDATE, and that comes from QUIT only.
 * RFC     [RFC1939 5] TRANSACTION, [RFC1939 6] UPDATE, [RFC2449] CAPA and response
 *         codes, [RFC3206] SYS codes, [RFC6856] UTF8 and LANG.
 * Trust   pure. Every byte of `in` is the client's; nothing here asserts on one.
 *         Answers are the caller's own promises and are asserted on.
 * Memory  48 bytes a message of the mailbox; message bytes are never kept.
 */
#pragma once

#include "common/base/base.h"

#define POP3_GUID_BYTES 16

/* One message of the snapshot. */
struct pop3_message {
	uint64_t bytes; /* as it will be sent, without dot-stuffing */
	uint32_t uid;   /* the caller's name for it */
	bool deleted;
	uint8_t guid[POP3_GUID_BYTES]; /* makes its unique-id */
	const char *uidl; /* is it instead, when not null; outlives the session */
};

struct pop3_limits {
	size_t line_bytes_max;   /* a command with its CRLF */
	size_t output_high;      /* POP3_WANT_FLUSH from here on */
	size_t piece_bytes;      /* asked for at once */
	unsigned errors_max;     /* unknown or malformed commands before it is closed */
	unsigned long_lines_max; /* lines over the limit before it is */
	unsigned commands_per_step;
};

extern const struct pop3_limits pop3_limits_default;

enum pop3_want {
	POP3_WANT_INPUT,   /* send output, then more bytes */
	POP3_WANT_TURN,    /* step again, after other work */
	POP3_WANT_FLUSH,   /* too much output: step again when it is sent */
	POP3_WANT_MESSAGE, /* open ask->uid: pop3_answer_message() */
	POP3_WANT_BYTES,   /* of it, at most ask->n from ask->offset on:
			    * pop3_answer_bytes() */
	POP3_WANT_DONE,    /* close it; just step again */
	POP3_WANT_UPDATE,  /* remove what pop3_next_deleted() names, durably:
			    * pop3_answer_update() */
	POP3_WANT_CLOSE,   /* send output and close; pop3_reason() says why */
	POP3_WANT_ABORT,   /* close without sending: the client must not take what it
			    * has for a whole message */
};

struct pop3_ask {
	uint32_t uid;
	uint64_t offset;
	size_t n;
};

enum pop3_message_answer {
	POP3_MESSAGE_OK,
	POP3_MESSAGE_GONE,    /* another session expunged it */
	POP3_MESSAGE_DAMAGED, /* it cannot be read, ever */
	POP3_MESSAGE_FAULT,   /* it cannot be read now */
};

struct pop3_totals {
	uint64_t retrieved; /* whole messages, TOP not counted */
	uint64_t deleted;   /* and durably so */
	uint64_t bytes;     /* of messages, as sent */
};

struct pop3;

/* Takes `messages`, made with memory_new(), whatever their number; null for none. */
MUST_USE struct pop3 *
pop3_new(const struct pop3_limits *limits, struct pop3_message *messages, size_t n);
void pop3_free(struct pop3 **s);

/* The answer to the login. */
void pop3_open(struct pop3 *s, struct buf *out);
/* Nothing came for too long, the server stops, or the account was disabled, removed or
 * has another password: closes, without an UPDATE. */
void pop3_timeout(struct pop3 *s, struct buf *out);
void pop3_stop(struct pop3 *s, struct buf *out);
void pop3_bar(struct pop3 *s, struct buf *out);

/* Goes on as far as it can. Bytes taken are gone from the front of *in; the others
 * must come again with more behind them. While an answer is owed it takes nothing
 * and repeats the want. */
MUST_USE enum pop3_want pop3_step(struct pop3 *s, struct span *in, struct buf *out);

MUST_USE const struct pop3_ask *pop3_ask(const struct pop3 *s);

/* Each only when that want is pending; then step. */
void
pop3_answer_message(struct pop3 *s, enum pop3_message_answer answer, struct buf *out);
/* 1 to ask->n bytes; none mean that the rest cannot be read. */
void pop3_answer_bytes(struct pop3 *s, struct span bytes, struct buf *out);
void pop3_answer_update(struct pop3 *s, bool ok, struct buf *out);

/* The deleted messages in order: uids ascending as in the snapshot. False at the
 * end; *at starts at 0. */
MUST_USE bool pop3_next_deleted(const struct pop3 *s, size_t *at, uint32_t *uid);

MUST_USE struct pop3_totals pop3_totals(const struct pop3 *s);
MUST_USE size_t pop3_messages(const struct pop3 *s, uint64_t *bytes);
MUST_USE const char *pop3_reason(const struct pop3 *s);
