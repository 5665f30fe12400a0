/* tests/unit/test_net.c - listening sockets and plain streams in a real loop */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/net/net.h"
#include "tests/unit/memory.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

static const struct net_sizes sizes = {
    .input_max = 64, .output_high = 1000, .output_low = 100, .output_max = 8u << 20};

/* What a stream told its owner. */
struct seen {
	struct net_stream *stream;
	struct buf input;
	size_t inputs, drained, deadlines, closed, faults, overflows;
	size_t take_at_once; /* 0: all */
	bool close_on_input;
	bool resume;
};

static void
on_input(struct net_stream *s, void *context)
{
	struct seen *seen = context;
	struct span in = net_stream_input(s);
	size_t n = seen->take_at_once ? seen->take_at_once : in.n;

	seen->inputs++;
	if (seen->close_on_input) {
		net_stream_write(s, SPAN("bye\r\n"));
		net_stream_close(&seen->stream, 1000);
		return;
	}
	buf_put(&seen->input, span_first(in, n));
	net_stream_take(s, n < in.n ? n : in.n);
	if (seen->resume && net_stream_input(s).n > 0)
		net_stream_resume(s);
}

static void
on_drained(struct net_stream *s, void *context)
{
	(void)s;
	((struct seen *)context)->drained++;
}

static void
on_deadline(struct net_stream *s, void *context)
{
	(void)s;
	((struct seen *)context)->deadlines++;
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct seen *seen = context;

	(void)s;
	seen->closed += how == NET_END_CLOSED;
	seen->faults += how == NET_END_FAULT;
	seen->overflows += how == NET_END_OVERFLOW;
}

static const struct net_callbacks callbacks = {on_input, on_drained, NULL, on_deadline,
					       on_ended};

struct fixture {
	struct event_base *base;
	struct seen seen;
	int peer;
};

static void
set_up(struct fixture *f)
{
	int pair[2];

	*f = (struct fixture){.base = event_base_new()};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	f->seen.input = buf_make(1u << 20);
	f->seen.stream = net_stream_new(f->base, pair[0], &sizes, &callbacks, &f->seen);
	f->peer = pair[1];
}

static void
turns(struct fixture *f, int n)
{
	while (n-- > 0)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void
tear_down(struct fixture *f)
{
	net_stream_free(&f->seen.stream);
	if (f->peer >= 0)
		close(f->peer);
	turns(f, 10);
	assert_int_equal(net_streams_lingering(), 0);
	buf_release(&f->seen.input);
	event_base_free(f->base);
}

static void
peer_writes(struct fixture *f, struct span s)
{
	assert_int_equal(write(f->peer, s.at, s.n), s.n);
}

static void
assert_input(struct fixture *f, const char *want)
{
	assert_true(span_equal(buf_span(&f->seen.input), span_str(want)));
}

static void
test_stream_input_at_every_cut(void **state)
{
	static const char text[] = "one\r\ntwo\r\nthree";
	struct span all = SPAN("one\r\ntwo\r\nthree");

	(void)state;
	for (size_t cut = 0; cut <= all.n; cut++) {
		struct fixture f;

		set_up(&f);
		f.seen.take_at_once = 3;
		f.seen.resume = true;
		peer_writes(&f, span_first(all, cut));
		turns(&f, 3);
		peer_writes(&f, span_after(all, cut));
		turns(&f, 10);
		assert_input(&f, text);
		assert_int_equal(net_stream_input(f.seen.stream).n, 0);
		assert_int_equal(net_stream_bytes_in(f.seen.stream), all.n);
		tear_down(&f);
	}
}

static void
nothing_taken(struct net_stream *s, void *context)
{
	(void)s;
	((struct seen *)context)->inputs++;
}

static void
test_stream_reads_no_more_than_it_may_keep(void **state)
{
	static const struct net_callbacks lazy = {.input = nothing_taken};
	struct fixture f;
	char bytes[200];

	(void)state;
	set_up(&f);
	net_stream_free(&f.seen.stream);
	close(f.peer);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	f.peer = pair[1];
	f.seen.stream = net_stream_new(f.base, pair[0], &sizes, &lazy, &f.seen);
	memset(bytes, 'x', sizeof(bytes));
	peer_writes(&f, span_make(bytes, 63));
	turns(&f, 3);
	peer_writes(&f, span_make(bytes, sizeof(bytes)));
	turns(&f, 5);
	assert_int_equal(net_stream_input(f.seen.stream).n, 64);
	assert_int_equal(f.seen.inputs, 2);
	/* It goes on as soon as there is room, without being told. */
	net_stream_take(f.seen.stream, 60);
	turns(&f, 5);
	assert_int_equal(net_stream_input(f.seen.stream).n, 64);
	tear_down(&f);
}

static void
test_stream_held_reads_nothing(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	net_stream_hold(f.seen.stream, true);
	turns(&f, 1);
	peer_writes(&f, SPAN("x"));
	turns(&f, 3);
	assert_int_equal(f.seen.inputs, 0);
	net_stream_hold(f.seen.stream, false);
	turns(&f, 3);
	assert_input(&f, "x");
	tear_down(&f);
}

static size_t
peer_reads(struct fixture *f, size_t most)
{
	static char bytes[65536];
	size_t n = 0;
	ssize_t got;

	while (n < most && (got = read(f->peer, bytes, sizeof(bytes))) > 0)
		n += (size_t)got;
	return n;
}

static void
test_stream_output_arrives_whole_past_a_slow_reader(void **state)
{
	enum {
		BYTES = 2 << 20
	};
	struct fixture f;
	size_t n = 0;

	(void)state;
	set_up(&f);
	char *at = buf_extend(net_stream_output(f.seen.stream), BYTES);
	assert_non_null(at);
	memset(at, 'y', BYTES);
	net_stream_flush(f.seen.stream);
	assert_true(net_stream_full(f.seen.stream));
	turns(&f, 3);
	assert_true(net_stream_full(f.seen.stream));
	assert_int_equal(f.seen.drained, 0);
	for (int i = 0; i < 1000 && n < BYTES; i++) {
		n += peer_reads(&f, 100000);
		turns(&f, 1);
	}
	assert_int_equal(n, BYTES);
	assert_int_equal(f.seen.drained, 1);
	assert_int_equal(net_stream_unsent(f.seen.stream), 0);
	assert_int_equal(net_stream_bytes_out(f.seen.stream), BYTES);
	tear_down(&f);
}

/* A gate that was taken over keeps its end of what it hands to imapd. */
static void
test_stream_never_waits_on_a_socket_made_blocking(void **state)
{
	struct buf flood = buf_make(4u << 20);
	struct fixture f = {.base = event_base_new()};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	f.seen.input = buf_make(1000);
	f.seen.stream = net_stream_new(f.base, pair[0], &sizes, &callbacks, &f.seen);
	f.peer = pair[1];
	assert_int_equal(fcntl(pair[0], F_SETFL, 0), 0);
	assert_non_null(buf_extend(&flood, flood.max));
	flood.n = flood.max;
	memset(flood.at, 'x', flood.n);
	peer_writes(&f, SPAN("hello\r\n"));
	alarm(60); /* it would wait for ever */
	net_stream_write(f.seen.stream, buf_span(&flood));
	turns(&f, 10);
	assert_input(&f, "hello\r\n");
	assert_true(net_stream_unsent(f.seen.stream) > 0);
	net_stream_close(&f.seen.stream, 1);
	close(f.peer);
	f.peer = -1;
	turns(&f, 10);
	alarm(0);
	buf_release(&flood);
	tear_down(&f);
}

static void
test_stream_overflow_ends_it(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	for (int i = 0; i <= 9; i++) {
		char *at = buf_extend(net_stream_output(f.seen.stream), 1u << 20);
		if (at)
			memset(at, 0, 1u << 20);
	}
	net_stream_flush(f.seen.stream);
	turns(&f, 3);
	assert_int_equal(f.seen.overflows, 1);
	assert_string_equal(net_stream_fault(f.seen.stream),
			    "more output than allowed");
	tear_down(&f);
}

static void
test_stream_close_sends_what_was_written_and_waits_for_the_peer(void **state)
{
	struct fixture f;
	char bytes[16];

	(void)state;
	set_up(&f);
	f.seen.close_on_input = true;
	peer_writes(&f, SPAN("quit\r\nmore that nobody reads\r\n"));
	turns(&f, 3);
	assert_null(f.seen.stream);
	assert_int_equal(net_streams_lingering(), 1);
	assert_int_equal(read(f.peer, bytes, sizeof(bytes)), 5);
	assert_int_equal(read(f.peer, bytes, sizeof(bytes)), 0);
	peer_writes(&f, SPAN("still talking"));
	turns(&f, 3);
	assert_int_equal(net_streams_lingering(), 1);
	tear_down(&f);
}

static void
test_stream_close_does_not_wait_for_ever(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	net_stream_write(f.seen.stream, SPAN("bye"));
	net_stream_close(&f.seen.stream, 1);
	/* Ends by itself: the loop returns when no event is left. */
	event_base_dispatch(f.base);
	assert_int_equal(net_streams_lingering(), 0);
	tear_down(&f);
}

static void
test_stream_end_of_peer_is_told_once_and_output_still_goes(void **state)
{
	struct fixture f;
	char bytes[16];

	(void)state;
	set_up(&f);
	peer_writes(&f, SPAN("last"));
	shutdown(f.peer, SHUT_WR);
	turns(&f, 5);
	assert_input(&f, "last");
	assert_int_equal(f.seen.closed, 1);
	net_stream_write(f.seen.stream, SPAN("answer"));
	turns(&f, 5);
	assert_int_equal(read(f.peer, bytes, sizeof(bytes)), 6);
	assert_int_equal(f.seen.closed, 1);
	net_stream_shutdown(f.seen.stream);
	turns(&f, 5);
	assert_int_equal(read(f.peer, bytes, sizeof(bytes)), 0);
	tear_down(&f);
}

static void
test_stream_broken_pipe_is_a_fault(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	net_stream_hold(f.seen.stream, true);
	close(f.peer);
	f.peer = -1;
	net_stream_write(f.seen.stream, SPAN("into the void"));
	turns(&f, 3);
	assert_int_equal(f.seen.faults, 1);
	assert_string_equal(net_stream_fault(f.seen.stream), "Broken pipe");
	net_stream_close(&f.seen.stream, 1000);
	tear_down(&f);
}

static void
test_stream_deadline_comes_once_and_can_be_moved(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	net_stream_deadline(f.seen.stream, 3600000);
	net_stream_deadline(f.seen.stream, 1);
	while (f.seen.deadlines == 0)
		event_base_loop(f.base, EVLOOP_ONCE);
	net_stream_deadline(f.seen.stream, 1);
	net_stream_deadline(f.seen.stream, 0);
	net_stream_deadline(f.seen.stream, 2);
	net_stream_deadline(f.seen.stream, 20);
	while (f.seen.deadlines == 1)
		event_base_loop(f.base, EVLOOP_ONCE);
	turns(&f, 5);
	assert_int_equal(f.seen.deadlines, 2);
	tear_down(&f);
}

static void
test_stream_detach_gives_socket_and_rest_away(void **state)
{
	struct buf pending = buf_make(100);
	struct fixture f;
	char bytes[8];
	int fd;

	(void)state;
	set_up(&f);
	f.seen.take_at_once = 6;
	peer_writes(&f, SPAN("login\nSTAT\r\n"));
	turns(&f, 2);
	fd = net_stream_detach(&f.seen.stream, &pending);
	assert_null(f.seen.stream);
	assert_true(span_equal(buf_span(&pending), SPAN("STAT\r\n")));
	assert_int_equal(write(fd, "+OK", 3), 3);
	assert_int_equal(read(f.peer, bytes, sizeof(bytes)), 3);
	close(fd);
	buf_release(&pending);
	tear_down(&f);
}

static void
test_stream_idle_costs_little(void **state)
{
	enum {
		STREAMS = 100
	};
	struct net_stream *streams[STREAMS];
	struct fixture f;
	int peers[STREAMS];
	size_t before, each;

	(void)state;
	set_up(&f);
	f.seen.input.max = 1u << 20;
	before = memory_in_use();
	for (int i = 0; i < STREAMS; i++) {
		int pair[2];

		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		peers[i] = pair[1];
		streams[i] =
		    net_stream_new(f.base, pair[0], &sizes, &callbacks, &f.seen);
		net_stream_write(streams[i], SPAN("220 hello\r\n"));
		net_stream_deadline(streams[i], 60000);
		assert_int_equal(write(peers[i], "NOOP\r\n", 6), 6);
	}
	turns(&f, 5);
	assert_int_equal(f.seen.input.n, STREAMS * 6);
	each = (memory_in_use() - before) / STREAMS;
	print_message("an idle plain stream costs %zu bytes\n", each);
	assert_true(each < 2048);
	for (int i = 0; i < STREAMS; i++) {
		net_stream_free(&streams[i]);
		close(peers[i]);
	}
	tear_down(&f);
}

/* --- listening ------------------------------------------------------------ */

struct taken {
	struct net_peer peer;
	int fds[100];
	size_t n;
};

static void
take(void *context, int fd, const struct net_peer *peer)
{
	struct taken *t = context;

	assert_true(t->n < N_ELEMS(t->fds));
	t->fds[t->n++] = fd;
	t->peer = *peer;
}

static int
listen_tcp(struct sockaddr_in *at)
{
	socklen_t n = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, n), 0);
	assert_int_equal(listen(fd, 100), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
	return fd;
}

static int
connect_tcp(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	return fd;
}

static void
test_accept_is_bounded_a_turn(void **state)
{
	struct event_base *base = event_base_new();
	struct taken taken = {0};
	struct sockaddr_in at;
	struct net_listener *l = net_listener_new(base, listen_tcp(&at), take, &taken);
	int clients[NET_ACCEPTS_PER_TURN + 1];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(clients); i++)
		clients[i] = connect_tcp(&at);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(taken.n, NET_ACCEPTS_PER_TURN);
	net_listener_pause(l);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(taken.n, NET_ACCEPTS_PER_TURN);
	net_listener_resume(l);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(taken.n, N_ELEMS(clients));
	assert_true(net_address_is_loopback(&taken.peer.address));
	assert_true(net_address_is_ipv4(&taken.peer.address));
	assert_false(taken.peer.local);
	for (size_t i = 0; i < N_ELEMS(clients); i++) {
		assert_true(fcntl(taken.fds[i], F_GETFL) & O_NONBLOCK);
		close(clients[i]);
		close(taken.fds[i]);
	}
	net_listener_free(&l);
	event_base_free(base);
}

static void
test_accept_knows_a_local_peer(void **state)
{
	struct event_base *base = event_base_new();
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = ""};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), client;
	struct taken taken = {0};
	struct net_listener *l;
	socklen_t n;

	(void)state;
	/* An abstract name of the kernel's choice. */
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 5), 0);
	n = sizeof(at);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	l = net_listener_new(base, fd, take, &taken);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, n), 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(taken.n, 1);
	assert_true(taken.peer.local);
	assert_int_equal(taken.peer.uid, getuid());
	assert_int_equal(taken.peer.pid, getpid());
	close(client);
	close(taken.fds[0]);
	net_listener_free(&l);
	event_base_free(base);
}

static uint64_t
ms_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - from->tv_sec) * 1000 +
			  (now.tv_nsec - from->tv_nsec) / 1000000);
}

static void
test_accept_sleeps_without_descriptors(void **state)
{
	struct event_base *base = event_base_new();
	struct taken taken = {0};
	struct sockaddr_in at;
	struct net_listener *l = net_listener_new(base, listen_tcp(&at), take, &taken);
	int client = connect_tcp(&at), lowest = dup(client);
	struct rlimit old, none;
	struct timespec from;

	(void)state;
	assert_true(lowest >= 0);
	close(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){(rlim_t)lowest, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 50; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(taken.n, 0);
	assert_in_range(net_listener_pauses(l), 1,
			1 + ms_since(&from) / NET_ACCEPT_PAUSE_MS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	while (taken.n == 0)
		event_base_loop(base, EVLOOP_ONCE);
	close(taken.fds[0]);
	close(client);
	net_listener_free(&l);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stream_input_at_every_cut),
	    cmocka_unit_test(test_stream_reads_no_more_than_it_may_keep),
	    cmocka_unit_test(test_stream_held_reads_nothing),
	    cmocka_unit_test(test_stream_output_arrives_whole_past_a_slow_reader),
	    cmocka_unit_test(test_stream_never_waits_on_a_socket_made_blocking),
	    cmocka_unit_test(test_stream_overflow_ends_it),
	    cmocka_unit_test(
		test_stream_close_sends_what_was_written_and_waits_for_the_peer),
	    cmocka_unit_test(test_stream_close_does_not_wait_for_ever),
	    cmocka_unit_test(
		test_stream_end_of_peer_is_told_once_and_output_still_goes),
	    cmocka_unit_test(test_stream_broken_pipe_is_a_fault),
	    cmocka_unit_test(test_stream_deadline_comes_once_and_can_be_moved),
	    cmocka_unit_test(test_stream_detach_gives_socket_and_rest_away),
	    cmocka_unit_test(test_stream_idle_costs_little),
	    cmocka_unit_test(test_accept_is_bounded_a_turn),
	    cmocka_unit_test(test_accept_knows_a_local_peer),
	    cmocka_unit_test(test_accept_sleeps_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
