/* tests/unit/test_smtpd.c - the real smtpd, with the test as authd, spoold and clients
 */
#include "tests/unit/hosted.h"

#include "common/spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define FIRST_ID (UINT64_C(7) << 32)
#define HELLO    "220 mx.example.org ESMTP Postroad\r\n"

struct house {
	struct hosted h;
	struct ipc_peer *authd, *spoold;
	uint16_t port;
	uint64_t next_id;
	size_t begun, stored;
	uint64_t content_bytes; /* of all that was stored, envelopes too */
	bool dropped;           /* smtpd gave up on spoold */
};

/* --- authd and spoold ----------------------------------------------------- */

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	const struct target target = {
	    .kind = TARGET_ACCOUNT, .account = 7, .address = SPAN("b@example.org")};
	struct buf targets = buf_make(1024);
	struct ipc_resolved answer = {.outcome = RESOLVE_OK};

	(void)context;
	(void)fd;
	assert_int_equal(m->number, IPC_NUMBER_resolve);
	target_put(&targets, &target);
	answer.tag = m->resolve.tag;
	answer.targets = buf_span(&targets);
	ipc_send_resolved(peer, &answer);
	buf_release(&targets);
}

static void
grant(struct house *house)
{
	struct ipc_id_grant m = {house->next_id, QUEUE_ID_BLOCK};

	house->next_id += QUEUE_ID_BLOCK;
	ipc_send_id_grant(house->spoold, &m);
}

static void
store(struct house *house, uint64_t id)
{
	struct ipc_spool_done m = {id, SPOOL_STORED};

	house->stored++;
	ipc_send_spool_done(house->spoold, &m);
}

static void
to_spoold(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)peer;
	(void)fd;
	if (m->number == IPC_NUMBER_spool_put) {
		house->content_bytes += m->spool_put.bytes.n;
		store(house, m->spool_put.id);
	} else if (m->number == IPC_NUMBER_spool_begin) {
		house->begun++;
		house->content_bytes += m->spool_begin.bytes.n;
	} else if (m->number == IPC_NUMBER_spool_piece) {
		house->content_bytes += m->spool_piece.bytes.n;
	} else {
		assert_int_equal(m->number, IPC_NUMBER_spool_end);
		store(house, m->spool_end.id);
	}
}

static void
spoold_down(struct ipc_peer *peer, void *context)
{
	struct house *house = context;

	(void)peer;
	house->dropped = true;
}

static const struct ipc_callbacks authd_callbacks = {NULL, to_authd, NULL};
static const struct ipc_callbacks spoold_callbacks = {NULL, to_spoold, spoold_down};

/* --- set up --------------------------------------------------------------- */

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static void
set_up(struct house *house, const char *settings)
{
	*house = (struct house){.next_id = FIRST_ID};
	hosted_folder(&house->h);
	hosted_start(&house->h, IPC_KIND_SMTPD, settings);
	house->authd = hosted_peer(&house->h, IPC_KIND_AUTHD, &authd_callbacks, house);
	house->spoold =
	    hosted_peer(&house->h, IPC_KIND_SPOOLD, &spoold_callbacks, house);
	hosted_until(&house->h, is_up, house->authd);
	hosted_until(&house->h, is_up, house->spoold);
	house->port = hosted_listener(&house->h, "smtp");
}

static void
tear_down(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->authd);
	ipc_peer_free(&house->spoold);
	hosted_end(&house->h);
}

/* --- clients -------------------------------------------------------------- */

struct sending {
	struct talker *t;
	struct span rest;
};

static bool
is_sent(void *context)
{
	struct sending *s = context;
	ssize_t n = send(s->t->fd, s->rest.at, s->rest.n, MSG_NOSIGNAL);

	assert_true(n >= 0 || errno == EAGAIN);
	s->rest = span_after(s->rest, n > 0 ? (size_t)n : 0);
	return s->rest.n == 0;
}

static void
say_all(struct house *house, struct talker *t, struct span text)
{
	struct sending s = {t, text};

	hosted_until(&house->h, is_sent, &s);
}

/* All of them up to 354, a step at a time. */
static void
begin_messages(struct house *house, struct talker *t, size_t n)
{
	static const struct {
		const char *say, *expect;
	} steps[] = {
	    {"",							       HELLO                   },
	    {"HELO c.example\r\n",					     "250 mx.example.org\r\n"},
	    {"MAIL FROM:<a@c.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n",
	     "354 End data with <CR><LF>.<CR><LF>\r\n"                                                 },
	};

	for (size_t i = 0; i < n; i++)
		talker_connect(&t[i], &house->h, house->port);
	for (size_t k = 0; k < N_ELEMS(steps); k++) {
		for (size_t i = 0; i < n; i++)
			talker_say(&t[i], steps[k].say);
		for (size_t i = 0; i < n; i++)
			talker_expect(&t[i], steps[k].expect);
	}
}

/* It has done all that came before. */
static void
await_turn(struct house *house)
{
	struct talker t;

	talker_connect(&t, &house->h, house->port);
	talker_expect(&t, HELLO);
	talker_say(&t, "QUIT\r\n");
	talker_expect_end(&t, "221 2.0.0 Bye\r\n");
	talker_release(&t);
}

static void
message_put(struct buf *out, size_t bytes)
{
	while (out->n < bytes)
		buf_put_str(out, "a line of this message, of which there are many\r\n");
	buf_put_str(out, ".\r\n");
}

/* Together far more than IPC_QUEUE_BYTES_MAX, beyond which a channel is closed. */
static void
feed_a_spoold_that_does_not_read(size_t clients, size_t bytes)
{
	struct talker *t = memory_new(clients, sizeof(*t));
	struct buf message = buf_make(bytes + 1024);
	struct house house;

	message_put(&message, bytes);
	set_up(&house, "smtp_greeting_timeout_s = 300\nsmtp_data_window_s = 300\n");
	for (size_t i = 0; i <= clients / QUEUE_ID_BLOCK; i++)
		grant(&house);
	begin_messages(&house, t, clients);
	ipc_peer_pause(house.spoold, true);
	for (size_t i = 0; i < clients; i++)
		say_all(&house, &t[i], buf_span(&message));
	await_turn(&house);
	assert_int_equal(house.stored, 0);
	ipc_peer_pause(house.spoold, false);
	for (size_t i = 0; i < clients; i++) {
		struct buf last = buf_make(256);

		talker_collect(&t[i], "\r\n", &last);
		assert_true(span_starts(buf_span(&last), SPAN("250 2.0.0 ")));
		buf_release(&last);
		talker_release(&t[i]);
	}
	assert_false(house.dropped);
	assert_int_equal(house.stored, clients);
	assert_true(house.content_bytes >= clients * (message.n - 3));
	tear_down(&house);
	buf_release(&message);
	free(t);
}

static void
test_smtpd_small_messages_wait_for_room_at_spoold(void **state)
{
	(void)state;
	feed_a_spoold_that_does_not_read(480, 44u << 10);
}

static void
test_smtpd_streamed_messages_wait_for_room_at_spoold(void **state)
{
	(void)state;
	feed_a_spoold_that_does_not_read(320, 150u << 10);
}

/* Each of four processes has its part of a crowd. */
static void
test_smtpd_shares_the_limit_before_the_login(void **state)
{
	const struct ipc_ctl_count four = {IPC_KIND_SMTPD, 4};
	struct talker t[4];
	struct house house;
	uint16_t port;

	(void)state;
	set_up(&house, "login_connections_refuse_from = 12\n"
		       "login_connections_max = 12\n");
	ipc_send_ctl_count(house.h.master, &four);
	port = hosted_listener(&house.h, "submission");
	for (size_t i = 0; i < 3; i++) {
		talker_connect(&t[i], &house.h, port);
		talker_expect(&t[i], HELLO);
	}
	talker_connect(&t[3], &house.h, port);
	talker_expect_end(&t[3], "421 4.3.2 Too busy, try again later\r\n");
	talker_release(&t[3]);
	talker_say(&t[0], "QUIT\r\n");
	talker_expect_end(&t[0], "221 2.0.0 Bye\r\n");
	talker_connect(&t[3], &house.h, port);
	talker_expect(&t[3], HELLO);
	for (size_t i = 0; i < 4; i++)
		talker_release(&t[i]);
	tear_down(&house);
}

/* It says nothing, and has its five minutes for a command. */
static void
test_smtpd_session_ends_by_its_setting(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house, "smtp_session_timeout_s = 1\n");
	talker_connect(&t, &house.h, house.port);
	talker_expect_end(&t, HELLO "421 4.4.2 Session takes too long\r\n");
	talker_release(&t);
	tear_down(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_smtpd_small_messages_wait_for_room_at_spoold),
	    cmocka_unit_test(test_smtpd_streamed_messages_wait_for_room_at_spoold),
	    cmocka_unit_test(test_smtpd_shares_the_limit_before_the_login),
	    cmocka_unit_test(test_smtpd_session_ends_by_its_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
