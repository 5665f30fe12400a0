/* files of an export: whole, equal ones left alone, read back */
#include "common/transfer/export_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
export_folder(struct exporting *ex, const char *path)
{
	char part[EXPORT_PATH_MAX];

	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		if (!span_copy(span_make(path, i), part, sizeof(part)))
			return err_set(ex->err, "%.100s: too long a path", path);
		if (mkdirat(ex->dir, part, 0700) < 0) {
			if (errno != EEXIST)
				return err_sys(ex->err, "%.160s", part);
		} else if (ex->give && fchownat(ex->dir, part, ex->uid, ex->gid,
						AT_SYMLINK_NOFOLLOW) < 0) {
			return err_sys(ex->err, "%.160s", part);
		}
	}
	return 0;
}

/* Does the file hold these bytes? */
static bool
file_equals(const struct exporting *ex, const char *path, struct span bytes)
{
	int fd = openat(ex->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char piece[65536];
	struct stat info;
	bool equal = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
		     (uint64_t)info.st_size == bytes.n;

	while (equal && bytes.n > 0) {
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got < 0 && errno == EINTR)
			continue;
		equal = got > 0 && (size_t)got <= bytes.n &&
			memcmp(piece, bytes.at, (size_t)got) == 0;
		if (equal)
			bytes = span_after(bytes, (size_t)got);
	}
	if (fd >= 0)
		close(fd);
	return equal;
}

static int
time_set(const struct exporting *ex, const char *path, int64_t time_us)
{
	int64_t us = time_us % 1000000, s = time_us / 1000000;
	struct timespec times[2];

	if (time_us == 0)
		return 0;
	if (us < 0) {
		us += 1000000;
		s--;
	}
	times[0] = times[1] = (struct timespec){(time_t)s, (long)us * 1000};
	return utimensat(ex->dir, path, times, AT_SYMLINK_NOFOLLOW);
}

static int
file_write(const struct exporting *ex, const char *path, struct span bytes)
{
	int fd, result = 0, code;

	(void)unlinkat(ex->dir, path, 0);
	fd = openat(ex->dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (ex->give)
		result = fchown(fd, ex->uid, ex->gid);
	while (result == 0 && bytes.n > 0) {
		ssize_t got = write(fd, bytes.at, bytes.n);

		if (got > 0)
			bytes = span_after(bytes, (size_t)got);
		else if (got == 0 || errno != EINTR)
			result = -1;
	}
	code = errno;
	if (close(fd) < 0 && result == 0)
		return -1;
	errno = code;
	return result;
}

int
export_file(struct exporting *ex, const char *path, const char *aside,
	    struct span bytes, int64_t time_us, bool *wrote)
{
	*wrote = !file_equals(ex, path, bytes);
	if (*wrote) {
		if (file_write(ex, aside, bytes) < 0 ||
		    time_set(ex, aside, time_us) < 0)
			return err_sys(ex->err, "%.160s", aside);
		if (!file_equals(ex, aside, bytes))
			return err_set(ex->err,
				       "%.160s: is not what was written when read back",
				       aside);
		if (renameat(ex->dir, aside, ex->dir, path) < 0)
			return err_sys(ex->err, "%.160s", path);
	} else if (time_set(ex, path, time_us) < 0) {
		return err_sys(ex->err, "%.160s", path);
	}
	return 0;
}
