/* pop3d/session/inner.h - a session from inside; private to this room */
#pragma once

#include "pop3d/session/send.h"
#include "pop3d/session/session.h"

enum pop3_state {
	P_COMMAND,
	P_LISTING, /* LIST or UIDL of everything, part by part */
	P_MESSAGE, /* answers owed by the caller, and so on */
	P_BYTES,
	P_DONE,
	P_UPDATE,
	P_CLOSED,
	P_ABORTED,
};

struct pop3 {
	const struct pop3_limits *limits;
	enum pop3_state state;
	struct crlf lines;
	struct pop3_message *messages;
	size_t n;
	size_t n_deleted;
	uint64_t bytes, bytes_deleted;

	bool listing_uids; /* P_LISTING: of UIDL */
	size_t listing_at;

	struct pop3_ask ask; /* P_MESSAGE, P_BYTES */
	size_t current;      /* the message */
	bool top;            /* for TOP */
	struct pop3_send send;

	unsigned errors, long_lines;
	struct pop3_totals totals;
	const char *reason;
};

/* The only place that changes the state. */
void pop3_enter(struct pop3 *s, enum pop3_state to);
/* A command that was wrong: its reply. */
void pop3_wrong(struct pop3 *s, const char *reply, struct buf *out);
/* One whole command [RFC1939 5]. */
void pop3_command(struct pop3 *s, struct span line, struct buf *out);
/* As much of a listing as fits under output_high. */
void pop3_list_on(struct pop3 *s, struct buf *out);
