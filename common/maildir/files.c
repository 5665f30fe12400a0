/* reading files of a tree that somebody else may be changing, perhaps with a purpose */
#include "common/maildir/source_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
open_beneath(int dir, const char *path, int flags)
{
	const struct open_how how = {
	    .flags = (unsigned)(flags | O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		fd = openat(dir, path, (int)how.flags | O_NOFOLLOW);
	return fd;
}

int
source_open_file(const struct mail_source *s, const char *path, int flags)
{
	return open_beneath(s->dir, path, flags);
}

/* Up to `size` bytes and what came meanwhile. */
static int
read_all(int fd, uint64_t size, struct buf *out)
{
	for (;;) {
		size_t n = size > 0 && size < (1u << 30) ? (size_t)size + 1 : 65536;
		size_t start = out->n;
		char *at = buf_extend(out, n);
		ssize_t got;

		if (!at) {
			errno = EFBIG;
			return -1;
		}
		got = read(fd, at, n);
		out->n = start + (got > 0 ? (size_t)got : 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		size = size > (uint64_t)got ? size - (uint64_t)got : 1;
	}
}

static int
read_file(int dir, const char *path, struct buf *out)
{
	int fd = open_beneath(dir, path, 0), result = -1, code;
	struct stat info;

	if (fd < 0)
		return -1;
	if (fstat(fd, &info) == 0) {
		errno = ENOENT;
		if (S_ISREG(info.st_mode))
			result = read_all(fd, (uint64_t)info.st_size, out);
	}
	code = errno;
	close(fd);
	errno = code;
	return result;
}

int
source_read_file(const struct mail_source *s, const char *path, struct buf *out)
{
	return read_file(s->dir, path, out);
}

int
source_read_control(const struct mail_source *s, const char *folder, const char *name,
		    struct buf *out)
{
	/* That of INBOX has a name there, by the layout. */
	static const char *const inbox[] = {".INBOX", "INBOX", "."};
	bool top = strcmp(folder, ".") == 0;
	char path[SOURCE_PATH_MAX];

	for (size_t i = 0; s->control >= 0 && i < (top ? N_ELEMS(inbox) : 1); i++)
		if (source_path(top ? inbox[i] : folder, name, path) &&
		    read_file(s->control, path, out) == 0)
			return 0;
	errno = ENAMETOOLONG;
	return source_path(folder, name, path) ? read_file(s->dir, path, out) : -1;
}

bool
source_path(const char *folder, const char *name, char out[SOURCE_PATH_MAX])
{
	int n = strcmp(folder, ".") == 0
		    ? snprintf(out, SOURCE_PATH_MAX, "%s", name)
		    : snprintf(out, SOURCE_PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < SOURCE_PATH_MAX;
}

bool
source_is_folder(const struct mail_source *s, const char *folder, const char *name)
{
	char path[SOURCE_PATH_MAX];
	int fd;

	if (!source_path(folder, name, path))
		return false;
	fd = source_open_file(s, path, O_DIRECTORY);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int
source_list(const struct mail_source *s, const char *folder,
	    bool (*each)(void *context, const struct source_entry *e), void *context,
	    struct err *err)
{
	int fd = source_open_file(s, folder, O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct source_entry entry;
	struct dirent *e;
	bool on = true;

	if (!d) {
		err_sys(err, "%s", folder);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	errno = 0;
	while (on && (e = readdir(d))) {
		entry.name = e->d_name;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    fstatat(fd, e->d_name, &entry.info, AT_SYMLINK_NOFOLLOW) == 0)
			on = each(context, &entry);
		errno = 0;
	}
	if (errno != 0) {
		err_sys(err, "%s", folder);
		closedir(d);
		return -1;
	}
	closedir(d);
	return 0;
}
