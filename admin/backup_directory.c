/* the folder that holds a backup, and the names in it */
#include "admin/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARK      "postroad-backup"
#define MARK_TEXT "A backup of Postroad; docs/backup.md says what is where.\n"

int64_t
backup_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
backup_name(uint64_t generation, const char *name, char out[BACKUP_PATH_MAX])
{
	snprintf(out, BACKUP_PATH_MAX, "generations/%" PRIu64 "/%s", generation, name);
}

void
backup_account_folder(struct span tree, uint64_t id, char out[BACKUP_PATH_MAX])
{
	snprintf(out, BACKUP_PATH_MAX, "%.*s/%02x/%016" PRIx64, SPAN_ARG(tree),
		 (unsigned)(id & 0xff), id);
}

int
backup_folders(int dir, const char *path, mode_t mode, struct err *err)
{
	char part[BACKUP_PATH_MAX];

	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/' || i >= sizeof(part))
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdirat(dir, part, mode) < 0 && errno != EEXIST)
			return err_sys(err, "cannot make the folder %s", part);
	}
	return 0;
}

int
backup_sync(int fd, struct err *err)
{
	if (syncfs(fd) < 0)
		return err_sys(err, "cannot sync the file system");
	return 0;
}

static int
generation_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Those that have a manifest, which is made last. */
static int
generations_read(struct backup *b, struct err *err)
{
	int fd = openat(b->fd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t number;

	if (!dir)
		return err_sys(err, "%s: cannot list the generations", b->path);
	while ((entry = readdir(dir))) {
		char name[BACKUP_PATH_MAX];

		if (!number_parse(span_str(entry->d_name), UINT64_MAX - 1, &number))
			continue;
		backup_name(number, BACKUP_MANIFEST, name);
		if (faccessat(b->fd, name, F_OK, 0) != 0)
			continue;
		b->generations =
		    memory_resize(b->generations, b->n + 1, sizeof(*b->generations));
		b->generations[b->n++] = number;
	}
	closedir(dir);
	if (b->n > 0)
		qsort(b->generations, b->n, sizeof(*b->generations), generation_order);
	return 0;
}

static bool
folder_is_empty(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;
	bool empty = dir != NULL;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			empty = false;
	if (dir)
		closedir(dir);
	return empty;
}

/* The mark says that what is in the folder is ours; its lock, that nobody else makes a
 * backup here. */
static int
folder_take(struct backup *b, struct err *err)
{
	ssize_t n;

	b->lock = openat(b->fd, MARK, O_RDWR | O_CLOEXEC);
	if (b->lock < 0 && errno == ENOENT && folder_is_empty(b->fd)) {
		b->lock = openat(b->fd, MARK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		n = b->lock < 0 ? -1 : write(b->lock, MARK_TEXT, strlen(MARK_TEXT));
		if (n != (ssize_t)strlen(MARK_TEXT))
			return err_sys(err, "%s: cannot write", b->path);
	}
	if (b->lock < 0)
		return err_set(err,
			       "%s has files and is no backup: name an empty folder, "
			       "or one that is not there yet",
			       b->path);
	if (flock(b->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, "%s: another backup is being made there", b->path);
	if (mkdirat(b->fd, "generations", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "%s: cannot make a folder", b->path);
	return 0;
}

int
backup_open(struct backup *b, const char *path, bool write, struct err *err)
{
	*b = (struct backup){.path = path, .fd = -1, .lock = -1};
	if (write && mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "cannot make %s", path);
	b->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd < 0)
		return err_sys(err, "cannot open %s", path);
	if (write && folder_take(b, err) < 0)
		return -1;
	if (!write && faccessat(b->fd, MARK, F_OK, 0) != 0)
		return err_set(err, "%s is no backup of Postroad", path);
	return generations_read(b, err);
}

void
backup_close(struct backup *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->lock >= 0)
		close(b->lock);
	free(b->generations);
	*b = (struct backup){.fd = -1, .lock = -1};
}

uint64_t
backup_choose(const struct backup *b, const char *option)
{
	uint64_t wanted;

	if (b->n == 0) {
		admin_complain("%s holds no whole generation", b->path);
		return 0;
	}
	if (!option)
		return b->generations[b->n - 1];
	if (number_parse(span_str(option), UINT64_MAX - 1, &wanted))
		for (size_t i = 0; i < b->n; i++)
			if (b->generations[i] == wanted)
				return wanted;
	admin_complain("%s has no generation %s; `postroad backup list` shows those "
		       "it has",
		       b->path, option);
	return 0;
}
