#include "spoold/start.h"

#include "spoold/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDS_FILE "ids"
#define IDS_NEW  "ids.new"

/* The second in which the last run began; 0 when there was none. */
static int
ids_read(int spool_fd, uint64_t *last_start, struct err *err)
{
	char text[32];
	ssize_t n;
	int fd = openat(spool_fd, IDS_FILE, O_RDONLY | O_CLOEXEC);

	*last_start = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "spool/ids");
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0)
		return err_sys(err, "spool/ids");
	if (!number_parse(span_trim(span_make(text, (size_t)n), "\n"), UINT32_MAX,
			  last_start))
		return err_set(err, "spool/ids does not hold a number");
	return 0;
}

/* To the front of the file of that name, and on disk. */
static int
text_write(int spool_fd, const char *name, int flags, struct span text, struct err *err)
{
	int fd =
	    openat(spool_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	int result = 0;

	if (fd < 0)
		return err_sys(err, "spool/%s", name);
	if (write(fd, text.at, text.n) != (ssize_t)text.n || fsync(fd) != 0)
		result = err_sys(err, "spool/%s", name);
	close(fd);
	return result;
}

/* The number has always as many digits: on a disk without space or inodes for a new
 * file it goes to the place of the old one. */
static int
ids_write(int spool_fd, uint64_t start, struct err *err)
{
	char bytes[32];
	int n = snprintf(bytes, sizeof(bytes), "%010llu\n", (unsigned long long)start);
	struct span text = span_make(bytes, (size_t)n);

	if (text_write(spool_fd, IDS_NEW, O_CREAT | O_TRUNC, text, err) == 0) {
		if (renameat(spool_fd, IDS_NEW, spool_fd, IDS_FILE) == 0 &&
		    fsync(spool_fd) == 0)
			return 0;
		return err_sys(err, "spool/ids");
	}
	if (err->code != ENOSPC && err->code != EDQUOT)
		return -1;
	(void)unlinkat(spool_fd, IDS_NEW, 0);
	return text_write(spool_fd, IDS_FILE, 0, text, err);
}

static int
segments_open(int spool_fd, struct spool_start *out, struct err *err)
{
	struct log_dir dir = {&log_io_real, -1, "", SPOOL_SEGMENT_KIND};

	if (mkdirat(spool_fd, "seg", 0700) != 0 && errno != EEXIST)
		return err_sys(err, "spool/seg");
	out->dir_fd = openat(spool_fd, "seg", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->dir_fd < 0)
		return err_sys(err, "spool/seg");
	dir.fd = out->dir_fd;
	return log_dir_list(&dir, &out->numbers, err);
}

static int
start_in(int spool_fd, uint64_t now_s, struct spool_start *out, struct err *err)
{
	uint64_t last_start, start;

	if (ids_read(spool_fd, &last_start, err) != 0 ||
	    segments_open(spool_fd, out, err) != 0)
		return -1;
	out->first_id = ids_first(last_start, now_s, &start);
	return ids_write(spool_fd, start, err);
}

int
spool_start(const char *directory, uint64_t now_s, struct spool_start *out,
	    struct err *err)
{
	int result;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "%s", directory);
	result = start_in(fd, now_s, out, err);
	close(fd);
	return result;
}
