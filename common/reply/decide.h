/* common/reply/decide.h - may a program answer this message? */
#pragma once

#include "common/base/base.h"

/* Why not; the first that holds. */
enum reply_reason {
	REPLY_DUE,
	REPLY_NULL_SENDER,    /* a report [RFC3834 2] */
	REPLY_SENDER_PROGRAM, /* mailer-daemon, owner-LIST, LIST-request ... */
	REPLY_SENDER_SELF,
	REPLY_AUTOMATIC,  /* Auto-Submitted [RFC3834 5], or what came before it */
	REPLY_BULK,       /* Precedence */
	REPLY_LIST,       /* List-... [RFC2369] [RFC2919] */
	REPLY_SUPPRESSED, /* X-Auto-Response-Suppress [MS-OXCMAIL] */
	REPLY_REPORT,     /* multipart/report [RFC6522] */
	REPLY_SPAM,       /* a filter said so */
	REPLY_NOT_NAMED,  /* no field names the account [RFC3834 2] */
	REPLY_TOO_MUCH,   /* addresses beyond a limit */
	REPLY_REASONS,
};

struct reply_question {
	struct span sender; /* reverse-path without <> */
	struct span header; /* of the message: its beginning, at least its header */
	/* Addresses of the account; with a delimiter they may have a detail. */
	const struct span *own;
	size_t n_own;
	struct span delimiters; /* one character each; may be empty */
};

MUST_USE enum reply_reason reply_decide(const struct reply_question *q);

/* A few words, for the log. */
MUST_USE const char *reply_reason_text(enum reply_reason reason);
