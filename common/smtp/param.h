/* common/smtp/param.h - the words behind a command and its ESMTP parameters
 *
 * RFC     [RFC5321 4.1.1] command and parameter syntax, [RFC3461 4] RET, ENVID,
 *         NOTIFY, ORCPT.
 */
#pragma once

#include "common/base/base.h"

enum smtp_ret {
	SMTP_RET_NONE, /* not given */
	SMTP_RET_FULL,
	SMTP_RET_HDRS,
};

enum {
	SMTP_NOTIFY_NEVER = 1,
	SMTP_NOTIFY_SUCCESS = 2,
	SMTP_NOTIFY_FAILURE = 4,
	SMTP_NOTIFY_DELAY = 8,
};

enum smtp_mechanism {
	SMTP_MECHANISM_PLAIN,
	SMTP_MECHANISM_LOGIN,
	SMTP_MECHANISM_SCRAM_SHA_256,
	SMTP_MECHANISM_SCRAM_SHA_256_PLUS,
	SMTP_MECHANISM_N,
};

/* Bits of a set of mechanisms. */
enum {
	SMTP_AUTH_PLAIN = 1 << SMTP_MECHANISM_PLAIN,
	SMTP_AUTH_LOGIN = 1 << SMTP_MECHANISM_LOGIN,
	SMTP_AUTH_SCRAM_SHA_256 = 1 << SMTP_MECHANISM_SCRAM_SHA_256,
	SMTP_AUTH_SCRAM_SHA_256_PLUS = 1 << SMTP_MECHANISM_SCRAM_SHA_256_PLUS,
};

MUST_USE struct span smtp_mechanism_name(enum smtp_mechanism mechanism);
MUST_USE bool smtp_mechanism_parse(struct span name, enum smtp_mechanism *out);

/* Takes the next word off *rest, with the spaces before it; empty at the end. */
struct span smtp_word(struct span *rest);

struct smtp_param {
	struct span key, value;
	bool has_value; /* '=' was there */
};

enum smtp_param_result {
	SMTP_PARAM_OK,
	SMTP_PARAM_END, /* nothing but spaces left */
	SMTP_PARAM_BAD,
};

/* Takes the next " KEY[=VALUE]" off *rest. */
MUST_USE enum smtp_param_result
smtp_param_next(struct span *rest, struct smtp_param *out);

MUST_USE bool smtp_ret_parse(struct span value, enum smtp_ret *out);

/* NEVER alone, or a list of the others, each at most once. */
MUST_USE bool smtp_notify_parse(struct span value, unsigned *out);

/* "rfc822;xtext" of at most 500 bytes; with `utf8` its second half may hold
 * UTF-8 [RFC6533 3]. */
MUST_USE bool smtp_orcpt_valid(struct span value, bool utf8);

/* xtext of 1 to 100 bytes. */
MUST_USE bool smtp_envid_valid(struct span value);
