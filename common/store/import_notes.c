/* what an importer wants to know the next time: the file "imported" of an account */
#include "common/store/import.h"

#include <errno.h>

#include "common/store/internal.h"

#define NOTES_MARK 0x49525250u /* "PRRI" */
#define NAME       "imported"
#define NAME_NEW   "imported.new"

struct notes_head {
	uint32_t mark;
	uint32_t crc; /* of what follows, with the length */
	uint64_t bytes;
};

static uint32_t
notes_crc(uint64_t bytes, struct span notes)
{
	return crc32c(crc32c(0, span_make(&bytes, sizeof(bytes))), notes);
}

static int
notes_write(struct store_account *a, int fd, struct span notes, struct err *err)
{
	const struct log_io *io = a->store->io;
	struct notes_head head = {NOTES_MARK, notes_crc(notes.n, notes), notes.n};
	struct iovec v = {&head, sizeof(head)};
	const struct log_file f = {.io = io, .fd = fd};
	int result = file_write(&f, &v, 1, 0, err);

	v = (struct iovec){(char *)(uintptr_t)notes.at, notes.n};
	if (result == 0 && notes.n > 0)
		result = file_write(&f, &v, 1, sizeof(head), err);
	if (result == 0 && io->fsync(io->disk, fd) < 0)
		result = err_sys(err, "store: cannot sync what an import noted");
	return result;
}

int
store_import_notes_put(struct store_account *a, struct span notes, struct err *err)
{
	const struct log_io *io = a->store->io;
	int fd, result;

	/* What an earlier try may have left. */
	(void)io->unlink(io->disk, a->dir, NAME_NEW);
	fd = io->open(io->disk, a->dir, NAME_NEW, LOG_CREATE);
	if (fd < 0)
		return err_sys(err, "store: cannot note what was imported");
	result = notes_write(a, fd, notes, err);
	io->close(io->disk, fd);
	if (result < 0) {
		(void)io->unlink(io->disk, a->dir, NAME_NEW);
		return -1;
	}
	/* A rename does not replace; whoever finds none reads the new one. */
	(void)io->unlink(io->disk, a->dir, NAME);
	if (io->rename(io->disk, a->dir, NAME_NEW, NAME) < 0 ||
	    io->fsync(io->disk, a->dir) < 0)
		return err_sys(err, "store: cannot note what was imported");
	return 0;
}

/* OK, NONE (damaged), FAULT. */
static enum store_result
notes_read(struct store_account *a, int fd, struct buf *out, struct err *err)
{
	const struct log_io *io = a->store->io;
	struct notes_head head;
	size_t start = out->n;
	uint64_t done = 0;
	char *at;

	if (io->pread(io->disk, fd, &head, sizeof(head), 0) != sizeof(head) ||
	    head.mark != NOTES_MARK || head.bytes > STORE_IMPORT_NOTES_MAX)
		return STORE_NONE;
	at = buf_extend(out, (size_t)head.bytes);
	if (!at)
		return STORE_NONE;
	while (done < head.bytes) {
		ssize_t got =
		    io->pread(io->disk, fd, at + done, (size_t)(head.bytes - done),
			      sizeof(head) + done);

		if (got < 0) {
			err_sys(err, "store: cannot read what an import noted");
			return STORE_FAULT;
		}
		if (got == 0)
			break;
		done += (uint64_t)got;
	}
	if (done == head.bytes &&
	    notes_crc(head.bytes, span_make(at, (size_t)done)) == head.crc)
		return STORE_OK;
	out->n = start;
	return STORE_NONE;
}

enum store_result
store_import_notes_get(struct store_account *a, struct buf *out, struct err *err)
{
	static const char *const names[] = {NAME, NAME_NEW};
	const struct log_io *io = a->store->io;
	enum store_result result = STORE_NONE;

	for (size_t i = 0; i < N_ELEMS(names) && result == STORE_NONE; i++) {
		int fd = io->open(io->disk, a->dir, names[i], LOG_READ);

		if (fd < 0 && errno != ENOENT) {
			err_sys(err, "store: cannot read what an import noted");
			return STORE_FAULT;
		}
		if (fd < 0)
			continue;
		result = notes_read(a, fd, out, err);
		io->close(io->disk, fd);
	}
	return result;
}
