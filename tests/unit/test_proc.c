/* tests/unit/test_proc.c - the table of programs, the jail's checks, worker threads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/proc/proc.h"
#include "common/proc/workers.h"

#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the table ------------------------------------------------------------ */

static void
test_services_are_in_the_order_of_their_kinds(void **state)
{
	size_t n;
	const struct service *table = services(&n);

	(void)state;
	assert_int_equal(n, IPC_KIND_COUNT - 2); /* not master, not admin */
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(table[i].kind, i + 1);
		assert_ptr_equal(service_find(table[i].kind), &table[i]);
	}
	assert_null(service_find(IPC_KIND_MASTER));
	assert_null(service_find(IPC_KIND_ADMIN));
}

static void
test_services_channels_have_two_ends(void **state)
{
	size_t n;
	const struct service *table = services(&n);

	(void)state;
	for (size_t a = 0; a < n; a++) {
		assert_int_equal(table[a].peers & 1u << table[a].kind, 0);
		for (size_t b = 0; b < n; b++)
			assert_int_equal((table[a].peers & 1u << table[b].kind) != 0,
					 (table[b].peers & 1u << table[a].kind) != 0);
	}
}

static bool
goes_out(const struct service *s)
{
	return s->kind == IPC_KIND_RESOLVED || s->kind == IPC_KIND_REMOTE;
}

/* What faces the network has no file and no child; only who goes out to others can
 * open a connection. */
static void
test_services_that_face_the_network_are_shut_in(void **state)
{
	size_t n;
	const struct service *table = services(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct service_jail *jail = &table[i].jail;

		assert_int_equal(jail->file_bytes,
				 table[i].sts_file ? SERVICE_STS_FILE_BYTES : 0);
		assert_int_equal(table[i].sts_file, table[i].kind == IPC_KIND_RESOLVED);
		assert_int_equal(jail->no_network, !goes_out(&table[i]));
		assert_true(jail->open_files >= 64 && jail->memory_bytes >= 1u << 30);
		assert_true(table[i].stop_order < 6);
		if (table[i].user != SERVICE_USER_NET)
			continue;
		assert_true(jail->empty_root && jail->no_children && jail->no_files);
		assert_int_equal(table[i].tls_files, table[i].listeners[0] != NULL);
	}
}

static void
test_services_instances_follow_settings_and_cores(void **state)
{
	static const struct {
		enum ipc_kind kind;
		unsigned wanted;
		uint32_t cores, want;
	} rows[] = {
	    {IPC_KIND_SMTPD,  0,  1,   1 },
            {IPC_KIND_SMTPD,  0,  4,   4 },
	    {IPC_KIND_SMTPD,  0,  128, 4 },
            {IPC_KIND_SMTPD,  0,  0,   1 },
	    {IPC_KIND_SMTPD,  1,  8,   1 },
            {IPC_KIND_SMTPD,  64, 8,   64},
	    {IPC_KIND_SPOOLD, 9,  8,   1 },
            {IPC_KIND_AUTHD,  9,  8,   1 },
	    {IPC_KIND_LOCAL,  0,  2,   2 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct settings s = {.smtpd_processes = rows[i].wanted};

		assert_int_equal(service_instances(rows[i].kind, &s, rows[i].cores),
				 rows[i].want);
	}
}

/* --- the empty root directory --------------------------------------------- */

static void
test_jail_root_must_be_empty_and_writable_for_nobody(void **state)
{
	char path[] = "/tmp/test_proc.XXXXXX";
	char file[64];
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/file", path);
	assert_int_equal(jail_empty_check(path, geteuid(), &err), -1); /* mode 0700 */
	assert_int_equal(chmod(path, 0555), 0);
	assert_int_equal(jail_empty_check(path, geteuid(), &err), 0);
	assert_int_equal(jail_empty_check(path, geteuid() + 1, &err), -1);
	assert_int_equal(chmod(path, 0755), 0);
	close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(chmod(path, 0555), 0);
	assert_int_equal(jail_empty_check(path, geteuid(), &err), -1);
	assert_int_equal(chmod(path, 0755), 0);
	unlink(file);
	rmdir(path);
	assert_int_equal(jail_empty_check(path, geteuid(), &err), -1); /* not there */
}

/* --- files handed over ---------------------------------------------------- */

static int
memory_file(size_t bytes)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	return fd;
}

static void
test_read_fd_at_its_limit(void **state)
{
	struct buf out = buf_make(5000);
	struct err err;

	(void)state;
	for (size_t bytes = 4999; bytes <= 5001; bytes++) {
		int fd = memory_file(bytes);

		/* The offset is at the end here, and plays no part. */
		assert_int_equal(proc_read_fd(fd, &out, &err), bytes <= 5000 ? 0 : -1);
		if (bytes <= 5000)
			assert_int_equal(out.n, bytes);
		assert_int_equal(fcntl(fd, F_GETFD), -1);
	}
	buf_release(&out);
}

/* --- worker threads ------------------------------------------------------- */

struct count {
	struct proc_job job;
	int *worked, *done;
	pthread_t loop;
};

static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;

static void
count_work(struct proc_job *job)
{
	struct count *c = (struct count *)job;

	assert_false(pthread_equal(c->loop, pthread_self()));
	pthread_mutex_lock(&count_lock);
	++*c->worked;
	pthread_mutex_unlock(&count_lock);
}

static void
count_done(struct proc_job *job)
{
	struct count *c = (struct count *)job;

	assert_true(pthread_equal(c->loop, pthread_self()));
	++*c->done;
}

static void
test_workers_do_every_job_off_the_loop(void **state)
{
	struct event_base *base = event_base_new();
	struct workers *w = workers_new(base, 3);
	static struct count jobs[1000];
	int worked = 0, done = 0;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(jobs); i++) {
		jobs[i] = (struct count){
		    .job = {.work = count_work, .done = count_done},
		    .worked = &worked,
		    .done = &done,
		    .loop = pthread_self(),
		};
		assert_true(workers_add(w, &jobs[i].job));
		assert_true(done == 0);
	}
	while (done < (int)N_ELEMS(jobs))
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	assert_int_equal(worked, N_ELEMS(jobs));
}

/* --- log lines ------------------------------------------------------------ */

#define LINES_SENT 20000

/* Those that wait in a socket. */
static uint64_t
lines_with(int fd, const char *event)
{
	static char bytes[256u << 10];
	uint64_t found = 0;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		struct span rest = span_make(bytes, (size_t)n);

		while (rest.n > 0) {
			struct span line = span_cut(&rest, '\n');

			found += span_find_span(line, span_str(event)) < line.n;
		}
	}
	return found;
}

static uint64_t
number_told(int fd)
{
	char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	const char *at;

	assert_true(n > 0);
	text[n] = '\0';
	at = strstr(text, "log.lost lines=");
	assert_non_null(at);
	return strtoull(at + strlen("log.lost lines="), NULL, 10);
}

/* A reader that does not read costs one wait, not one for each line; and each line is
 * either there or counted. */
static void
test_sink_counts_what_a_slow_reader_misses(void **state)
{
	int usual = dup(STDERR_FILENO), pair[2];
	uint64_t began = proc_ticks_ms(), got;
	struct err err;

	(void)state;
	assert_int_equal(ipc_pair(pair, &err), 0);
	assert_true(dup2(pair[1], STDERR_FILENO) >= 0);
	sink_start("test");
	for (int i = 0; i < LINES_SENT; i++) {
		logline(LOGLINE_INFO, "test.line", L_I64("number", i));
		sink_flush();
	}
	assert_true(proc_ticks_ms() - began < (uint64_t)30 * SINK_WAIT_MS);
	got = lines_with(pair[0], " test.line ");
	assert_true(got > 0 && got < LINES_SENT);
	sink_flush();
	assert_int_equal(got + number_told(pair[0]), LINES_SENT);
	sink_flush();
	assert_int_equal(recv(pair[0], &got, sizeof(got), MSG_DONTWAIT), -1);
	logline_set_sink(NULL);
	assert_true(dup2(usual, STDERR_FILENO) >= 0);
	close(usual);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_services_are_in_the_order_of_their_kinds),
	    cmocka_unit_test(test_services_channels_have_two_ends),
	    cmocka_unit_test(test_services_that_face_the_network_are_shut_in),
	    cmocka_unit_test(test_services_instances_follow_settings_and_cores),
	    cmocka_unit_test(test_jail_root_must_be_empty_and_writable_for_nobody),
	    cmocka_unit_test(test_read_fd_at_its_limit),
	    cmocka_unit_test(test_workers_do_every_job_off_the_loop),
	    cmocka_unit_test(test_sink_counts_what_a_slow_reader_misses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
