#include "spoold/start.h"

#include "spoold/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDS_FILE     "ids"     /* the second in which the last run began */
#define NUMBERS_FILE "numbers" /* no segment had this number, or one above */

/* --- files that hold one number --------------------------------------------------- */

/* 0 when there is no such file. */
static int
value_read(int spool_fd, const char *name, uint64_t *value, struct err *err)
{
	char text[32];
	ssize_t n;
	int fd = openat(spool_fd, name, O_RDONLY | O_CLOEXEC);

	*value = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "spool/%s", name);
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0)
		return err_sys(err, "spool/%s", name);
	if (!number_parse(span_trim(span_make(text, (size_t)n), "\n"), UINT32_MAX,
			  value))
		return err_set(err, "spool/%s does not hold a number", name);
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
value_write(int spool_fd, const char *name, uint64_t value, struct err *err)
{
	char bytes[32], fresh[32];
	int n = snprintf(bytes, sizeof(bytes), "%010llu\n", (unsigned long long)value);
	struct span text = span_make(bytes, (size_t)n);

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	if (text_write(spool_fd, fresh, O_CREAT | O_TRUNC, text, err) == 0) {
		if (renameat(spool_fd, fresh, spool_fd, name) == 0 &&
		    fsync(spool_fd) == 0)
			return 0;
		return err_sys(err, "spool/%s", name);
	}
	if (err->code != ENOSPC && err->code != EDQUOT)
		return -1;
	(void)unlinkat(spool_fd, fresh, 0);
	return text_write(spool_fd, name, 0, text, err);
}

/* --- segments --------------------------------------------------------------------- */

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

int
spool_numbers_reserve(int spool_fd, uint32_t end, struct err *err)
{
	return value_write(spool_fd, NUMBERS_FILE, end, err);
}

static int
numbers_start(int spool_fd, struct spool_start *out, struct err *err)
{
	const struct log_numbers *there = &out->numbers;
	uint64_t next;

	if (value_read(spool_fd, NUMBERS_FILE, &next, err) != 0)
		return -1;
	if (next == 0)
		next = 1;
	if (there->n > 0 && there->at[there->n - 1] >= next)
		next = there->at[there->n - 1] + 1;
	if (next > UINT32_MAX - 2 * STORE_NUMBERS_AHEAD)
		return err_set(err, "spool/seg: segment numbers are used up");
	out->next_number = (uint32_t)next;
	out->numbers_end = out->next_number + STORE_NUMBERS_AHEAD;
	return spool_numbers_reserve(spool_fd, out->numbers_end, err);
}

/* --- the whole -------------------------------------------------------------------- */

static int
start_in(int spool_fd, uint64_t now_s, struct spool_start *out, struct err *err)
{
	uint64_t last_start, start;

	if (value_read(spool_fd, IDS_FILE, &last_start, err) != 0 ||
	    segments_open(spool_fd, out, err) != 0 ||
	    numbers_start(spool_fd, out, err) != 0)
		return -1;
	out->first_id = ids_first(last_start, now_s, &start);
	return value_write(spool_fd, IDS_FILE, start, err);
}

int
spool_start(const char *directory, uint64_t now_s, struct spool_start *out,
	    struct err *err)
{
	out->spool_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->spool_fd < 0)
		return err_sys(err, "%s", directory);
	return start_in(out->spool_fd, now_s, out, err);
}
