#include "authd/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define KEY_BYTES 32
#define FRESH     REWRITE_FILE ".new"

static int
read_all(int fd, struct buf *out, struct err *err)
{
	char piece[512];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, REWRITE_FILE ": read");
		buf_put(out, span_make(piece, (size_t)n));
	}
	return out->full ? err_set(err, REWRITE_FILE ": is too long") : 0;
}

static int
make_text(struct buf *out, struct err *err)
{
	uint8_t random[KEY_BYTES];
	char hex[2 * KEY_BYTES + 1];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(err, "getrandom");
	hex_put(random, sizeof(random), hex);
	buf_put_str(out, "# Keys that sign rewritten senders (SRS), newest first. An "
			 "old one is needed\n# for 21 days after a newer one.\n");
	buf_putf(out, "%s\n", hex);
	explicit_bzero(random, sizeof(random));
	explicit_bzero(hex, sizeof(hex));
	return 0;
}

static int
write_synced(int folder, struct span text, struct err *err)
{
	int fd = openat(folder, FRESH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = fd < 0 ? -1 : write(fd, text.at, text.n);
	bool synced = n == (ssize_t)text.n && fsync(fd) == 0;

	if (!synced)
		err_sys(err, REWRITE_FILE ": cannot be written");
	if (fd >= 0)
		close(fd);
	return synced ? 0 : -1;
}

/* Under its name only when it is whole: file first, then name, then folder. */
static int
make_file(int folder, struct err *err)
{
	struct buf text = buf_make(REWRITE_FILE_BYTES_MAX);
	int result = -1;

	if (make_text(&text, err) == 0 &&
	    write_synced(folder, buf_span(&text), err) == 0) {
		result = renameat(folder, FRESH, folder, REWRITE_FILE);
		if (result != 0 || (result = fsync(folder)) != 0)
			err_sys(err, REWRITE_FILE ": cannot be made");
	}
	explicit_bzero(text.at, text.n);
	buf_release(&text);
	return result;
}

/* The file, made when it is not there; -1 and no descriptor on failure. */
static int
open_file(int folder, struct err *err)
{
	int fd = openat(folder, REWRITE_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make_file(folder, err) == 0)
		fd = openat(folder, REWRITE_FILE, O_RDONLY | O_CLOEXEC);
	else if (fd < 0 && errno == ENOENT)
		return -1;
	return fd < 0 ? err_sys(err, REWRITE_FILE) : fd;
}

static int
read_file(const char *folder, struct buf *out, struct err *err)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, result = -1;

	if (dir < 0)
		return err_sys(err, "%.200s", folder);
	fd = open_file(dir, err);
	if (fd >= 0) {
		result = read_all(fd, out, err);
		close(fd);
	}
	close(dir);
	return result;
}

int
rewriting_read(struct rewriting *r, const char *folder, struct err *err)
{
	struct rewriting fresh = {.text = buf_make(REWRITE_FILE_BYTES_MAX)};
	struct err why;

	if (read_file(folder, &fresh.text, err) != 0) {
		rewriting_release(&fresh);
		return -1;
	}
	if (srs_keys_parse(buf_span(&fresh.text), &fresh.keys, &why) != 0) {
		rewriting_release(&fresh);
		return err_set(err, REWRITE_FILE ": %s", why.text);
	}
	rewriting_release(r);
	*r = fresh;
	return 0;
}

void
rewriting_release(struct rewriting *r)
{
	if (r->text.at)
		explicit_bzero(r->text.at, r->text.size);
	buf_release(&r->text);
	*r = (struct rewriting){.keys = {.n = 0}};
}
