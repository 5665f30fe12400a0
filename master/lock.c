#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LIFE_WAIT_MS 60000
#define LIFE_STEP_MS 50

/* Two locks in run_directory. `master.pid` is held by master alone: a second
 * master fails at once. `life` is inherited by every program: after a master
 * that was killed, the next one waits until the last of its programs has ended,
 * so that nothing on disk ever has two writers. */

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

static int
wait_for_life(const struct master *m, struct err *err)
{
	const struct timespec step = {0, LIFE_STEP_MS * 1000000};

	for (int waited = 0; waited < LIFE_WAIT_MS; waited += LIFE_STEP_MS) {
		if (flock(m->life_fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "cannot lock %s/life",
				       m->settings.run_directory);
		nanosleep(&step, NULL);
	}
	return err_set(err, "programs of an earlier start still run");
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
	if (pid_write(m->lock_fd, err) != 0 ||
	    open_file(m, "life", &m->life_fd, err) != 0)
		return -1;
	return wait_for_life(m, err);
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
