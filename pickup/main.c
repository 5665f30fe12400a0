/* pickup/main.c - mail that sendmail left in spool/drop while the server was down
 *
 * What    sends each *.msg file to the local submission socket; removes it after
 *         250; renames it to *.refused or *.bad when it will never be taken. One
 *         file at a time, by a thread.
 * Trust   anybody may put files there: see drop.h. A bad one stops no other.
 */
#include "common/proc/proc.h"
#include "pickup/drop/drop.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RETRY_S         15 /* after a temporary failure, and to be sure */
#define HEAD_ROOM       (2u << 20)
#define TEMPORARY_OLD_S 86400 /* a *.tmp nobody finished is removed */
#define NAMES_MAX       1000  /* files noted in one look at the directory */

struct pickup {
	struct proc *proc;
	int dir_fd, watch_fd;
	char socket[256];
	struct event *watch, *retry;
	char **names;
	size_t n_names, next;
	bool again; /* something came while names were worked off */
	bool sending;
	struct proc_job job;
	struct send_request request;
	enum send_result result;
	struct buf reason;
	uint64_t n_sent, n_refused;
};

static void send_next(struct pickup *k);

/* --- the directory -------------------------------------------------------- */

static bool
ends_in(const char *name, const char *suffix)
{
	return name[0] != '.' && span_ends_nocase(span_str(name), span_str(suffix));
}

static void
temporary_check(struct pickup *k, const char *name)
{
	struct stat about;

	if (fstatat(k->dir_fd, name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
	    about.st_mtime + TEMPORARY_OLD_S < time(NULL))
		unlinkat(k->dir_fd, name, 0);
}

static void
names_forget(struct pickup *k)
{
	for (size_t i = 0; i < k->n_names; i++)
		free(k->names[i]);
	k->n_names = k->next = 0;
}

static void
names_read(struct pickup *k)
{
	int fd = openat(k->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	names_forget(k);
	k->again = false;
	for (struct dirent *e; dir && (e = readdir(dir)) && k->n_names < NAMES_MAX;) {
		if (ends_in(e->d_name, ".tmp"))
			temporary_check(k, e->d_name);
		if (ends_in(e->d_name, ".msg"))
			k->names[k->n_names++] = span_dup(span_str(e->d_name));
	}
	k->again = k->n_names == NAMES_MAX;
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static void
look(struct pickup *k)
{
	if (k->sending) {
		k->again = true;
		return;
	}
	names_read(k);
	send_next(k);
}

static void
on_watch(int fd, short what, void *context)
{
	struct pickup *k = context;
	char events[4096] __attribute__((aligned(8)));

	(void)what;
	while (read(fd, events, sizeof(events)) > 0)
		;
	look(k);
}

static void
on_retry(int fd, short what, void *context)
{
	(void)fd;
	(void)what;
	look(context);
}

/* --- one file ------------------------------------------------------------- */

static void
rename_to(struct pickup *k, const char *suffix)
{
	char to[512];

	snprintf(to, sizeof(to), "%s.%s", k->request.name, suffix);
	if (renameat(k->dir_fd, k->request.name, k->dir_fd, to) != 0)
		unlinkat(k->dir_fd, k->request.name, 0);
}

static void
file_settle(struct pickup *k)
{
	static const char *const names[] = {[SEND_DONE] = "pickup.sent",
					    [SEND_LATER] = "pickup.later",
					    [SEND_REFUSED] = "pickup.refused",
					    [SEND_BAD] = "pickup.bad"};

	logline(k->result == SEND_DONE ? LOGLINE_INFO : LOGLINE_WARNING,
		names[k->result], L_STR("file", k->request.name),
		L_SPAN("reason", buf_span(&k->reason)));
	if (k->result == SEND_DONE && unlinkat(k->dir_fd, k->request.name, 0) == 0)
		k->n_sent++;
	if (k->result == SEND_REFUSED || k->result == SEND_BAD) {
		k->n_refused++;
		rename_to(k, k->result == SEND_BAD ? "bad" : "refused");
	}
}

static void
send_work(struct proc_job *job)
{
	struct pickup *k =
	    (struct pickup *)((char *)job - offsetof(struct pickup, job));

	k->result = send_file(&k->request, &k->reason);
}

static void
send_done(struct proc_job *job)
{
	struct pickup *k =
	    (struct pickup *)((char *)job - offsetof(struct pickup, job));

	k->sending = false;
	file_settle(k);
	if (proc_draining(k->proc))
		proc_drained(k->proc);
	else if (k->result != SEND_LATER)
		send_next(k);
}

static void
send_next(struct pickup *k)
{
	if (k->next == k->n_names && k->again)
		names_read(k);
	if (k->next == k->n_names || k->sending)
		return;
	buf_reset(&k->reason);
	k->request = (struct send_request){
	    .dir_fd = k->dir_fd,
	    .name = k->names[k->next++],
	    .socket = k->socket,
	    .bytes_max = proc_settings(k->proc)->message_bytes_max + HEAD_ROOM};
	k->sending = proc_work(k->proc, &k->job);
}

/* --- the program ---------------------------------------------------------- */

static int
directory_open(struct pickup *k, struct err *err)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/drop",
		 proc_settings(k->proc)->spool_directory);
	if (mkdir(path, 03733) != 0 && errno != EEXIST)
		return err_sys(err, "%s", path);
	k->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	k->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (k->dir_fd < 0 || k->watch_fd < 0 ||
	    inotify_add_watch(k->watch_fd, path, IN_MOVED_TO) < 0)
		return err_sys(err, "%s", path);
	return 0;
}

static int
start(struct proc *p, struct err *err)
{
	struct pickup *k = memory_new(1, sizeof(*k));
	struct timeval every = {.tv_sec = RETRY_S}, soon = {.tv_sec = 1};

	k->proc = p;
	k->reason = buf_make(1024);
	k->job = (struct proc_job){.work = send_work, .done = send_done};
	k->names = memory_new(NAMES_MAX, sizeof(*k->names));
	snprintf(k->socket, sizeof(k->socket), "%s/submit",
		 proc_settings(p)->run_directory);
	proc_set_context(p, k);
	proc_set_threads(p, 1);
	if (directory_open(k, err) != 0)
		return -1;
	k->watch =
	    event_new(proc_base(p), k->watch_fd, EV_READ | EV_PERSIST, on_watch, k);
	k->retry = event_new(proc_base(p), -1, EV_PERSIST, on_retry, k);
	ASSERT(k->watch && k->retry && event_add(k->watch, NULL) == 0 &&
	       event_add(k->retry, &every) == 0);
	return event_base_once(proc_base(p), -1, EV_TIMEOUT, on_retry, k, &soon) == 0
		   ? 0
		   : err_set(err, "no timer");
}

static void
drain(struct proc *p, bool now)
{
	const struct pickup *k = proc_context(p);

	if (now || !k->sending)
		proc_drained(p);
}

static void
status(struct proc *p, struct buf *out)
{
	const struct pickup *k = proc_context(p);

	buf_putf(out, "pickup_sent %llu\n", (unsigned long long)k->n_sent);
	buf_putf(out, "pickup_refused %llu\n", (unsigned long long)k->n_refused);
}

static const struct proc_program program = {
    .kind = IPC_KIND_PICKUP,
    .start = start,
    .drain = drain,
    .status = status,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
