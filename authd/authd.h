/* authd/authd.h - the one owner of the directory: who may log in, what leads where
 *
 * What    answers smtpd, gate, pop3d and the admin command over ipc. Each file
 *         answers one family of messages; this header is what they share.
 * Trust   peers may be stolen: a message that cannot be is answered by dropping
 *         the peer, and no peer gets more than it has to ask for anyway.
 */
#pragma once

#include "authd/cleaning.h"
#include "authd/errand.h"
#include "authd/good.h"
#include "authd/logins.h"
#include "authd/notice.h"
#include "authd/penalty.h"
#include "authd/rewrite.h"
#include "authd/ticket.h"
#include "authd/upgrade.h"
#include "authd/usage.h"
#include "common/base/base.h"
#include "common/directory/directory.h"
#include "common/ipc/ipc.h"
#include "common/proc/proc.h"

#include <sys/queue.h>

struct event;
struct exchange;
struct lookups;
struct office;
struct opening;
struct question;
struct counting;
struct operation;
struct domain_use;

#define EXCHANGES_MAX    4096
#define EXCHANGE_BUCKETS 1024
#define CHECKS_MAX       512   /* passwords that wait for a thread */
#define QUESTIONS_MAX    10000 /* resolves that wait for a mailbox's size */
#define SHOWS_MAX        1000  /* account shows that wait for the same */
#define TICK_MS          100

LIST_HEAD(exchange_list, exchange);
TAILQ_HEAD(question_list, question);
TAILQ_HEAD(counting_list, counting);
TAILQ_HEAD(show_list, operation);
TAILQ_HEAD(domain_use_list, domain_use);

struct authd {
	struct proc *proc;
	struct directory *directory;
	struct opening *opening; /* while domains of the settings are made; or null */
	struct event *tick;
	struct penalties *penalties;
	struct good *good;
	struct tickets tickets;
	struct usages *usages;
	struct rewriting rewriting;
	struct logins *logins;
	struct notices *notices;
	struct cleaning *cleaning;
	struct office *office;

	struct exchange_list exchanges;
	struct exchange_list buckets[EXCHANGE_BUCKETS];
	size_t n_exchanges;
	size_t n_checks;
	uint64_t upgrading[UPGRADES_MAX]; /* accounts; 0: a free place */

	struct question_list questions; /* that wait for a use */
	size_t n_questions;
	struct show_list shows; /* that wait to hear what an account holds */
	size_t n_shows;
	struct domain_use_list domain_uses; /* that wait for a domain to be counted */
	size_t n_domain_uses;
	struct counting_list countings; /* domains whose next page is due */
	struct event *count_on;
	struct errand_list errands; /* that wait for the directory */
	size_t n_errands;
	struct errand_list parked; /* that wait for lookup tables */
	struct lookups *lookups;

	struct {
		uint64_t logins, failures, cached, checks, resolves, operations, waits,
		    replies, notices, upgrades;
	} count;
};

/* authd.c: what proc_main() calls */
MUST_USE int authd_start(struct proc *p, struct err *err);
void authd_message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m,
		   int fd);
void authd_peer_up(struct proc *p, struct ipc_peer *peer);
void authd_peer_down(struct proc *p, struct ipc_peer *peer);
void authd_listener(struct proc *p, struct span name, int fd);
void authd_unlisten(struct proc *p, struct span name);
void authd_status(struct proc *p, struct buf *out);
void authd_reload(struct proc *p);

/* The settings that resolving depends on; valid until the next reload. */
struct directory_policy authd_policy(const struct authd *a);
/* Runs what is due every TICK_MS as long as anything waits. */
void authd_tick_later(struct authd *a);

/* exchange.c: logins */
void
exchange_start(struct authd *a, struct ipc_peer *peer, const struct ipc_auth_start *m);
void
exchange_step(struct authd *a, struct ipc_peer *peer, const struct ipc_auth_step *m);
void exchange_cancel(struct authd *a, struct ipc_peer *peer,
		     const struct ipc_auth_cancel *m);
void exchanges_tick(struct authd *a, uint64_t now_ms);
void exchanges_drop_peer(struct authd *a, struct ipc_peer *peer);
/* Logins to the account that are under way fail. */
void exchanges_close(struct authd *a, uint64_t account);

/* resolve.c: addresses */
void resolve_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_resolve *m);
/* It is known how full that account, or that domain, is; 0 for none. */
void resolve_told(struct authd *a, uint64_t account, uint64_t domain);
void resolve_tick(struct authd *a, uint64_t now_ms);
void resolve_drop_peer(struct authd *a, struct ipc_peer *peer);

/* sender.c */
void
sender_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_sender_check *m);

/* quota.c: how full mailboxes and domains are */
void usage_ask(struct authd *a, uint64_t account);
void usage_take(struct authd *a, const struct ipc_usage *m);

/* show.c: accounts that are shown with what they hold */
void shows_told(struct authd *a, const struct ipc_usage *m);
void shows_tick(struct authd *a, uint64_t now_ms);
void shows_drop_peer(struct authd *a, const struct ipc_peer *peer);

/* count.c: what all accounts of a domain hold */
void count_init(struct authd *a);
void count_release(struct authd *a);
/* Lists its accounts, anew or for the first time. */
void count_domain(struct authd *a, uint64_t domain, struct span name);
/* Asks about those that were not heard of. */
void count_ask(struct authd *a, uint64_t domain);

/* domain_use.c: what all accounts of a domain hold, for imapd */
void domain_use_ask(struct authd *a, struct ipc_peer *peer,
		    const struct ipc_domain_use_ask *m);
/* The domain was counted, or an account of it was heard of. */
void domain_uses_told(struct authd *a, uint64_t domain);
void domain_uses_tick(struct authd *a, uint64_t now_ms);
void domain_uses_drop_peer(struct authd *a, const struct ipc_peer *peer);

/* closing.c: who may not stay logged in */

/* Accounts whose sessions end when a change of the directory has been made. */
struct closing {
	uint64_t *accounts;
	size_t n, size;
};

/* To be called before the change: an account that is removed cannot be asked for
 * afterwards. *out is empty before. */
void closing_find(struct directory *d, const struct directory_request *change,
		  struct closing *out);
/* It has been made. */
void closing_tell(struct authd *a, const struct closing *c);
/* A backup's mail is put in the place of the account's; the peer hears that all know.
 */
void closing_replaced(struct authd *a, struct ipc_peer *peer,
		      const struct ipc_account_replaced *m);
void closing_release(struct closing *c);

/* reply.c: automatic replies */
void reply_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_reply_ask *m);

/* operate.c: the admin command */
/* `administrator`: the account that asks, within its domains; 0: the operator. */
void operate(struct authd *a, struct ipc_peer *peer, uint64_t administrator,
	     const struct ipc_directory_ask *m);

/* redeem.c: tickets */
MUST_USE bool ticket_make(struct authd *a, uint64_t account, unsigned service,
			  uint8_t bits[TICKET_BYTES]);
void ticket_redeem(struct authd *a, struct ipc_peer *peer,
		   const struct ipc_ticket_redeem *m);
