/* tests/unit/test_ipc.c - the message table, its codec, and channels */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/ipc/ipc.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- every row, filled with values that differ by field ------------------- */

/* clang-format off */
#define FILL_U8(field)    m->field = (uint8_t)(0xf0 + n++);
#define FILL_U16(field)   m->field = (uint16_t)(0xfff0 + n++);
#define FILL_U32(field)   m->field = 0xfffffff0u + n++;
#define FILL_U64(field)   m->field = 0xfffffffffffffff0u + n++;
#define FILL_BYTES(field) m->field = span_first(SPAN("bytes of some length"), 3 + n++);
#define FILL_ROW(number_, row, from, to, fd)                                             \
	static void fill_##row(struct ipc_##row *m)                                      \
	{                                                                                \
		unsigned n = 0;                                                          \
		(void)m;                                                                 \
		IPC_##row(FILL_U8, FILL_U16, FILL_U32, FILL_U64, FILL_BYTES)             \
		(void)n;                                                                 \
	}
IPC_ROWS(FILL_ROW)

#define MAKE_ROW(number_, row, from, to, fd)                                             \
	{                                                                                \
		struct ipc_message m = {.number = IPC_NUMBER_##row};                     \
		fill_##row(&m.row);                                                      \
		check(&m);                                                               \
	}

#define SAME_NUMBER(field) assert_true(a->field == b->field);
#define SAME_BYTES(field)  assert_true(span_equal(a->field, b->field));
#define SAME_ROW(number_, row, from, to, fd)                                             \
	case IPC_NUMBER_##row: {                                                         \
		const struct ipc_##row *a = &x->row, *b = &y->row;                       \
		(void)a, (void)b;                                                        \
		IPC_##row(SAME_NUMBER, SAME_NUMBER, SAME_NUMBER, SAME_NUMBER, SAME_BYTES)  \
		break;                                                                   \
	}

static void
assert_same(const struct ipc_message *x, const struct ipc_message *y)
{
	assert_int_equal(x->number, y->number);
	switch (x->number) {
	IPC_ROWS(SAME_ROW)
	}
}

static void
each_row(void (*check)(const struct ipc_message *))
{
	IPC_ROWS(MAKE_ROW)
}
/* clang-format on */

static void
check_round_trip(const struct ipc_message *m)
{
	struct buf packet = buf_make(IPC_PACKET_MAX);
	struct ipc_message back;
	struct span rest;

	assert_true(ipc_encode(&packet, m));
	assert_true(ipc_encode(&packet, m));
	rest = buf_span(&packet);
	assert_true(ipc_decode(&rest, &back));
	assert_same(m, &back);
	assert_int_equal(rest.n, packet.n / 2);
	assert_true(ipc_decode(&rest, &back));
	assert_same(m, &back);
	assert_int_equal(rest.n, 0);
	assert_string_not_equal(ipc_number_name(m->number), "?");
	buf_release(&packet);
}

static void
test_message_every_row_round_trips(void **state)
{
	(void)state;
	each_row(check_round_trip);
}

static void
check_cuts(const struct ipc_message *m)
{
	struct buf packet = buf_make(IPC_PACKET_MAX);
	struct ipc_message back = {.number = IPC_NUMBER_usage};

	assert_true(ipc_encode(&packet, m));
	for (size_t cut = 0; cut < packet.n; cut++) {
		/* A block of its own, so that a read past it is seen. */
		char *exact = memory_new(cut, 1);
		struct span rest = {exact, cut};

		memcpy(exact, packet.at, cut);
		assert_false(ipc_decode(&rest, &back));
		assert_int_equal(rest.n, cut);
		assert_int_equal(back.number, IPC_NUMBER_usage);
		free(exact);
	}
	buf_release(&packet);
}

static void
test_message_every_cut_fails(void **state)
{
	(void)state;
	each_row(check_cuts);
}

/* One byte more in the body than its fields need. */
static void
check_surplus(const struct ipc_message *m)
{
	struct buf packet = buf_make(IPC_PACKET_MAX);
	struct ipc_message back;
	struct span rest;
	uint32_t n;

	assert_true(ipc_encode(&packet, m));
	buf_put_char(&packet, 'x');
	n = (uint32_t)(packet.n - IPC_HEAD_BYTES);
	memcpy(packet.at + 2, &n, 4);
	rest = buf_span(&packet);
	assert_false(ipc_decode(&rest, &back));
	buf_release(&packet);
}

static void
test_message_surplus_bytes_fail(void **state)
{
	(void)state;
	each_row(check_surplus);
}

static void
test_message_unknown_numbers_fail(void **state)
{
	(void)state;
	for (unsigned number = 0; number <= UINT16_MAX; number++) {
		char bytes[6] = {(char)(number & 0xff), (char)(number >> 8)};
		struct span rest = {bytes, sizeof(bytes)};
		struct ipc_message m;

		if (strcmp(ipc_number_name(number), "?") == 0)
			assert_false(ipc_decode(&rest, &m));
	}
}

static void
test_message_longest_fits_and_longer_does_not(void **state)
{
	static char bytes[IPC_PACKET_MAX];
	/* number, length, id, envelope_bytes, length of bytes */
	const size_t most = IPC_PACKET_MAX - (2 + 4 + 8 + 4 + 4);
	struct buf packet = buf_make(2 * IPC_PACKET_MAX);
	struct ipc_spool_put m = {
	    1, 2, {bytes, most - 1}
        };

	(void)state;
	assert_true(ipc_encode_spool_put(&packet, &m));
	buf_reset(&packet);
	m.bytes.n = most;
	assert_true(ipc_encode_spool_put(&packet, &m));
	assert_int_equal(packet.n, IPC_PACKET_MAX);
	buf_reset(&packet);
	m.bytes.n = most + 1;
	assert_false(ipc_encode_spool_put(&packet, &m));
	assert_int_equal(packet.n, 0);
	buf_release(&packet);
}

static void
test_direction_follows_the_table(void **state)
{
	(void)state;
	assert_true(
	    ipc_number_allowed(IPC_NUMBER_resolve, IPC_KIND_SMTPD, IPC_KIND_AUTHD));
	assert_false(
	    ipc_number_allowed(IPC_NUMBER_resolve, IPC_KIND_AUTHD, IPC_KIND_SMTPD));
	assert_false(
	    ipc_number_allowed(IPC_NUMBER_resolve, IPC_KIND_GATE, IPC_KIND_AUTHD));
	assert_false(
	    ipc_number_allowed(IPC_NUMBER_resolve, IPC_KIND_SMTPD, IPC_KIND_QMGR));
	assert_false(
	    ipc_number_allowed(IPC_NUMBER_resolve, IPC_KIND_COUNT, IPC_KIND_AUTHD));
	assert_true(ipc_number_has_fd(IPC_NUMBER_segment_fd));
	assert_false(ipc_number_has_fd(IPC_NUMBER_deliver));
}

/* --- channels ------------------------------------------------------------- */

struct side {
	struct ipc_peer *peer;
	int ups, downs, messages;
	uint64_t sum; /* of the tags that came */
	int fd;       /* the last that came, or -1 */
	bool free_in_message, free_in_down;
	char fault[80];
	bool broken;
};

static void
on_up(struct ipc_peer *peer, void *context)
{
	struct side *s = context;

	(void)peer;
	s->ups++;
}

static void
on_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct side *s = context;

	(void)peer;
	s->messages++;
	if (m->number == IPC_NUMBER_auth_cancel)
		s->sum += m->auth_cancel.tag;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	if (s->free_in_message)
		ipc_peer_free(&s->peer);
}

static void
on_down(struct ipc_peer *peer, void *context)
{
	struct side *s = context;

	s->downs++;
	snprintf(s->fault, sizeof(s->fault), "%s", ipc_peer_fault(peer, &s->broken));
	if (s->free_in_down)
		ipc_peer_free(&s->peer);
}

static const struct ipc_callbacks callbacks = {on_up, on_message, on_down};

/* smtpd at the left, authd at the right; or only one of them and a raw socket. */
struct pair {
	struct event_base *base;
	struct side left, right;
	int raw;
};

static void
pair_start(struct pair *p, bool left)
{
	int fds[2];
	struct err err;

	*p = (struct pair){.base = event_base_new(), .raw = -1};
	p->left.fd = p->right.fd = -1;
	assert_int_equal(ipc_pair(fds, &err), 0);
	p->right.peer =
	    ipc_peer_new(p->base, fds[1], IPC_KIND_AUTHD, 0, &callbacks, &p->right);
	ipc_peer_expect(p->right.peer, IPC_KIND_SMTPD, 3);
	if (left)
		p->left.peer = ipc_peer_new(p->base, fds[0], IPC_KIND_SMTPD, 3,
					    &callbacks, &p->left);
	else
		p->raw = fds[0];
}

static void
pair_run(struct pair *p)
{
	for (int i = 0; i < 50; i++) {
		ipc_flush_all();
		event_base_loop(p->base, EVLOOP_NONBLOCK);
	}
}

static void
pair_end(struct pair *p)
{
	ipc_peer_free(&p->left.peer);
	ipc_peer_free(&p->right.peer);
	if (p->raw >= 0)
		close(p->raw);
	if (p->left.fd >= 0)
		close(p->left.fd);
	if (p->right.fd >= 0)
		close(p->right.fd);
	event_base_free(p->base);
}

static void
test_channel_says_hello_and_passes_messages(void **state)
{
	struct ipc_auth_cancel m = {17};
	struct pair p;

	(void)state;
	pair_start(&p, true);
	/* Before hello came: kept behind ours. */
	ipc_send_auth_cancel(p.left.peer, &m);
	assert_int_equal(p.right.messages, 0);
	pair_run(&p);
	assert_int_equal(p.left.ups, 1);
	assert_int_equal(p.right.ups, 1);
	assert_int_equal(p.right.messages, 1);
	assert_int_equal(p.right.sum, 17);
	assert_int_equal(ipc_peer_kind(p.right.peer), IPC_KIND_SMTPD);
	assert_int_equal(ipc_peer_instance(p.right.peer), 3);
	assert_int_equal(ipc_queued_bytes(p.left.peer), 0);
	pair_end(&p);
}

static void
test_channel_shares_packets_and_keeps_order_under_pressure(void **state)
{
	struct pair p;
	uint64_t want = 0;

	(void)state;
	pair_start(&p, true);
	for (uint64_t i = 0; i < 200000; i++) {
		struct ipc_auth_cancel m = {i};

		ipc_send_auth_cancel(p.left.peer, &m);
		want += i;
	}
	assert_true(ipc_queued_bytes(p.left.peer) > 0);
	pair_run(&p);
	assert_int_equal(p.right.messages, 200000);
	assert_true(p.right.sum == want);
	assert_int_equal(ipc_queued_bytes(p.left.peer), 0);
	pair_end(&p);
}

static void
test_channel_queue_limit_takes_the_peer_down(void **state)
{
	static char bytes[60000];
	struct ipc_auth_step m = {
	    1, {bytes, sizeof(bytes)}
        };
	struct pair p;

	(void)state;
	pair_start(&p, true);
	pair_run(&p);
	ipc_peer_pause(p.right.peer, true);
	for (size_t sent = 0; sent < 2 * IPC_QUEUE_BYTES_MAX; sent += sizeof(bytes))
		ipc_send_auth_step(p.left.peer, &m);
	assert_int_equal(p.left.downs, 0);
	pair_run(&p);
	assert_int_equal(p.left.downs, 1);
	assert_true(p.left.broken);
	ipc_peer_pause(p.right.peer, false);
	pair_run(&p);
	assert_int_equal(p.right.downs, 1);
	pair_end(&p);
}

static void
test_channel_too_long_message_takes_the_peer_down_later(void **state)
{
	static char bytes[IPC_PACKET_MAX];
	struct ipc_auth_step m = {
	    1, {bytes, sizeof(bytes)}
        };
	struct pair p;

	(void)state;
	pair_start(&p, true);
	pair_run(&p);
	ipc_send_auth_step(p.left.peer, &m);
	assert_int_equal(p.left.downs, 0);
	p.left.free_in_down = true;
	pair_run(&p);
	assert_int_equal(p.left.downs, 1);
	assert_null(p.left.peer);
	pair_end(&p);
}

static void
test_channel_passes_a_descriptor_and_the_sender_keeps_its_own(void **state)
{
	struct ipc_session_open m = {1, 0, SPAN(""), SPAN(""), SPAN(""), SPAN("")};
	struct event_base *base = event_base_new();
	struct side gate = {.fd = -1}, pop3d = {.fd = -1};
	struct pair p = {.base = base};
	int fds[2], pipe_fds[2];
	struct err err;

	(void)state;
	assert_int_equal(ipc_pair(fds, &err), 0);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	gate.peer = ipc_peer_new(base, fds[0], IPC_KIND_GATE, 0, &callbacks, &gate);
	pop3d.peer = ipc_peer_new(base, fds[1], IPC_KIND_POP3D, 0, &callbacks, &pop3d);
	ipc_send_session_open(gate.peer, &m, pipe_fds[1]);
	pair_run(&p);
	assert_int_equal(pop3d.messages, 1);
	assert_true(pop3d.fd >= 0);
	assert_true((fcntl(pop3d.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(pop3d.fd, "x", 1), 1);
	assert_int_equal(close(pipe_fds[1]), 0);
	close(pipe_fds[0]);
	close(pop3d.fd);
	ipc_peer_free(&gate.peer);
	ipc_peer_free(&pop3d.peer);
	event_base_free(base);
}

static void
test_channel_reads_the_last_words_of_a_peer_that_closed(void **state)
{
	struct ipc_auth_cancel m = {5};
	struct ipc_sender_checked answer = {1, 1};
	struct pair p;

	(void)state;
	pair_start(&p, true);
	pair_run(&p);
	ipc_send_auth_cancel(p.left.peer, &m);
	ipc_flush(p.left.peer);
	/* The left has not read all that the right sent when it closes. */
	ipc_send_sender_checked(p.right.peer, &answer);
	ipc_flush(p.right.peer);
	ipc_peer_free(&p.left.peer);
	ipc_send_sender_checked(p.right.peer, &answer);
	pair_run(&p);
	assert_int_equal(p.right.messages, 1);
	assert_int_equal(p.right.sum, 5);
	assert_int_equal(p.right.downs, 1);
	assert_false(p.right.broken);
	pair_end(&p);
}

static void
test_channel_may_be_freed_in_its_own_callback(void **state)
{
	struct ipc_auth_cancel m = {5};
	struct pair p;

	(void)state;
	pair_start(&p, true);
	pair_run(&p);
	p.right.free_in_message = true;
	for (int i = 0; i < 10; i++) {
		ipc_send_auth_cancel(p.left.peer, &m);
		ipc_flush(p.left.peer);
	}
	pair_run(&p);
	assert_int_equal(p.right.messages, 1);
	assert_null(p.right.peer);
	assert_int_equal(p.left.downs, 1);
	assert_string_equal(p.left.fault, "closed by the other side");
	pair_end(&p);
}

static void
test_channel_drop_is_told_by_the_loop(void **state)
{
	struct pair p;

	(void)state;
	pair_start(&p, true);
	pair_run(&p);
	ipc_peer_drop(p.right.peer, "used an id it was not given");
	assert_int_equal(p.right.downs, 0);
	pair_run(&p);
	assert_int_equal(p.right.downs, 1);
	assert_string_equal(p.right.fault, "used an id it was not given");
	assert_true(p.right.broken);
	pair_end(&p);
}

/* --- what a stolen program could send ------------------------------------- */

static void
put_hello(struct buf *packet, uint64_t hash, enum ipc_kind kind, uint32_t instance)
{
	struct ipc_hello m = {hash, kind, instance};

	assert_true(ipc_encode_hello(packet, &m));
}

static void
raw_send(struct pair *p, struct span packet, const int *fds, size_t n)
{
	struct iovec piece = {(void *)(uintptr_t)packet.at, packet.n};
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr aligned;
	} control = {0};
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};

	if (n > 0) {
		struct cmsghdr *c;

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(p->raw, &header, MSG_NOSIGNAL), packet.n);
}

static size_t
open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
hello_right(struct buf *b)
{
	put_hello(b, ipc_rows_hash(), IPC_KIND_SMTPD, 3);
}

static void
bad_hash(struct buf *b)
{
	put_hello(b, ipc_rows_hash() + 1, IPC_KIND_SMTPD, 3);
}

static void
bad_kind(struct buf *b)
{
	put_hello(b, ipc_rows_hash(), IPC_KIND_MASTER, 3);
}

static void
bad_kind_number(struct buf *b)
{
	put_hello(b, ipc_rows_hash(), (enum ipc_kind)200, 3);
}

static void
bad_instance(struct buf *b)
{
	put_hello(b, ipc_rows_hash(), IPC_KIND_SMTPD, 4);
}

static void
no_hello(struct buf *b)
{
	struct ipc_auth_cancel m = {1};

	assert_true(ipc_encode_auth_cancel(b, &m));
}

static void
two_hellos(struct buf *b)
{
	hello_right(b);
	hello_right(b);
}

static void
wrong_direction(struct buf *b)
{
	struct ipc_resolved m = {.tag = 1};

	hello_right(b);
	assert_true(ipc_encode_resolved(b, &m));
}

static void
not_for_authd(struct buf *b)
{
	struct ipc_spool_end m = {1};

	hello_right(b);
	assert_true(ipc_encode_spool_end(b, &m));
}

static void
cut_short(struct buf *b)
{
	hello_right(b);
	no_hello(b);
	b->n--;
}

static void
nonsense(struct buf *b)
{
	hello_right(b);
	buf_put_str(b, "GET / HTTP/1.0\r\n");
}

static void
missing_fd(struct buf *b)
{
	struct ipc_ctl_file m = {SPAN("tls.key")};

	hello_right(b);
	assert_true(ipc_encode_ctl_file(b, &m));
}

static void
test_channel_refuses_a_peer_that_breaks_the_rules(void **state)
{
	static const struct {
		const char *name;
		void (*put)(struct buf *);
		size_t fds;
	} rows[] = {
	    {"other version",                 bad_hash,        0},
	    {"another kind",                  bad_kind,        0},
	    {"no kind at all",                bad_kind_number, 0},
	    {"another instance",              bad_instance,    0},
	    {"no hello first",                no_hello,        0},
	    {"hello twice",                   two_hellos,      0},
	    {"wrong direction",               wrong_direction, 0},
	    {"message for another",           not_for_authd,   0},
	    {"cut short",                     cut_short,       0},
	    {"nonsense",                      nonsense,        0},
	    {"descriptor missing",            missing_fd,      0},
	    {"descriptor where none belongs", hello_right,     1},
	    {"several descriptors",           hello_right,     3},
	    {"more than the room for them",   hello_right,     8},
	    {"descriptor and wrong version",  bad_hash,        1},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf packet = buf_make(IPC_PACKET_MAX);
		int fds[8] = {0, 0, 0, 0, 0, 0, 0, 0};
		struct pair p;
		size_t before;

		print_message("%s\n", rows[i].name);
		pair_start(&p, false);
		before = open_fds();
		rows[i].put(&packet);
		raw_send(&p, buf_span(&packet), fds, rows[i].fds);
		pair_run(&p);
		assert_int_equal(p.right.downs, 1);
		assert_true(p.right.broken);
		assert_int_equal(p.right.messages, 0);
		/* Its own socket is closed, and whatever was sent. */
		assert_int_equal(open_fds(), before - 1);
		buf_release(&packet);
		pair_end(&p);
	}
}

/* --- the blocking client -------------------------------------------------- */

static void
test_client_tells_nobody_there_from_wrong_answers(void **state)
{
	char path[] = "/tmp/test_ipc.XXXXXX";
	char socket_path[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ipc_client *client;
	struct err err;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(socket_path, sizeof(socket_path), "%s/s", path);
	assert_null(ipc_client_connect(socket_path, 10, &err));
	assert_int_equal(err.code, ENOENT);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_null(ipc_client_connect(socket_path, 10, &err));
	assert_int_equal(err.code, ECONNREFUSED);
	assert_int_equal(listen(fd, 1), 0);
	client = ipc_client_connect(socket_path, 10, &err);
	assert_null(client);
	assert_int_equal(err.code, ETIMEDOUT);
	close(fd);
	unlink(socket_path);
	rmdir(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_message_every_row_round_trips),
	    cmocka_unit_test(test_message_every_cut_fails),
	    cmocka_unit_test(test_message_surplus_bytes_fail),
	    cmocka_unit_test(test_message_unknown_numbers_fail),
	    cmocka_unit_test(test_message_longest_fits_and_longer_does_not),
	    cmocka_unit_test(test_direction_follows_the_table),
	    cmocka_unit_test(test_channel_says_hello_and_passes_messages),
	    cmocka_unit_test(
		test_channel_shares_packets_and_keeps_order_under_pressure),
	    cmocka_unit_test(test_channel_queue_limit_takes_the_peer_down),
	    cmocka_unit_test(test_channel_too_long_message_takes_the_peer_down_later),
	    cmocka_unit_test(
		test_channel_passes_a_descriptor_and_the_sender_keeps_its_own),
	    cmocka_unit_test(test_channel_reads_the_last_words_of_a_peer_that_closed),
	    cmocka_unit_test(test_channel_may_be_freed_in_its_own_callback),
	    cmocka_unit_test(test_channel_drop_is_told_by_the_loop),
	    cmocka_unit_test(test_channel_refuses_a_peer_that_breaks_the_rules),
	    cmocka_unit_test(test_client_tells_nobody_there_from_wrong_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
