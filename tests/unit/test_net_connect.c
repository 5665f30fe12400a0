/* tests/unit/test_net_connect.c - connections made to sockets of this test */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/net/net.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define LONG_MS 20000

struct fixture {
	struct event_base *base;
	struct net_connect *connect;
	int listener;
	struct net_address address;
	bool free_at_once;

	size_t calls;
	int fd;
	struct err fault;
};

/* Of a listening socket on a port that the system chose. */
static void
listen_at(struct fixture *f, const char *ip, int backlog)
{
	struct sockaddr_storage at;
	socklen_t n;

	assert_true(net_address_parse(span_str(ip), &f->address));
	n = net_address_to_sockaddr(&f->address, &at);
	f->listener = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(f->listener >= 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(f->listener, backlog), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &n), 0);
	assert_true(net_address_from_sockaddr((struct sockaddr *)&at, &f->address));
}

static void
set_up(struct fixture *f, const char *ip, int backlog)
{
	*f = (struct fixture){.base = event_base_new(), .fd = -1};
	listen_at(f, ip, backlog);
}

static void
tear_down(struct fixture *f)
{
	net_connect_free(&f->connect);
	if (f->fd >= 0)
		close(f->fd);
	close(f->listener);
	event_base_free(f->base);
}

static void
on_connected(void *context, int fd, const struct err *fault)
{
	struct fixture *f = context;

	f->calls++;
	f->fd = fd;
	assert_int_equal(fd < 0, fault != NULL);
	if (fault)
		f->fault = *fault;
	if (f->free_at_once)
		net_connect_free(&f->connect);
}

static void
begin(struct fixture *f, const struct net_address *from, uint64_t timeout_ms)
{
	f->connect =
	    net_connect_new(f->base, &f->address, from, timeout_ms, on_connected, f);
	assert_int_equal(f->calls, 0);
}

/* Until it was told, and as long again as nothing more may come. */
static void
wait_for_it(struct fixture *f)
{
	while (f->calls == 0)
		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	for (int i = 0; i < 3; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->calls, 1);
}

static struct net_address
local_end(int fd)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	struct net_address a;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	assert_true(net_address_from_sockaddr((struct sockaddr *)&at, &a));
	return a;
}

static void
test_connect_succeeds_over_both_families(void **state)
{
	static const char *const rows[] = {"127.0.0.1", "::1"};
	struct fixture f;
	socklen_t n = sizeof(int);
	int on = 0, peer;
	char byte;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i]);
		set_up(&f, rows[i], 10);
		f.free_at_once = i == 0;
		begin(&f, NULL, LONG_MS);
		wait_for_it(&f);
		assert_true(f.fd >= 0);
		assert_true(fcntl(f.fd, F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(f.fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(getsockopt(f.fd, IPPROTO_TCP, TCP_NODELAY, &on, &n),
				 0);
		assert_int_equal(on, 1);
		peer = accept(f.listener, NULL, NULL);
		assert_int_equal(write(f.fd, "x", 1), 1);
		assert_int_equal(read(peer, &byte, 1), 1);
		close(peer);
		tear_down(&f);
	}
}

static void
test_connect_refused_is_told_from_the_loop(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, "127.0.0.1", 1);
	close(f.listener);
	begin(&f, NULL, LONG_MS);
	wait_for_it(&f);
	assert_int_equal(f.fd, -1);
	assert_int_equal(f.fault.code, ECONNREFUSED);
	assert_string_equal(f.fault.text, "Connection refused");
	f.listener = -1;
	tear_down(&f);
}

/* A server that accepts nobody: more than its queue is not answered at all. */
static void
fill_backlog(const struct net_address *to, int *fds, size_t n)
{
	struct sockaddr_storage at;
	socklen_t size = net_address_to_sockaddr(to, &at);

	for (size_t i = 0; i < n; i++) {
		fds[i] = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&at, size);
	}
}

static void
test_connect_times_out_at_a_server_that_does_not_answer(void **state)
{
	struct fixture f;
	int others[4];

	(void)state;
	set_up(&f, "127.0.0.1", 0);
	fill_backlog(&f.address, others, N_ELEMS(others));
	begin(&f, NULL, 20);
	wait_for_it(&f);
	assert_int_equal(f.fd, -1);
	assert_int_equal(f.fault.code, ETIMEDOUT);
	assert_string_equal(f.fault.text, "timed out");
	for (size_t i = 0; i < N_ELEMS(others); i++)
		close(others[i]);
	tear_down(&f);
}

static void
test_connect_cancelled_tells_nothing(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, "127.0.0.1", 1);
	begin(&f, NULL, 1);
	net_connect_free(&f.connect);
	assert_null(f.connect);
	/* No event is left, so the loop ends by itself. */
	assert_int_equal(event_base_dispatch(f.base), 1);
	assert_int_equal(f.calls, 0);
	tear_down(&f);
}

static void
test_connect_cancelled_when_it_has_failed_already_tells_nothing(void **state)
{
	struct net_address elsewhere;
	struct fixture f;

	(void)state;
	set_up(&f, "127.0.0.1", 1);
	assert_true(net_address_parse(SPAN("192.0.2.1"), &elsewhere));
	begin(&f, &elsewhere, LONG_MS);
	net_connect_free(&f.connect);
	assert_int_equal(event_base_dispatch(f.base), 1);
	assert_int_equal(f.calls, 0);
	tear_down(&f);
}

static void
test_connect_from_a_source_address(void **state)
{
	struct net_address from, local;
	struct fixture f;

	(void)state;
	set_up(&f, "127.0.0.1", 1);
	assert_true(net_address_parse(SPAN("127.0.0.9"), &from));
	begin(&f, &from, LONG_MS);
	wait_for_it(&f);
	assert_true(f.fd >= 0);
	local = local_end(f.fd);
	assert_memory_equal(local.ip, from.ip, sizeof(from.ip));
	assert_int_not_equal(local.port, 0);
	tear_down(&f);
}

static void
test_connect_from_an_address_that_is_not_ours_is_a_fault(void **state)
{
	static const struct {
		const char *name, *from;
	} rows[] = {
	    {"of another machine",  "192.0.2.1"},
	    {"of the other family", "::1"      },
	};
	struct net_address from;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		set_up(&f, "127.0.0.1", 1);
		assert_true(net_address_parse(span_str(rows[i].from), &from));
		f.free_at_once = true;
		begin(&f, &from, LONG_MS);
		wait_for_it(&f);
		assert_int_equal(f.fd, -1);
		assert_int_not_equal(f.fault.code, 0);
		assert_true(
		    span_starts(span_str(f.fault.text),
				SPAN("cannot connect from the local address: ")));
		tear_down(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connect_succeeds_over_both_families),
	    cmocka_unit_test(test_connect_refused_is_told_from_the_loop),
	    cmocka_unit_test(test_connect_times_out_at_a_server_that_does_not_answer),
	    cmocka_unit_test(test_connect_cancelled_tells_nothing),
	    cmocka_unit_test(
		test_connect_cancelled_when_it_has_failed_already_tells_nothing),
	    cmocka_unit_test(test_connect_from_a_source_address),
	    cmocka_unit_test(test_connect_from_an_address_that_is_not_ours_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
