#include "common/log/io.h"
#include "common/log/write_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int
real_open(void *disk, int dir, const char *name, enum log_access access)
{
	static const int flags[] = {
	    [LOG_READ] = O_RDONLY,
	    [LOG_WRITE] = O_RDWR,
	    [LOG_CREATE] = O_RDWR | O_CREAT | O_EXCL,
	};

	(void)disk;
	return openat(dir, name, flags[access] | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void
real_close(void *disk, int fd)
{
	(void)disk;
	close(fd);
}

static ssize_t
real_pread(void *disk, int fd, void *at, size_t n, uint64_t offset)
{
	(void)disk;
	return pread(fd, at, n, (off_t)offset);
}

static ssize_t
real_pwritev(void *disk, int fd, const struct iovec *v, int n, uint64_t offset)
{
	(void)disk;
	return pwritev(fd, v, n, (off_t)offset);
}

static int
real_fdatasync(void *disk, int fd)
{
	(void)disk;
	return fdatasync(fd);
}

static int
real_fsync(void *disk, int fd)
{
	(void)disk;
	return fsync(fd);
}

static int
real_ftruncate(void *disk, int fd, uint64_t size)
{
	(void)disk;
	return ftruncate(fd, (off_t)size);
}

static int
real_size(void *disk, int fd, uint64_t *size)
{
	struct stat st;

	(void)disk;
	if (fstat(fd, &st) < 0)
		return -1;
	*size = (uint64_t)st.st_size;
	return 0;
}

static int
real_rename(void *disk, int dir, const char *from, const char *to)
{
	(void)disk;
	return renameat2(dir, from, dir, to, RENAME_NOREPLACE);
}

static int
real_unlink(void *disk, int dir, const char *name)
{
	(void)disk;
	return unlinkat(dir, name, 0);
}

static int
real_list(void *disk, int dir, log_io_name *each, void *context)
{
	/* Opened anew: the position of `dir` itself may be shared. */
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int code;

	(void)disk;
	if (!folder) {
		code = errno;
		if (fd >= 0)
			close(fd);
		errno = code;
		return -1;
	}
	errno = 0;
	while ((entry = readdir(folder)))
		each(context, entry->d_name);
	code = errno;
	closedir(folder);
	errno = code;
	return code ? -1 : 0;
}

static int
real_random(void *disk, void *at, size_t n)
{
	(void)disk;
	return getentropy(at, n);
}

const struct log_io log_io_real = {
    .open = real_open,
    .close = real_close,
    .pread = real_pread,
    .pwritev = real_pwritev,
    .fdatasync = real_fdatasync,
    .fsync = real_fsync,
    .ftruncate = real_ftruncate,
    .size = real_size,
    .rename = real_rename,
    .unlink = real_unlink,
    .list = real_list,
    .random = real_random,
};

/* Drops the first `written` bytes of what v still has to write. */
static int
iovec_drop(struct iovec **v, int n, size_t written)
{
	while (n > 0 && written >= (*v)->iov_len) {
		written -= (*v)->iov_len;
		(*v)++;
		n--;
	}
	if (n > 0) {
		(*v)->iov_base = (char *)(*v)->iov_base + written;
		(*v)->iov_len -= written;
	}
	return n;
}

int
log_write_all(const struct log_io *io, int fd, struct iovec *v, int n, uint64_t offset,
	      struct err *err)
{
	while ((n = iovec_drop(&v, n, 0)) > 0) {
		ssize_t written = io->pwritev(io->disk, fd, v, n, offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = EIO;
		if (written <= 0)
			return err_sys(err, "log: cannot write at %llu",
				       (unsigned long long)offset);
		n = iovec_drop(&v, n, (size_t)written);
		offset += (uint64_t)written;
	}
	return 0;
}

int
log_write_span(const struct log_io *io, int fd, struct span bytes, uint64_t offset,
	       struct err *err)
{
	struct iovec v = {(char *)(uintptr_t)bytes.at, bytes.n};

	return log_write_all(io, fd, &v, 1, offset, err);
}
