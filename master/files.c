#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)
#define PAIR_WAIT_MS   20000

int
file_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS,
		     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/* -1 with errno. */
static int
copy_bytes(int from, int to)
{
	char piece[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) > 0) {
		total += (size_t)n;
		if (total > FILE_BYTES_MAX)
			errno = EFBIG;
		if (total > FILE_BYTES_MAX || write(to, piece, (size_t)n) != n) {
			n = -1;
			break;
		}
	}
	explicit_bzero(piece, sizeof(piece));
	return (int)n;
}

/* What is written over in its place must not change what programs get that start
 * later. */
static int
copy_one(const char *setting, const char *path, int *out, struct err *err)
{
	int file = open(path, O_RDONLY | O_CLOEXEC), copy = -1, result = -1;

	if (file >= 0)
		copy = memfd_create(setting, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy >= 0 && copy_bytes(file, copy) == 0 && file_seal(copy) == 0) {
		*out = copy;
		result = 0;
	} else {
		err_sys(err, "%s: cannot read %s", setting, path);
	}
	if (file >= 0)
		close(file);
	if (result != 0 && copy >= 0)
		close(copy);
	return result;
}

/* --- do they belong together? --------------------------------------------- */

/* What it says until its end; false when that does not come. */
static bool
read_answer(int fd, struct buf *out)
{
	uint64_t until = proc_ticks_ms() + PAIR_WAIT_MS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char piece[512];
	uint64_t now;

	while ((now = proc_ticks_ms()) < until) {
		ssize_t n;

		if (poll(&p, 1, (int)(until - now)) <= 0)
			continue;
		n = read(fd, piece, sizeof(piece));
		if (n == 0)
			return true;
		if (n > 0)
			buf_put(out, span_make(piece, (size_t)n));
	}
	return false;
}

static int
judge(pid_t pid, int fd, struct err *err)
{
	struct buf text = buf_make(4096);
	int status = -1, result = 0;

	if (!read_answer(fd, &text))
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		struct span why = span_trim(buf_span(&text), "\n");

		if (why.n == 0)
			why = SPAN("they cannot be looked at");
		result = err_set(err, "tls_certificate, tls_key: %.*s", SPAN_ARG(why));
	}
	buf_release(&text);
	return result;
}

/* Master reads neither: that is for a program that has nothing else. */
static int
check_pair(struct master *m, const struct files *f, const struct settings *settings,
	   struct err *err)
{
	const char *arguments[] = {settings->user_net, settings->run_directory, NULL};
	struct spawn s = {
	    "pair", arguments, {f->certificate, f->key, -1, -1, -1}
        };
	int ends[2], result = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_sys(err, "tls_certificate: no pipe");
	s.fds[2] = ends[1];
	pid = spawn(m, &s, err);
	close(ends[1]);
	if (pid > 0)
		result = judge(pid, ends[0], err);
	close(ends[0]);
	return result;
}

int
files_open(struct master *m, struct files *out, const struct settings *settings,
	   struct err *err)
{
	struct files files = {-1, -1};

	*out = files;
	if (!*settings->tls_certificate)
		return 0;
	if (copy_one("tls_certificate", settings->tls_certificate, &files.certificate,
		     err) != 0 ||
	    copy_one("tls_key", settings->tls_key, &files.key, err) != 0 ||
	    check_pair(m, &files, settings, err) != 0) {
		files_close(&files);
		return -1;
	}
	*out = files;
	return 0;
}

void
files_close(struct files *f)
{
	if (f->certificate >= 0)
		close(f->certificate);
	if (f->key >= 0)
		close(f->key);
	*f = (struct files){-1, -1};
}

/* The directory may be renamed by whom the spool belongs to, so nothing that it could
 * have been replaced by is followed or believed. */
static int
policies_open(const char *folder, struct err *err)
{
	int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = -1;
	struct stat st;

	if (folder_fd < 0)
		return err_sys(err, "cannot open the directory %s", folder);
	fd = openat(folder_fd, "policies", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	close(folder_fd);
	if (fd < 0)
		return err_sys(err, "cannot open %s/policies", folder);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == geteuid())
		return fd;
	close(fd);
	return err_set(err, "%s/policies is no file of ours alone", folder);
}

int
files_open_policies(int *out, const struct settings *settings, struct err *err)
{
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%s/resolved",
		     settings->spool_directory) >= (int)sizeof(folder))
		return err_set(err, "spool_directory is too long");
	*out = policies_open(folder, err);
	return *out < 0 ? -1 : 0;
}
