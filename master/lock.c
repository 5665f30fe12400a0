#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIFE_WAIT_MS 60000
#define LIFE_STEP_MS 50

/* Two files in run_directory. `master.pid` is locked by master alone: a second master
 * fails at once. `life` is a FIFO whose writing end every program inherits: after a
 * master that was killed, the next one waits until the last of its programs has ended,
 * so that nothing on disk ever has two writers. A lock that all share would not do:
 * any one of them, a stolen smtpd too, could give it up for all. */

static int
open_file(const struct master *m, const char *name, int *out, struct err *err)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", m->settings.run_directory, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_sys(err, "cannot open %s", path);
	*out = fd;
	return 0;
}

static int
pid_write(int fd, struct err *err)
{
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", getpid()) < 0)
		return err_sys(err, "cannot write the process id");
	return 0;
}

/* Whether nobody has the writing end; -1 when that cannot be known. Who writes lives.
 */
static int
life_over(int reader)
{
	char junk[4096];
	ssize_t n = read(reader, junk, sizeof(junk));

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	return n == 0;
}

static int
wait_for_life(int reader, struct err *err)
{
	const struct timespec step = {0, LIFE_STEP_MS * 1000000};

	for (int waited = 0; waited < LIFE_WAIT_MS; waited += LIFE_STEP_MS) {
		int over = life_over(reader);

		if (over > 0)
			return 0;
		if (over < 0)
			return err_sys(err, "cannot read the FIFO life");
		nanosleep(&step, NULL);
	}
	return err_set(err, "programs of an earlier start still run");
}

static int
life_make(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISFIFO(st.st_mode))
		(void)unlink(path);
	if (mkfifo(path, 0600) != 0 && errno != EEXIST)
		return err_sys(err, "cannot make the FIFO %s", path);
	return 0;
}

static int
life_take(struct master *m, struct err *err)
{
	char path[256];
	int reader, result;

	snprintf(path, sizeof(path), "%s/life", m->settings.run_directory);
	if (life_make(path, err) != 0)
		return -1;
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (reader < 0)
		return err_sys(err, "cannot open %s", path);
	result = wait_for_life(reader, err);
	if (result == 0) {
		m->life_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
		result = m->life_fd < 0 ? err_sys(err, "cannot open %s", path) : 0;
	}
	close(reader);
	return result;
}

int
lock_take(struct master *m, struct err *err)
{
	if (open_file(m, "master.pid", &m->lock_fd, err) != 0)
		return -1;
	if (flock(m->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, "another postroad-master runs with %s",
				       m->settings.run_directory);
		return err_sys(err, "cannot lock %s/master.pid",
			       m->settings.run_directory);
	}
	if (pid_write(m->lock_fd, err) != 0)
		return -1;
	return life_take(m, err);
}

void
lock_release(struct master *m)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/master.pid", m->settings.run_directory);
	(void)unlink(path);
	close(m->life_fd);
	close(m->lock_fd);
}
