#include "tests/unit/house.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- authd ---------------------------------------------------------------- */

static void
redeem(struct house *house, struct ipc_peer *peer, const struct ipc_ticket_redeem *m)
{
	struct ipc_ticket_redeemed answer = {.tag = m->tag};

	house->redeemed++;
	assert_int_equal(m->service, house->service);
	if (house->silent)
		return;
	if (span_equal(m->ticket, SPAN(HOUSE_TICKET))) {
		answer.ok = 1;
		answer.account = HOUSE_ACCOUNT;
		answer.quota_bytes = house->quota_bytes;
		answer.address = SPAN("joe@example.org");
	} else if (span_equal(m->ticket, SPAN(HOUSE_OTHER_TICKET))) {
		answer.ok = 1;
		answer.account = HOUSE_OTHER;
		answer.address = SPAN("ann@example.org");
	}
	ipc_send_ticket_redeemed(peer, &answer);
}

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)fd;
	if (m->number == IPC_NUMBER_usage) {
		house->usage = m->usage;
		house->told++;
	} else if (m->number == IPC_NUMBER_ticket_redeem) {
		redeem(house, peer, &m->ticket_redeem);
	}
}

bool
house_is_up(void *peer)
{
	return ipc_peer_is_up(peer);
}

bool
house_was_told(void *house)
{
	return ((struct house *)house)->told > 0;
}

bool
house_was_asked(void *house)
{
	return ((struct house *)house)->redeemed > 0;
}

void
house_authd(struct house *house)
{
	static const struct ipc_callbacks callbacks = {NULL, to_authd, NULL};

	house->authd = hosted_peer(&house->h, IPC_KIND_AUTHD, &callbacks, house);
	hosted_until(&house->h, house_is_up, house->authd);
}

/* --- life ----------------------------------------------------------------- */

void
house_init(struct house *house, enum auth_service service)
{
	*house = (struct house){.service = service};
	hosted_folder(&house->h);
}

void
house_start(struct house *house, enum ipc_kind kind, const char *settings)
{
	static const struct ipc_callbacks nothing;

	hosted_start(&house->h, kind, settings);
	/* One after the other: what gate sends first comes behind authd's hello. */
	house_authd(house);
	house->gate = hosted_peer(&house->h, IPC_KIND_GATE, &nothing, house);
	hosted_until(&house->h, house_is_up, house->gate);
}

void
house_stop(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->gate);
	ipc_peer_free(&house->authd);
	hosted_end(&house->h);
}

/* --- mail ----------------------------------------------------------------- */

struct store_account *
house_mail(const struct house *house, struct store **store)
{
	static const struct store_settings settings;
	struct store_account *account;
	char root[128];
	struct err err;

	snprintf(root, sizeof(root), "%s/mail", house->h.folder);
	*store = store_new(root, &settings, &err);
	assert_non_null(*store);
	assert_int_equal(store_account_open(*store, HOUSE_ACCOUNT, STORE_MAY_CREATE, 1,
					    &account, &err),
			 STORE_OK);
	return account;
}

void
house_mail_close(struct store **store, struct store_account **account)
{
	store_account_close(account);
	store_free(store);
}

void
house_deliver(struct store_account *account, struct span prefix, struct span content)
{
	struct store_message m = {.mailbox = STORE_INBOX,
				  .content = content,
				  .prefix = prefix,
				  .internal_us = 1,
				  .saved_us = 1};
	struct store_appended got;
	struct err err;

	assert_int_equal(store_batch_begin(account, true, &err), STORE_OK);
	assert_int_equal(store_append(account, &m, &got, &err), STORE_OK);
	assert_int_equal(store_batch_end(account, &err), STORE_OK);
}

/* --- clients -------------------------------------------------------------- */

void
house_open(struct house *house, uint64_t account, const char *ticket, const char *tag,
	   const char *pending, int fd)
{
	uint8_t client[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};
	struct ipc_session_open m = {.account = account,
				     .client = span_make(client, 16),
				     .ticket = span_str(ticket),
				     .tag = span_str(tag),
				     .pending = span_str(pending)};

	ipc_send_session_open(house->gate, &m, fd);
	ipc_flush_all();
}

void
house_login(struct house *house, struct talker *t, uint64_t account, const char *ticket,
	    const char *tag, const char *pending)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	talker_init(t, &house->h, pair[0]);
	house_open(house, account, ticket, tag, pending, pair[1]);
	close(pair[1]);
}
