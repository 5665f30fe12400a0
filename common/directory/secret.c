#include "common/directory/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME  "secret"
#define FRESH NAME ".new"

static int
write_fresh(int folder, const uint8_t *secret, struct err *err)
{
	int fd = openat(folder, FRESH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good =
	    fd >= 0 &&
	    write(fd, secret, DIRECTORY_SECRET_BYTES) == DIRECTORY_SECRET_BYTES &&
	    fsync(fd) == 0;

	if (!good)
		err_sys(err, "making the file " NAME);
	if (fd >= 0)
		close(fd);
	return good ? 0 : -1;
}

/* Under its name only when it is whole. */
static int
make(int folder, uint8_t *secret, struct err *err)
{
	if (getrandom(secret, DIRECTORY_SECRET_BYTES, 0) != DIRECTORY_SECRET_BYTES)
		return err_sys(err, "getrandom");
	if (write_fresh(folder, secret, err) != 0)
		return -1;
	if (renameat(folder, FRESH, folder, NAME) != 0 || fsync(folder) != 0)
		return err_sys(err, "making the file " NAME);
	return 0;
}

static int
read_or_make(int folder, uint8_t *secret, struct err *err)
{
	int fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return make(folder, secret, err);
	if (fd < 0)
		return err_sys(err, "opening the file " NAME);
	n = read(fd, secret, DIRECTORY_SECRET_BYTES);
	close(fd);
	if (n < 0)
		return err_sys(err, "reading the file " NAME);
	return n == DIRECTORY_SECRET_BYTES
		   ? 0
		   : err_set(err, "the file " NAME " is too short; remove it");
}

int
directory_secret_read(const char *folder, uint8_t *secret, struct err *err)
{
	struct err why;
	int fd, result;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_sys(err, "making %s", folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "opening %s", folder);
	result = read_or_make(fd, secret, &why);
	close(fd);
	if (result != 0)
		return err_set(err, "%.100s: %s", folder, why.text);
	return 0;
}
