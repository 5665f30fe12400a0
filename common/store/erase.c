/* the files of an account as a whole: counted, and removed for good */
#include "common/store/erase.h"
#include "common/store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"

struct looking {
	uint64_t bytes;
	bool erase; /* all but the lock, which is held */
};

/* False on a fault, told by errno. */
static bool
file_take(struct looking *k, int dir, const char *name)
{
	struct stat info;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT; /* a compaction took it */
	k->bytes += (uint64_t)info.st_size;
	return !k->erase || strcmp(name, LOCK_NAME) == 0 || unlinkat(dir, name, 0) == 0;
}

static enum store_result
files_take(struct looking *k, uint64_t id, int dir, struct err *err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool good = open != NULL;

	while (good && (entry = readdir(open)))
		good = file_take(k, dir, entry->d_name);
	if (!good)
		err_sys(err, "store: cannot %s account %llx",
			k->erase ? "erase" : "look at", (unsigned long long)id);
	if (open)
		closedir(open);
	else if (fd >= 0)
		close(fd);
	return good ? STORE_OK : STORE_FAULT;
}

enum store_result
store_disk_use(const struct store *store, uint64_t id, uint64_t *bytes, struct err *err)
{
	struct looking k = {0};
	enum store_result result;
	int dir;

	result = account_path_open(store, id, STORE_MUST_EXIST, &dir, err);
	if (result != STORE_OK)
		return result;
	result = files_take(&k, id, dir, err);
	close(dir);
	if (result == STORE_OK)
		*bytes = k.bytes;
	return result;
}

/* Held until it is closed. -1 on a fault. */
static int
lock_take(int dir, uint64_t id, struct err *err)
{
	int fd =
	    openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(fd);
			fd = -1;
		}
	if (fd < 0)
		err_sys(err, "store: cannot lock account %llx", (unsigned long long)id);
	return fd;
}

/* The lock last: as long as it is there the account is, too. */
static int
folder_remove(const struct store *store, uint64_t id, int dir, struct err *err)
{
	char path[STORE_PATH_BYTES];

	account_path_put(id, path);
	if (unlinkat(dir, LOCK_NAME, 0) == 0 &&
	    unlinkat(store->root, path, AT_REMOVEDIR) == 0)
		return 0;
	return err_sys(err, "store: cannot remove directory %s", path);
}

enum store_result
store_erase(const struct store *store, uint64_t id, uint64_t *bytes, struct err *err)
{
	struct looking k = {.erase = true};
	enum store_result result;
	int dir, lock;

	ASSERT(store->root >= 0);
	result = account_path_open(store, id, STORE_MUST_EXIST, &dir, err);
	if (result != STORE_OK)
		return result;
	lock = lock_take(dir, id, err);
	result = lock < 0 ? STORE_FAULT : files_take(&k, id, dir, err);
	if (result == STORE_OK && folder_remove(store, id, dir, err) < 0)
		result = STORE_FAULT;
	if (lock >= 0)
		close(lock);
	close(dir);
	if (result == STORE_OK)
		*bytes = k.bytes;
	return result;
}
