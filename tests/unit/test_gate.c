/* tests/unit/test_gate.c - the real gate, with the test as authd, pop3d and clients */
#include "tests/unit/hosted.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct house {
	struct hosted h;
	struct ipc_peer *authd, *pop3d;
	uint16_t port, tls_port;
	bool silent; /* authd does not answer */
	size_t asked, cancelled, opened;
	char mechanism[32], initial[64];
	size_t initial_bytes;
	uint8_t binding_type, tls;
	size_t binding_bytes;
	int session; /* the descriptor of the last session_open */
	char pending[64];
};

#define HELLO  "+OK mx.example.org POP3 ready\r\n"
#define PLAIN  "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"
#define WRONG  "AUTH PLAIN AGpvZQB3cm9uZw==\r\n"
#define TICKET "ticket of 16 byt"

/* --- authd ---------------------------------------------------------------- */

static void
answer_start(struct house *house, struct ipc_peer *peer, const struct ipc_auth_start *m)
{
	struct ipc_auth_done done = {.tag = m->tag, .outcome = AUTH_FAILED};
	struct ipc_auth_challenge more = {.tag = m->tag, .challenge = SPAN("server")};

	house->asked++;
	house->tls = m->tls;
	house->binding_type = m->binding_type;
	house->binding_bytes = m->binding.n;
	assert_int_equal(m->client.n, 16);
	assert_int_equal(m->service, AUTH_SERVICE_POP3);
	assert_true(
	    span_copy(m->mechanism, house->mechanism, sizeof(house->mechanism)));
	house->initial_bytes = m->initial.n;
	memcpy(house->initial, m->initial.at, m->initial.n < 64 ? m->initial.n : 64);
	if (house->silent)
		return;
	if (!span_equal(m->mechanism, SPAN("PLAIN"))) {
		ipc_send_auth_challenge(peer, &more);
		return;
	}
	if (span_equal(m->initial, SPAN("\0joe\0secret"))) {
		done.outcome = AUTH_OK;
		done.account = 77;
		done.address = SPAN("joe@example.org");
		done.ticket = SPAN(TICKET);
	}
	ipc_send_auth_done(peer, &done);
}

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)fd;
	if (m->number == IPC_NUMBER_auth_start)
		answer_start(house, peer, &m->auth_start);
	if (m->number == IPC_NUMBER_auth_cancel)
		house->cancelled++;
	if (m->number == IPC_NUMBER_auth_step) {
		struct ipc_auth_done done = {.tag = m->auth_step.tag,
					     .outcome = AUTH_OK,
					     .account = 77,
					     .address = SPAN("joe@example.org"),
					     .ticket = SPAN(TICKET)};

		assert_true(span_equal(m->auth_step.response, SPAN("proof")));
		ipc_send_auth_done(peer, &done);
	}
}

/* --- pop3d ---------------------------------------------------------------- */

static void
to_pop3d(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)peer;
	assert_int_equal(m->number, IPC_NUMBER_session_open);
	assert_int_equal(m->session_open.account, 77);
	assert_true(span_equal(m->session_open.ticket, SPAN(TICKET)));
	assert_true(
	    span_copy(m->session_open.pending, house->pending, sizeof(house->pending)));
	house->tls = m->session_open.tls;
	house->session = fd;
	house->opened++;
}

static const struct ipc_callbacks authd_callbacks = {NULL, to_authd, NULL};
static const struct ipc_callbacks pop3d_callbacks = {NULL, to_pop3d, NULL};

/* --- set up --------------------------------------------------------------- */

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static void
join_authd(struct house *house)
{
	house->authd = hosted_peer(&house->h, IPC_KIND_AUTHD, &authd_callbacks, house);
	hosted_until(&house->h, is_up, house->authd);
}

static void
join_pop3d(struct house *house)
{
	house->pop3d = hosted_peer(&house->h, IPC_KIND_POP3D, &pop3d_callbacks, house);
	hosted_until(&house->h, is_up, house->pop3d);
}

static struct span
bio_span(BIO *bio)
{
	char *at = NULL;
	long n = BIO_get_mem_data(bio, &at);

	return span_make(at, (size_t)n);
}

static void
send_certificate(struct house *house)
{
	BIO *certificate = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 30);
	X509_set_pubkey(x, pair);
	assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(certificate, x), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(key, pair, NULL, NULL, 0, NULL, NULL),
			 1);
	hosted_file(&house->h, "tls.cert", bio_span(certificate));
	hosted_file(&house->h, "tls.key", bio_span(key));
	X509_free(x);
	EVP_PKEY_free(pair);
	BIO_free(certificate);
	BIO_free(key);
}

static void
set_up_with(struct house *house, const char *settings)
{
	*house = (struct house){.session = -1};
	hosted_folder(&house->h);
	hosted_start(&house->h, IPC_KIND_GATE, settings);
	send_certificate(house);
	join_authd(house);
	join_pop3d(house);
	house->port = hosted_listener(&house->h, "pop3");
	house->tls_port = hosted_listener(&house->h, "pop3s");
}

static void
set_up(struct house *house)
{
	set_up_with(house, "auth_without_tls = yes\n");
}

static void
end(struct house *house)
{
	ipc_peer_free(&house->authd);
	ipc_peer_free(&house->pop3d);
	hosted_end(&house->h);
}

static void
tear_down(struct house *house)
{
	hosted_stop(&house->h);
	end(house);
}

static bool
was_opened(void *context)
{
	return ((struct house *)context)->opened > 0;
}

static bool
was_asked(void *context)
{
	return ((struct house *)context)->asked > 0;
}

static void
await_session(struct house *house, struct talker *session)
{
	hosted_until(&house->h, was_opened, house);
	house->opened = 0;
	talker_init(session, &house->h, house->session);
	house->session = -1;
}

/* --- plain ---------------------------------------------------------------- */

static void
test_gate_gives_a_plain_socket_away(void **state)
{
	struct talker t, session;
	struct house house;

	(void)state;
	set_up(&house);
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	talker_say(&t, "USER joe\r\nPASS secret\r\nSTAT\r\nLI");
	talker_expect(&t, "+OK\r\n");
	await_session(&house, &session);
	assert_string_equal(house.pending, "STAT\r\nLI");
	assert_false(house.tls);
	talker_say(&session, "+OK 0 messages\r\n");
	talker_expect(&t, "+OK 0 messages\r\n");
	talker_say(&t, "ST\r\n");
	talker_expect(&session, "ST\r\n");
	/* gate is not between them: it may go. */
	hosted_stop(&house.h);
	talker_say(&t, "QUIT\r\n");
	talker_expect(&session, "QUIT\r\n");
	talker_release(&session);
	talker_expect_end(&t, "");
	talker_release(&t);
	end(&house);
}

static void
test_gate_denies_and_closes_at_the_fifth(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	for (int i = 0; i < 4; i++) {
		talker_say(&t, WRONG);
		talker_expect(&t, "-ERR [AUTH] wrong name or password\r\n");
	}
	talker_say(&t, WRONG);
	talker_expect_end(&t, "-ERR [AUTH] too many failed logins\r\n");
	talker_release(&t);
	assert_int_equal(house.asked, 5);
	tear_down(&house);
}

static void
test_gate_refuses_bare_passwords_without_the_setting(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up_with(&house, "");
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	talker_say(&t, "USER joe\r\n" PLAIN "CAPA\r\n");
	talker_expect(&t,
		      "-ERR begin TLS first\r\n-ERR no such mechanism here\r\n"
		      "+OK Capability list follows\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
		      "AUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nLANG\r\nUTF8\r\n"
		      "SASL SCRAM-SHA-256\r\nSTLS\r\nIMPLEMENTATION Postroad\r\n.\r\n");
	assert_int_equal(house.asked, 0);
	talker_release(&t);
	tear_down(&house);
}

static void
test_gate_relays_an_exchange_of_several_steps(void **state)
{
	struct talker t, session;
	struct house house;

	(void)state;
	set_up(&house);
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	talker_say(&t, "AUTH SCRAM-SHA-256\r\n");
	talker_expect(&t, "+ \r\n");
	talker_say(&t, "biwsbj1qb2Uscj14\r\n");
	talker_expect(&t, "+ c2VydmVy\r\n");
	assert_string_equal(house.mechanism, "SCRAM-SHA-256");
	assert_memory_equal(house.initial, "n,,n=joe,r=x", 12);
	assert_int_equal(house.binding_type, 0);
	talker_say(&t, "*\r\n");
	talker_expect(&t, "-ERR login given up\r\n");
	talker_say(&t, "AUTH SCRAM-SHA-256 biwsbj1qb2Uscj14\r\n");
	talker_expect(&t, "+ c2VydmVy\r\n");
	talker_say(&t, "cHJvb2Y=\r\n");
	await_session(&house, &session);
	assert_int_equal(house.cancelled, 1);
	talker_release(&session);
	talker_release(&t);
	tear_down(&house);
}

static void
test_gate_programs_away_are_temporary_failures(void **state)
{
	struct talker t, session;
	struct house house;

	(void)state;
	set_up(&house);
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	house.silent = true;
	talker_say(&t, PLAIN);
	hosted_until(&house.h, was_asked, &house);
	ipc_peer_free(&house.authd);
	talker_expect(&t,
		      "-ERR [SYS/TEMP] logins do not work now, try again later\r\n");
	talker_say(&t, PLAIN);
	talker_expect(&t,
		      "-ERR [SYS/TEMP] logins do not work now, try again later\r\n");
	house.silent = false;
	join_authd(&house);
	ipc_peer_free(&house.pop3d);
	talker_say(&t, PLAIN);
	talker_expect_end(&t,
			  "-ERR [SYS/TEMP] mailboxes are away, try again later\r\n");
	talker_release(&t);
	join_pop3d(&house);
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	talker_say(&t, PLAIN);
	await_session(&house, &session);
	talker_release(&session);
	talker_release(&t);
	tear_down(&house);
}

/* Output that leaves, input and the end of it all wake the client; none of them is a
 * reason to check its password again. */
static void
test_gate_asks_about_a_password_once(void **state)
{
	struct house house;
	struct talker t, other;

	(void)state;
	set_up(&house);
	house.silent = true;
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	talker_say(&t, "USER joe\r\nPASS wrong\r\n");
	talker_expect(&t, "+OK\r\n");
	hosted_until(&house.h, was_asked, &house);
	talker_say(&t, "NOOP\r\n");
	talker_connect(&other, &house.h, house.port);
	talker_expect(&other, HELLO);
	talker_say(&other, "QUIT\r\n");
	talker_expect_end(&other, "+OK bye\r\n");
	talker_release(&other);
	assert_int_equal(house.asked, 1);
	talker_release(&t);
	tear_down(&house);
}

static void
test_gate_limits_connections_of_one_client(void **state)
{
	enum {
		CONNECTIONS = 20
	};
	struct talker t[CONNECTIONS + 1];
	struct house house;

	(void)state;
	set_up_with(&house, "limits_exempt = {}\n");
	for (int i = 0; i < CONNECTIONS; i++) {
		talker_connect(&t[i], &house.h, house.port);
		talker_expect(&t[i], HELLO);
	}
	talker_connect(&t[CONNECTIONS], &house.h, house.port);
	talker_expect_end(&t[CONNECTIONS],
			  "-ERR [SYS/TEMP] too many connections from you\r\n");
	talker_release(&t[CONNECTIONS]);
	talker_say(&t[0], "QUIT\r\n");
	talker_expect_end(&t[0], "+OK bye\r\n");
	talker_connect(&t[CONNECTIONS], &house.h, house.port);
	talker_expect(&t[CONNECTIONS], HELLO);
	for (int i = 0; i <= CONNECTIONS; i++)
		talker_release(&t[i]);
	tear_down(&house);
}

static void
test_gate_silent_clients_are_closed_and_refused_in_a_crowd(void **state)
{
	enum {
		CROWD = 12
	};
	struct talker t[CROWD], extra;
	struct house house;

	(void)state;
	set_up_with(&house, "login_timeout_s = 2\nlogin_connections_refuse_from = 12\n"
			    "login_connections_max = 12\n");
	for (int i = 0; i < CROWD; i++) {
		talker_connect(&t[i], &house.h, house.port);
		talker_expect(&t[i], HELLO);
	}
	talker_connect(&extra, &house.h, house.port);
	talker_expect_end(&extra, "-ERR [SYS/TEMP] too busy, try again later\r\n");
	talker_release(&extra);
	for (int i = 0; i < CROWD; i++) {
		talker_expect_end(&t[i], "-ERR you took too long\r\n");
		talker_release(&t[i]);
	}
	tear_down(&house);
}

#define DRIP_MS 100

struct dripping {
	struct talker pop3, imap;
	uint64_t next_ms; /* when they say another byte */
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool
drip(struct talker *t, bool due)
{
	char bytes[256];
	ssize_t n;

	while ((n = recv(t->fd, bytes, sizeof(bytes), 0)) > 0)
		buf_put(&t->got, span_make(bytes, (size_t)n));
	t->ended = t->ended || n == 0;
	if (due && !t->ended)
		talker_say(t, "x");
	return t->ended;
}

static bool
both_have_ended(void *context)
{
	struct dripping *d = context;
	bool due = now_ms() >= d->next_ms, pop3, imap;

	if (due)
		d->next_ms = now_ms() + DRIP_MS;
	pop3 = drip(&d->pop3, due);
	imap = drip(&d->imap, due);
	return pop3 && imap;
}

/* The limit is of the whole time up to the login, whatever comes meanwhile. */
static void
test_gate_clients_that_drip_are_closed(void **state)
{
	struct dripping d = {0};
	struct house house;

	(void)state;
	set_up_with(&house, "login_timeout_s = 2\n");
	talker_connect(&d.pop3, &house.h, house.port);
	talker_connect(&d.imap, &house.h, hosted_listener(&house.h, "imap"));
	hosted_until(&house.h, both_have_ended, &d);
	assert_true(span_ends_nocase(buf_span(&d.pop3.got),
				     SPAN("-ERR you took too long\r\n")));
	assert_true(span_ends_nocase(buf_span(&d.imap.got),
				     SPAN("* BYE you took too long\r\n")));
	talker_release(&d.pop3);
	talker_release(&d.imap);
	tear_down(&house);
}

static void
test_gate_plaintext_behind_stls_closes(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	talker_connect(&t, &house.h, house.port);
	talker_expect(&t, HELLO);
	talker_say(&t, "STLS\r\n" PLAIN);
	talker_expect_end(&t, "-ERR nothing may stand behind STLS\r\n");
	talker_release(&t);
	assert_int_equal(house.asked, 0);
	tear_down(&house);
}

/* --- under TLS ------------------------------------------------------------ */

struct tls_talker {
	struct talker t; /* only its socket */
	SSL_CTX *context;
	SSL *ssl;
	struct buf got;
	const char *until;
	bool ended;
};

static bool
hand_shaken(void *context)
{
	struct tls_talker *t = context;

	return SSL_do_handshake(t->ssl) == 1;
}

static void
tls_begin(struct tls_talker *t)
{
	t->got = buf_make(16u << 20);
	t->context = SSL_CTX_new(TLS_client_method());
	t->ssl = SSL_new(t->context);
	SSL_set_mode(t->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
	assert_int_equal(SSL_set_fd(t->ssl, t->t.fd), 1);
	SSL_set_connect_state(t->ssl);
	hosted_until(t->t.h, hand_shaken, t);
}

static void
tls_connect(struct tls_talker *t, struct house *house)
{
	*t = (struct tls_talker){0};
	talker_connect(&t->t, &house->h, house->tls_port);
	tls_begin(t);
}

static void
tls_say(struct tls_talker *t, const char *text)
{
	assert_int_equal(SSL_write(t->ssl, text, (int)strlen(text)), strlen(text));
}

static void
tls_listen(struct tls_talker *t)
{
	char bytes[16384];
	int n;

	while ((n = SSL_read(t->ssl, bytes, sizeof(bytes))) > 0)
		buf_put(&t->got, span_make(bytes, (size_t)n));
	t->ended = SSL_get_error(t->ssl, n) != SSL_ERROR_WANT_READ;
}

static bool
tls_has_come(void *context)
{
	struct tls_talker *t = context;
	struct span want = span_str(t->until), got;

	tls_listen(t);
	got = buf_span(&t->got);
	return got.n >= want.n && span_equal(span_after(got, got.n - want.n), want);
}

static void
tls_expect(struct tls_talker *t, const char *text)
{
	t->until = text;
	hosted_until(t->t.h, tls_has_come, t);
	buf_reset(&t->got);
}

static bool
tls_has_ended(void *context)
{
	tls_listen(context);
	return ((struct tls_talker *)context)->ended;
}

static void
tls_release(struct tls_talker *t)
{
	SSL_free(t->ssl);
	SSL_CTX_free(t->context);
	talker_release(&t->t);
	buf_release(&t->got);
}

static void
tls_login(struct house *house, struct tls_talker *t, struct talker *session)
{
	tls_connect(t, house);
	tls_expect(t, HELLO);
	tls_say(t, PLAIN);
	await_session(house, session);
	assert_true(house->tls);
}

static void
test_gate_pumps_tls_both_ways(void **state)
{
	struct talker session;
	struct tls_talker t;
	struct house house;

	(void)state;
	set_up(&house);
	tls_login(&house, &t, &session);
	talker_say(&session, "+OK 2 messages\r\n");
	tls_expect(&t, "+OK 2 messages\r\n");
	tls_say(&t, "STAT\r\n");
	talker_expect(&session, "STAT\r\n");
	talker_say(&session, "+OK bye\r\n");
	talker_release(&session);
	tls_expect(&t, "+OK bye\r\n");
	hosted_until(&house.h, tls_has_ended, &t);
	tls_release(&t);
	tear_down(&house);
}

static void
test_gate_tells_pop3d_that_a_tls_client_ended(void **state)
{
	struct talker session;
	struct tls_talker t;
	struct house house;

	(void)state;
	set_up(&house);
	tls_login(&house, &t, &session);
	tls_say(&t, "QUIT\r\n");
	SSL_shutdown(t.ssl);
	talker_expect_end(&session, "QUIT\r\n");
	/* Half of it is still open: the last words arrive. */
	talker_say(&session, "+OK bye\r\n");
	talker_release(&session);
	tls_expect(&t, "+OK bye\r\n");
	tls_release(&t);
	tear_down(&house);
}

static void
test_gate_stls_then_login(void **state)
{
	struct talker session;
	struct tls_talker t = {0};
	struct house house;

	(void)state;
	set_up_with(&house, "");
	talker_connect(&t.t, &house.h, house.port);
	talker_expect(&t.t, HELLO);
	talker_say(&t.t, "STLS\r\n");
	talker_expect(&t.t, "+OK begin TLS\r\n");
	tls_begin(&t);
	tls_say(&t, "USER joe\r\nPASS secret\r\n");
	await_session(&house, &session);
	assert_int_equal(house.binding_type, 1);
	assert_int_equal(house.binding_bytes, 32);
	talker_release(&session);
	tls_release(&t);
	tear_down(&house);
}

static void
test_gate_sends_the_binding_the_client_names(void **state)
{
	struct tls_talker t;
	struct house house;

	(void)state;
	set_up(&house);
	tls_connect(&t, &house);
	tls_expect(&t, HELLO);
	/* p=tls-server-end-point,,n=joe,r=x */
	tls_say(&t, "AUTH SCRAM-SHA-256-PLUS "
		    "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsbj1qb2Uscj14\r\n");
	tls_expect(&t, "+ c2VydmVy\r\n");
	assert_int_equal(house.binding_type, 2);
	assert_int_equal(house.binding_bytes, 32);
	tls_release(&t);
	tear_down(&house);
}

/* Neither side reads for a while; what is under way is bounded, and none is lost. */
static void
test_gate_pump_is_bounded_and_loses_nothing(void **state)
{
	enum {
		BYTES = 32 << 20
	};
	struct talker session;
	struct tls_talker t;
	struct house house;
	size_t sent = 0, got = 0;
	struct pollfd writable;
	char bytes[16384];

	(void)state;
	set_up(&house);
	tls_login(&house, &t, &session);
	writable = (struct pollfd){session.fd, POLLOUT, 0};
	memset(bytes, 'm', sizeof(bytes));
	while (sent < BYTES && poll(&writable, 1, 200) > 0) {
		ssize_t n = send(session.fd, bytes, sizeof(bytes), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
	}
	/* Two sockets and two bounded buffers took it, then it stopped. */
	assert_true(sent < BYTES);
	while (got < BYTES) {
		int n = SSL_read(t.ssl, bytes, sizeof(bytes));

		got += n > 0 ? (size_t)n : 0;
		memset(bytes, 'm', sizeof(bytes));
		if (sent < BYTES) {
			size_t left = BYTES - sent;
			ssize_t m = send(session.fd, bytes,
					 left < sizeof(bytes) ? left : sizeof(bytes),
					 MSG_NOSIGNAL);

			sent += m > 0 ? (size_t)m : 0;
		}
		assert_true(n > 0 || SSL_get_error(t.ssl, n) == SSL_ERROR_WANT_READ);
	}
	assert_int_equal(got, BYTES);
	talker_release(&session);
	tls_release(&t);
	tear_down(&house);
}

static void
test_gate_garbage_instead_of_tls_is_closed(void **state)
{
	struct house house;
	struct talker t;

	(void)state;
	set_up(&house);
	talker_connect(&t, &house.h, house.tls_port);
	talker_say(&t, "CAPA\r\n");
	talker_expect_end(&t, "");
	talker_release(&t);
	tear_down(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gate_gives_a_plain_socket_away),
	    cmocka_unit_test(test_gate_denies_and_closes_at_the_fifth),
	    cmocka_unit_test(test_gate_refuses_bare_passwords_without_the_setting),
	    cmocka_unit_test(test_gate_relays_an_exchange_of_several_steps),
	    cmocka_unit_test(test_gate_programs_away_are_temporary_failures),
	    cmocka_unit_test(test_gate_asks_about_a_password_once),
	    cmocka_unit_test(test_gate_limits_connections_of_one_client),
	    cmocka_unit_test(
		test_gate_silent_clients_are_closed_and_refused_in_a_crowd),
	    cmocka_unit_test(test_gate_clients_that_drip_are_closed),
	    cmocka_unit_test(test_gate_plaintext_behind_stls_closes),
	    cmocka_unit_test(test_gate_pumps_tls_both_ways),
	    cmocka_unit_test(test_gate_tells_pop3d_that_a_tls_client_ended),
	    cmocka_unit_test(test_gate_stls_then_login),
	    cmocka_unit_test(test_gate_sends_the_binding_the_client_names),
	    cmocka_unit_test(test_gate_pump_is_bounded_and_loses_nothing),
	    cmocka_unit_test(test_gate_garbage_instead_of_tls_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
