/* bytes from here to there, with their CRC; and rows of a list */
#include "admin/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES (1u << 20)

static int
write_whole(int fd, const char *at, size_t n, uint64_t offset, struct err *err)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, at, n, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return err_sys(err, "cannot write");
		at += done;
		n -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

int
backup_copy(int in, int out, uint64_t from, uint64_t to, uint32_t *crc, struct err *err)
{
	char *step = memory_new(STEP_BYTES, 1);
	int result = 0;

	while (from < to && result == 0) {
		size_t n = to - from < STEP_BYTES ? (size_t)(to - from) : STEP_BYTES;
		ssize_t got = pread(in, step, n, (off_t)from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			result = err_sys(err, "cannot read");
		else if (got == 0)
			result = err_set(err, "ends too early");
		else if (out >= 0)
			result = write_whole(out, step, (size_t)got, from, err);
		if (result < 0)
			break;
		*crc = crc32c(*crc, span_make(step, (size_t)got));
		from += (uint64_t)got;
	}
	free(step);
	return result;
}

int
backup_put(struct backup_job *job, const struct backup_row *row, struct err *err)
{
	struct buf line = buf_make(BACKUP_LINE_MAX + 1);
	size_t put;

	if (row->kind == BACKUP_ROW_END)
		backup_end_put(&job->writer, &line);
	else
		backup_row_put(&job->writer, row, &line);
	put = line.full ? 0 : fwrite(line.at, 1, line.n, job->list);
	buf_release(&line);
	return put > 0 ? 0 : err_sys(err, "cannot write the list");
}

int
backup_put_file(struct backup_job *job, int in, const char *name, uint64_t bytes,
		struct err *err)
{
	struct backup_row row = {
	    .kind = BACKUP_ROW_FILE, .name = span_str(name), .bytes = bytes};
	char path[BACKUP_PATH_MAX];
	int out, result;

	backup_name(job->generation, name, path);
	if (backup_folders(job->backup->fd, path, 0700, err) < 0)
		return -1;
	out =
	    openat(job->backup->fd, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, "cannot make %s", path);
	result = backup_copy(in, out, 0, bytes, &row.crc, err);
	if (close(out) < 0 && result == 0)
		result = err_sys(err, "cannot write %s", path);
	job->n.copied += bytes;
	job->n.bytes += bytes;
	return result < 0 ? -1 : backup_put(job, &row, err);
}

int
backup_put_bytes(struct backup_job *job, struct span bytes, const char *name,
		 struct err *err)
{
	int fd = memfd_create("postroad", MFD_CLOEXEC), result;

	if (fd < 0)
		return err_sys(err, "no memory for %s", name);
	result = write_whole(fd, bytes.at, bytes.n, 0, err);
	if (result == 0)
		result = backup_put_file(job, fd, name, bytes.n, err);
	close(fd);
	return result;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

int
backup_remove(const char *path, struct err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		return err_sys(err, "cannot remove %s", path);
	return 0;
}
