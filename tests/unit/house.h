/* tests/unit/house.h - a session program, with the test as its gate and authd
 *
 * authd knows one account, joe@example.org, and believes its ticket as often as it is
 * shown; and another account, in which there is no mail.
 */
#pragma once

#include "tests/unit/hosted.h"

#include "common/store/store.h"

#define HOUSE_ACCOUNT 77u
#define HOUSE_TICKET  "good ticket 1234"

#define HOUSE_OTHER        78u
#define HOUSE_OTHER_TICKET "good ticket 5678"

struct house {
	struct hosted h;
	enum auth_service service; /* that it must ask for */
	struct ipc_peer *gate, *authd;
	uint64_t quota_bytes;
	bool silent; /* authd does not answer */
	size_t redeemed, told;
	struct ipc_usage usage;
};

/* A folder, in which mail may be put before it starts. */
void house_init(struct house *house, enum auth_service service);
void house_start(struct house *house, enum ipc_kind kind, const char *settings);
/* authd comes back; it goes by ipc_peer_free(). */
void house_authd(struct house *house);
void house_stop(struct house *house);

/* --- mail, while nobody else has it open ---------------------------------- */

struct store_account *house_mail(const struct house *house, struct store **store);
void house_mail_close(struct store **store, struct store_account **account);
/* Not synced. */
void
house_deliver(struct store_account *account, struct span prefix, struct span content);

/* --- clients -------------------------------------------------------------- */

void house_open(struct house *house, uint64_t account, const char *ticket,
		const char *tag, const char *pending, int fd);
void house_login(struct house *house, struct talker *t, uint64_t account,
		 const char *ticket, const char *tag, const char *pending);

/* For hosted_until(). */
bool house_is_up(void *peer);
bool house_was_told(void *house);  /* usage came */
bool house_was_asked(void *house); /* a ticket was shown */
