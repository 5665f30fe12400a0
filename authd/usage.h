/* authd/usage.h - how full each mailbox was when it was last heard of, and each domain
 *
 * What    account -> bytes, as `local`, `pop3d` and `imapd` tell it. A value that is
 *         not known is asked for; meanwhile it is marked as asked. A domain's use is
 *         the sum over its accounts, kept exact with each word about one of them, once
 *         its accounts were named and each has been heard of. Pure.
 * Memory  hash tables that grow; at USAGES_MAX accounts or USAGE_DOMAINS_MAX domains
 *         everything is forgotten, which only costs asking again.
 */
#pragma once

#include "common/base/base.h"

#define USAGES_MAX        (1U << 21)
#define USAGE_DOMAINS_MAX (1U << 16)
#define USAGE_AGAIN_MS    1000 /* an answer that did not come is asked for again */
#define USAGE_FRESH_MS    10000
#define USAGE_RECOUNT_MS  600000 /* then a domain's accounts are listed anew */
#define USAGE_WAITING_MAX                                                              \
	256 /* accounts of one domain that are asked about at once                     \
	     */

enum usage_state {
	USAGE_UNKNOWN, /* ask now; it is marked as asked */
	USAGE_ASKED,
	USAGE_KNOWN,
};

/* Against a quota: up to which share of it notices were sent. */
struct usage_mark {
	uint64_t quota_bytes; /* 0 none */
	uint8_t percent;
	bool known;  /* the directory was asked */
	bool asking; /* it is being asked */
};

struct usages;

MUST_USE struct usages *usages_new(void);
void usages_free(struct usages **u);
/* What was said as of an older change of the mailbox than before counts for nothing. */
void usages_set(struct usages *u, uint64_t account, uint64_t modseq, uint64_t bytes);
/* Is what is said as of `modseq` as new as what was heard? Then it counts as heard. */
MUST_USE bool
usages_newer(struct usages *u, uint64_t account, uint64_t modseq, uint64_t now_ms);
/* Was it not heard of for USAGE_FRESH_MS? Then ask again, while what is known holds:
 * the operator's commands write to mailboxes and tell nobody. It is marked as asked. */
MUST_USE bool usages_old(struct usages *u, uint64_t account, uint64_t now_ms);
void usages_forget_all(struct usages *u);
/* The account is gone, or its quota another: what is known of its mark is not. */
void usages_forget_mark(struct usages *u, uint64_t account);
MUST_USE enum usage_state
usages_get(struct usages *u, uint64_t account, uint64_t now_ms, uint64_t *bytes);
/* Without asking: false when it is not known. */
MUST_USE bool usages_peek(const struct usages *u, uint64_t account, uint64_t *bytes);
size_t usages_count(const struct usages *u);

/* The mark of an account that usages_peek() knows; null for others. Valid until the
 * next call that is not const. */
MUST_USE struct usage_mark *usages_mark(struct usages *u, uint64_t account);

/* ---- domains */

/* The sum, when it is known. UNKNOWN: usages_domain_begin() is to be called, the
 * domain's accounts are to be listed; ASKED: that goes on, or accounts are asked
 * about. */
MUST_USE enum usage_state
usages_domain_get(struct usages *u, uint64_t domain, uint64_t *bytes);
/* Is it time to list the domain's accounts (again)? */
MUST_USE bool
usages_domain_due(const struct usages *u, uint64_t domain, uint64_t now_ms);
void usages_domain_begin(struct usages *u, uint64_t domain, uint64_t now_ms);
/* They could not be listed: it is due again. */
void usages_domain_abort(struct usages *u, uint64_t domain);
/* These are all accounts of the domain. */
void usages_domain_set(struct usages *u, uint64_t domain, const uint64_t *accounts,
		       size_t n, uint64_t now_ms);
/* They may be others now: the sum that is known stays until they are listed. */
void usages_domain_recount(struct usages *u, uint64_t domain);
/* The next account of the domain to be asked about now; 0 for none: all are, or
 * USAGE_WAITING_MAX are. */
MUST_USE uint64_t usages_domain_ask(struct usages *u, uint64_t domain, uint64_t now_ms);
/* As usages_mark(), of a domain whose sum is known. */
MUST_USE struct usage_mark *usages_domain_mark(struct usages *u, uint64_t domain);
/* The domain that the account was last listed with; 0 none. */
MUST_USE uint64_t usages_domain_of(const struct usages *u, uint64_t account);
