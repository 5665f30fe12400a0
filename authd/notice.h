/* authd/notice.h - letters to those whose quota is nearly used up
 *
 * What    at each share of quota_warning_percent and quota_warning_last_percent that is
 *         reached, the owner of the mailbox is told once (of a domain: its
 *         administrators, or postmaster). That it was told is noted durably when
 *         bounce has the letter in the queue; the note goes when less is used again.
 * Memory  at most NOTICES_MAX letters wait for bounce; what does not fit is told when
 *         the mailbox is next heard of.
 */
#pragma once

#include "common/ipc/ipc.h"

#define NOTICES_MAX   256
#define NOTICE_TO_MAX 10 /* administrators of one domain that are told */

struct authd;
struct notices;

MUST_USE struct notices *notices_new(void);
void notices_free(struct notices **n);

/* So much is used of the account now. */
void notice_consider(struct authd *a, uint64_t account);
/* bounce has answered, or is gone. */
void notice_done(struct authd *a, struct ipc_peer *peer, const struct ipc_noticed *m);
void notices_lost(struct authd *a);
