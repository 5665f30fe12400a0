#include "tests/unit/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static void
from_program(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct hosted *h = context;

	(void)peer;
	(void)fd;
	if (m->number != IPC_NUMBER_ctl_ready) {
		if (h->said)
			h->said(h, m);
		return;
	}
	h->ready = m->ctl_ready.ok;
	h->failed = !h->ready;
	if (h->failed)
		print_message("%.*s\n", SPAN_ARG(m->ctl_ready.text));
}

static const struct ipc_callbacks master_callbacks = {NULL, from_program, NULL};

/* The build folder is where this test was built, however deep. */
static void
program_path(enum ipc_kind kind, char *path, size_t size)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	for (char *slash; (slash = strrchr(self, '/')); *slash = '\0') {
		snprintf(path, size, "%.*s/libexec/postroad-%s", (int)(slash - self),
			 self, ipc_kind_name(kind));
		if (access(path, X_OK) == 0)
			return;
	}
	fail_msg("no postroad-%s in the build folder", ipc_kind_name(kind));
}

static int
memory_file(struct span bytes)
{
	int fd = memfd_create("hosted", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes.at, bytes.n), bytes.n);
	return fd;
}

void
hosted_folder(struct hosted *h)
{
	char path[128];

	*h = (struct hosted){.base = event_base_new()};
	snprintf(h->folder, sizeof(h->folder), "/tmp/hosted.XXXXXX");
	assert_non_null(mkdtemp(h->folder));
	assert_int_equal(chmod(h->folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/mail", h->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/empty", h->folder);
	assert_int_equal(mkdir(path, 0555), 0);
}

static int
settings_file(const struct hosted *h, const char *settings)
{
	struct buf text = buf_make(65536);
	int fd;

	buf_putf(&text,
		 "hostname = \"mx.example.org\"\nuser_net = \"nobody\"\n"
		 "user_mail = \"nobody\"\nrun_directory = \"%s\"\n"
		 "mail_directory = \"%s/mail\"\n",
		 h->folder, h->folder);
	buf_put_str(&text, settings);
	fd = memory_file(buf_span(&text));
	buf_release(&text);
	return fd;
}

static int
give_away(const char *path, const struct stat *st, int what, struct FTW *walk)
{
	(void)st;
	(void)what;
	(void)walk;
	/* "nobody" of every Linux. */
	return strstr(path, "/mail") ? chown(path, 65534, 65534) : 0;
}

static bool
is_ready(void *context)
{
	struct hosted *h = context;
	int status;

	assert_false(h->failed);
	if (waitpid(h->pid, &status, WNOHANG) == h->pid)
		fail_msg("it ended at its start, status %x", (unsigned)status);
	return h->ready;
}

/* A jail without files may not write its log to one. */
static void
keep_log_out_of_files(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
}

static pid_t
spawn(enum ipc_kind kind, int fd)
{
	char path[640];
	pid_t pid;

	program_path(kind, path, sizeof(path));
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	keep_log_out_of_files();
	if (dup2(fd, 3) == 3 && fcntl(3, F_SETFD, 0) == 0)
		execl(path, path, "0", (char *)NULL);
	_exit(127);
}

void
hosted_start(struct hosted *h, enum ipc_kind kind, const char *settings)
{
	struct ipc_ctl_start start = {1, SPAN("test")};
	struct err err;
	int pair[2], fd = settings_file(h, settings);

	if (geteuid() == 0)
		assert_int_equal(nftw(h->folder, give_away, 16, FTW_PHYS), 0);
	assert_int_equal(ipc_pair(pair, &err), 0);
	h->ready = h->failed = false;
	h->pid = spawn(kind, pair[1]);
	close(pair[1]);
	h->master =
	    ipc_peer_new(h->base, pair[0], IPC_KIND_MASTER, 0, &master_callbacks, h);
	ipc_send_ctl_start(h->master, &start, fd);
	close(fd);
	hosted_until(h, is_ready, h);
}

void
hosted_reload(struct hosted *h, const char *settings)
{
	struct ipc_ctl_reload m = {SPAN("test")};
	int fd = settings_file(h, settings);

	ipc_send_ctl_reload(h->master, &m, fd);
	close(fd);
	ipc_flush_all();
}

struct ipc_peer *
hosted_peer(struct hosted *h, enum ipc_kind kind, const struct ipc_callbacks *callbacks,
	    void *context)
{
	struct ipc_ctl_peer m = {kind, 0, 1};
	struct ipc_peer *peer;
	struct err err;
	int pair[2];

	assert_int_equal(ipc_pair(pair, &err), 0);
	ipc_send_ctl_peer(h->master, &m, pair[1]);
	close(pair[1]);
	peer = ipc_peer_new(h->base, pair[0], kind, 0, callbacks, context);
	return peer;
}

void
hosted_file(struct hosted *h, const char *name, struct span bytes)
{
	struct ipc_ctl_file m = {span_str(name)};
	int fd = memory_file(bytes);

	ipc_send_ctl_file(h->master, &m, fd);
	close(fd);
}

uint16_t
hosted_listener(struct hosted *h, const char *name)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct ipc_ctl_listener m = {span_str(name)};
	socklen_t n = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	ipc_send_ctl_listener(h->master, &m, fd);
	close(fd);
	return ntohs(at.sin_port);
}

static uint64_t
ticks_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void
hosted_until(struct hosted *h, bool (*true_now)(void *), void *context)
{
	uint64_t end = ticks_ms() + PATIENCE_MS;

	while (!true_now(context)) {
		struct timeval soon = {0, 20000};

		ipc_flush_all();
		event_base_loopexit(h->base, &soon);
		event_base_loop(h->base, EVLOOP_ONCE);
		assert_true(ticks_ms() < end);
	}
	ipc_flush_all();
}

static bool
is_gone(void *context)
{
	struct hosted *h = context;
	int status;

	if (waitpid(h->pid, &status, WNOHANG) != h->pid)
		return false;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

void
hosted_stop(struct hosted *h)
{
	struct ipc_ctl_drain m = {0};

	ipc_send_ctl_drain(h->master, &m);
	hosted_until(h, is_gone, h);
	ipc_peer_free(&h->master);
}

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *walk)
{
	(void)st;
	(void)what;
	(void)walk;
	return remove(path);
}

void
hosted_end(struct hosted *h)
{
	assert_int_equal(nftw(h->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	event_base_free(h->base);
}

/* --- a client ------------------------------------------------------------- */

void
talker_init(struct talker *t, struct hosted *h, int fd)
{
	*t = (struct talker){.h = h, .fd = fd};
	t->got = buf_make(16u << 20);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

void
talker_connect(struct talker *t, struct hosted *h, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	talker_init(t, h, fd);
}

void
talker_say(struct talker *t, const char *text)
{
	assert_int_equal(send(t->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
listen_on(struct talker *t)
{
	char bytes[65536];
	ssize_t n;

	while ((n = recv(t->fd, bytes, sizeof(bytes), 0)) > 0)
		buf_put(&t->got, span_make(bytes, (size_t)n));
	t->ended = n == 0 || (n < 0 && errno != EAGAIN);
}

static bool
has_come(void *context)
{
	struct talker *t = context;
	struct span want = span_str(t->until), got;

	listen_on(t);
	got = buf_span(&t->got);
	return got.n >= want.n && span_equal(span_after(got, got.n - want.n), want);
}

void
talker_expect(struct talker *t, const char *text)
{
	t->until = text;
	hosted_until(t->h, has_come, t);
	buf_reset(&t->got);
}

void
talker_collect(struct talker *t, const char *text, struct buf *out)
{
	t->until = text;
	hosted_until(t->h, has_come, t);
	buf_put(out, buf_span(&t->got));
	buf_reset(&t->got);
}

static bool
has_ended(void *context)
{
	struct talker *t = context;

	listen_on(t);
	return t->ended;
}

void
talker_expect_end(struct talker *t, const char *text)
{
	hosted_until(t->h, has_ended, t);
	t->until = text;
	if (!has_come(t))
		print_message("last words: %.*s\n", SPAN_ARG(buf_span(&t->got)));
	assert_true(has_come(t));
	buf_reset(&t->got);
}

void
talker_release(struct talker *t)
{
	if (t->fd >= 0)
		close(t->fd);
	buf_release(&t->got);
	t->fd = -1;
}
