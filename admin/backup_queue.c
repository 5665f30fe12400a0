/* the queue, so that what was taken in before the backup is in it
 *
 * spool/seg/N only grows until it becomes another number; spool/state/N says what
 * became of the messages. Segments first, then the state, then what has come to the
 * segments meanwhile: so each message that the state has open is there, unless it was
 * done a moment later, and what is there and done the state knows.
 */
#include "admin/backup.h"

#include "common/log/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_KIND 0x50530001u
#define LISTS_MAX    10

struct queue_file {
	uint64_t number;
	uint64_t end; /* all before it is copied */
	uint32_t crc;
	bool gone;
};

struct queue_copy {
	struct backup_job *job;
	int dir; /* spool/seg */
	struct queue_file *at;
	size_t n;
};

static int
open_folder(const struct backup_job *job, const char *name)
{
	char path[BACKUP_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", job->admin->settings.spool_directory,
		 name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
kept_segment(const struct backup_job *job, uint64_t number, struct err *err)
{
	char name[BACKUP_NAME_MAX], path[BACKUP_PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "queue/seg/%" PRIu64, number);
	backup_name(job->generation, name, path);
	if (backup_folders(job->backup->fd, path, 0700, err) < 0)
		return -1;
	fd = openat(job->backup->fd, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(err, "cannot make %s", path) : fd;
}

/* Where the records of a segment end; what is behind it is of an earlier life, or being
 * written. 0: it holds nothing. */
static int
segment_end(int fd, uint64_t number, uint64_t from, uint64_t *end, struct err *err)
{
	struct log_file file;
	struct log_record record;
	struct log_reader r;
	enum log_read got;

	*end = 0;
	if (log_file_open(&file, &log_io_real, fd, SEGMENT_KIND, number, err) !=
	    LOG_OPEN_OK)
		return 0;
	log_reader_init(&r, &file, from > 0 ? from : LOG_HEADER_BYTES, LOG_END_UNKNOWN);
	while ((got = log_reader_next(&r, &record, err)) != LOG_READ_END &&
	       got != LOG_READ_FAULT)
		continue;
	*end = r.at;
	log_reader_release(&r);
	return got == LOG_READ_FAULT ? -1 : 0;
}

static int
segment_copy(struct queue_copy *q, struct queue_file *s, struct err *err)
{
	char name[24];
	uint64_t end;
	int in, out, result;

	snprintf(name, sizeof(name), "%" PRIu64, s->number);
	in = openat(q->dir, name, O_RDONLY | O_CLOEXEC);
	s->gone = in < 0;
	if (in < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, "cannot open segment %s", name);
	result = segment_end(in, s->number, s->end, &end, err);
	if (result == 0 && end > s->end) {
		out = kept_segment(q->job, s->number, err);
		result = out < 0 ? -1 : backup_copy(in, out, s->end, end, &s->crc, err);
		if (out >= 0)
			close(out);
		q->job->n.copied += end - s->end;
		s->end = end;
	}
	close(in);
	return result;
}

static struct queue_file *
segment_find(struct queue_copy *q, uint64_t number)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->at[i].number == number)
			return &q->at[i];
	q->at = memory_resize(q->at, q->n + 1, sizeof(*q->at));
	q->at[q->n] = (struct queue_file){.number = number};
	return &q->at[q->n++];
}

/* All segments, or what is new in them. */
static int
segments_copy(struct queue_copy *q, struct err *err)
{
	int fd = openat(q->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t number;

	if (!dir)
		return err_sys(err, "cannot list the segments of the queue");
	while (result == 0 && (entry = readdir(dir)))
		if (number_parse(span_str(entry->d_name), UINT64_MAX, &number))
			result = segment_copy(q, segment_find(q, number), err);
	closedir(dir);
	return result;
}

static int
segments_put(struct queue_copy *q, struct err *err)
{
	for (size_t i = 0; i < q->n; i++) {
		struct backup_row row = {.kind = BACKUP_ROW_FILE,
					 .bytes = q->at[i].end,
					 .crc = q->at[i].crc};
		char name[BACKUP_NAME_MAX];

		snprintf(name, sizeof(name), "queue/seg/%" PRIu64, q->at[i].number);
		row.name = span_str(name);
		q->job->n.bytes += row.bytes;
		if (row.bytes > 0 && backup_put(q->job, &row, err) < 0)
			return -1;
	}
	return 0;
}

/* The state as it is now: bytes of all its files, if none came or went meanwhile. */
struct state_file {
	uint64_t number;
	struct buf bytes;
};

struct state_files {
	struct state_file *at;
	size_t n;
};

static void
state_release(struct state_files *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_release(&s->at[i].bytes);
	free(s->at);
	*s = (struct state_files){0};
}

static int
state_read_file(int dir, const char *name, uint64_t number, struct state_files *s,
		struct err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct state_file *f;
	struct stat info;
	ssize_t got = -1;
	char *at;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot open state %s", name);
	s->at = memory_resize(s->at, s->n + 1, sizeof(*s->at));
	f = &s->at[s->n++];
	*f = (struct state_file){number, buf_make(SIZE_MAX)};
	if (fstat(fd, &info) == 0) {
		at = buf_extend(&f->bytes, (size_t)info.st_size);
		got = pread(fd, at, (size_t)info.st_size, 0);
	}
	close(fd);
	if (got < 0)
		return err_sys(err, "cannot read state %s", name);
	f->bytes.n = (size_t)got;
	/* A file is written with zeros beforehand. */
	while (f->bytes.n > 0 && f->bytes.at[f->bytes.n - 1] == '\0')
		f->bytes.n--;
	f->bytes.n = f->bytes.n > 0 ? (f->bytes.n + 7) & ~(size_t)7 : 0;
	return 0;
}

static int
state_read(int folder, struct state_files *s, struct err *err)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t number;

	if (!dir)
		return err_sys(err, "cannot list the state of the queue");
	while (result == 0 && (entry = readdir(dir)))
		if (number_parse(span_str(entry->d_name), UINT64_MAX, &number))
			result = state_read_file(folder, entry->d_name, number, s, err);
	closedir(dir);
	return result;
}

static bool
state_same(const struct state_files *a, const struct state_files *b)
{
	size_t same = 0;

	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			same += a->at[i].number == b->at[k].number;
	return a->n == b->n && same == a->n;
}

static int
state_put(struct backup_job *job, const struct state_files *s, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		char name[BACKUP_NAME_MAX];

		snprintf(name, sizeof(name), "queue/state/%" PRIu64, s->at[i].number);
		if (backup_put_bytes(job, buf_span(&s->at[i].bytes), name, err) < 0)
			return -1;
	}
	return 0;
}

/* Read twice, until no file came or went between: then there is a whole snapshot in the
 * first. */
static int
state_copy(struct backup_job *job, struct err *err)
{
	int folder = open_folder(job, "state"), result = -1;
	struct state_files first = {0}, second = {0};
	bool same = false;

	if (folder < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, "cannot open the queue's state");
	for (int i = 0; i < LISTS_MAX && !same; i++) {
		state_release(&first);
		state_release(&second);
		if (state_read(folder, &first, err) < 0 ||
		    state_read(folder, &second, err) < 0)
			break;
		same = state_same(&first, &second);
		if (!same)
			err_set(err, "the queue's state changes too fast");
	}
	if (same)
		result = state_put(job, &first, err);
	state_release(&first);
	state_release(&second);
	close(folder);
	return result;
}

int
backup_queue(struct backup_job *job, struct err *err)
{
	struct queue_copy q = {.job = job, .dir = open_folder(job, "seg")};
	int result;

	if (q.dir < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot open the queue");
	result = segments_copy(&q, err);
	if (result == 0)
		result = state_copy(job, err);
	if (result == 0)
		result = segments_copy(&q, err);
	if (result == 0)
		result = segments_put(&q, err);
	free(q.at);
	close(q.dir);
	return result;
}
