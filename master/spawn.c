#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ARGUMENTS_MAX 8
#define FD_SAFE       10 /* above all that a program starts with */

/* A program gets these variables of master's environment and no other. */
static const char *const variables[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS",
					"POSTROAD_HOSTILE"};

int
libexec_find(struct master *m, struct err *err)
{
	const char *given = getenv("POSTROAD_LIBEXEC");
	ssize_t n;
	char *slash;

	if (given && *given) {
		if (!span_copy(span_str(given), m->libexec, sizeof(m->libexec)))
			return err_set(err, "POSTROAD_LIBEXEC is too long");
		return 0;
	}
	n = readlink("/proc/self/exe", m->libexec, sizeof(m->libexec) - 1);
	if (n < 0)
		return err_sys(err, "cannot find out where the programs are");
	m->libexec[n] = '\0';
	slash = strrchr(m->libexec, '/');
	if (slash)
		*slash = '\0';
	return 0;
}

/* From here to exec only calls that are safe after fork(). First out of the way,
 * then into place, so that no descriptor overwrites another. */
static void
place_fds(const int fds[5])
{
	int safe[5];

	for (int i = 0; i < 5; i++) {
		int fd = fds[i];

		if (fd < 0 && i < 3)
			fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		safe[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_SAFE);
	}
	for (int i = 0; i < 5; i++)
		if (safe[i] >= 0)
			(void)dup2(safe[i], i);
}

NORETURN static void
child(const char *path, char *const arguments[], char *const environment[],
      const int fds[5])
{
	place_fds(fds);
	execve(path, arguments, environment);
	_exit(127);
}

static void
environment_fill(char *texts[], size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < N_ELEMS(variables) && used + 1 < n; i++) {
		const char *value = getenv(variables[i]);

		if (value && asprintf(&texts[used], "%s=%s", variables[i], value) > 0)
			used++;
	}
	texts[used] = NULL;
}

pid_t
spawn(struct master *m, const struct spawn *s, struct err *err)
{
	char *environment[N_ELEMS(variables) + 1];
	char *arguments[ARGUMENTS_MAX + 1];
	char path[PATH_MAX + 64], name[64];
	size_t n = 0;
	pid_t pid;

	snprintf(name, sizeof(name), "postroad-%s", s->program);
	snprintf(path, sizeof(path), "%s/%s", m->libexec, name);
	arguments[n++] = name;
	for (size_t i = 0; s->arguments[i]; i++) {
		ASSERT(n < ARGUMENTS_MAX);
		arguments[n++] = (char *)(uintptr_t)s->arguments[i];
	}
	arguments[n] = NULL;
	environment_fill(environment, N_ELEMS(environment));
	pid = access(path, X_OK) == 0 ? fork() : -1;
	if (pid == 0)
		child(path, arguments, environment, s->fds);
	if (pid < 0)
		err_sys(err, "cannot start %s", path);
	for (size_t i = 0; environment[i]; i++)
		free(environment[i]);
	return pid;
}
