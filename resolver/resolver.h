/* resolver/resolver.h - asks the DNS for all others, and fetches MTA-STS policies
 *
 * What    main.c what proc_main() calls, servers.c whom to ask and what to trust
 *         (read before the jail), lookup.c one question to libunbound, message.c an
 *         answer's bytes -> records, ask.c questions over ipc, sts.c and policies.c
 *         MTA-STS, fetch.c a policy by HTTPS, shelf.c and kept.c the file that policies
 *         outlive a restart in.
 * RFC     [RFC1034], [RFC4035] by libunbound; [RFC8461].
 * Trust   the DNS and the servers of policies are the whole internet. libunbound
 *         checks signatures; its packets are parsed here as if they were a peer's.
 *         No file but the one that master hands over, and no child: everything
 *         libraries need is loaded before the jail.
 * Memory  bounded by the limits here and libunbound's two caches.
 *
 * Callbacks of a lookup and of a fetch run at the end of a turn of the loop, never
 * from within the call that started them.
 */
#pragma once

#include "common/base/base.h"
#include "common/dns/dns.h"
#include "common/ipc/ipc.h"
#include "common/proc/proc.h"
#include "common/sts/sts.h"
#include "resolver/lookup.h"
#include "resolver/servers.h"

#include <sys/queue.h>

#define ASKS_MAX 20000u /* questions of other programs at once */

struct event;
struct sts;
struct ask;

LIST_HEAD(ask_list, ask);

struct resolver {
	struct proc *proc;
	struct lookups lookups;
	struct ask_list asks;
	size_t n_asks;
	struct sts *sts;
	struct event *tick;
	struct {
		uint64_t asked, refused;
	} count;
};

/* ask.c: questions over ipc */
void ask_dns(struct resolver *r, struct ipc_peer *peer, const struct ipc_dns_ask *m);
void ask_sts(struct resolver *r, struct ipc_peer *peer, const struct ipc_sts_ask *m);
void ask_drop_peer(struct resolver *r, struct ipc_peer *peer);
