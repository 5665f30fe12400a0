#include "authd/authd.h"

#include <sys/random.h>

bool
ticket_make(struct authd *a, uint64_t account, unsigned service,
	    uint8_t bits[TICKET_BYTES])
{
	if (getrandom(bits, TICKET_BYTES, 0) != TICKET_BYTES)
		return false;
	return tickets_add(&a->tickets, bits, account, service, proc_ticks_ms());
}

void
ticket_redeem(struct authd *a, struct ipc_peer *peer, const struct ipc_ticket_redeem *m)
{
	struct ipc_ticket_redeemed answer = {.tag = m->tag};
	struct directory_account account = {0};
	struct err err;
	uint64_t id;

	/* The account is read anew: it may have been disabled since the login. */
	if (tickets_redeem(&a->tickets, m->ticket, m->service, proc_ticks_ms(), &id) &&
	    directory_account_find_id(a->directory, id, &account, &err) ==
		DIRECTORY_DONE &&
	    !account.disabled) {
		answer.ok = 1;
		answer.account = account.id;
		answer.quota_bytes = account.quota_bytes;
		answer.address = span_str(account.address);
	}
	ipc_send_ticket_redeemed(peer, &answer);
	if (!answer.ok)
		logline(LOGLINE_WARNING, "auth.ticket.refused",
			L_STR("peer", ipc_kind_name(ipc_peer_kind(peer))));
	directory_password_wipe(&account.password);
}
