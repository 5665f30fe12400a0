/* the file `lock`: who holds it may append; in it stands what is durable */
#include "common/store/internal.h"

#include <errno.h>
#include <sys/file.h>

#define CELL_BYTES 16
#define CELL_MARK  0x4b4c5250u /* "PRLK" */

/* A view that lags goes on first. */
static bool
caught_up(struct store_account *a, bool wait)
{
	return !a->view || a->stale ||
	       lag_step(a->view, wait && a->wait ? SIZE_MAX : lag_steps(a));
}

enum store_result
account_lock(struct store_account *a, bool wait, struct err *err)
{
	ASSERT(!a->locked);
	if (!caught_up(a, wait))
		return STORE_BUSY;
	/* A simulated disk has one user. */
	while (!a->store->io->disk &&
	       flock(a->lock, LOCK_EX | (wait && a->wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK)
			return STORE_BUSY;
		if (errno == EINTR)
			continue;
		err_sys(err, "store: cannot lock account %llx",
			(unsigned long long)a->id);
		return STORE_FAULT;
	}
	a->locked = true;
	return STORE_OK;
}

void
account_unlock(struct store_account *a)
{
	ASSERT(a->locked);
	if (!a->store->io->disk)
		(void)flock(a->lock, LOCK_UN);
	a->locked = false;
	if (!a->stale)
		watch_listed(a);
}

/* u32 mark, u64 durable position, u32 CRC of both. */
static void
cell_put(uint64_t position, struct buf *out)
{
	wire_put_u32(out, CELL_MARK);
	wire_put_u64(out, position);
	wire_put_u32(out, crc32c(0, buf_span(out)));
}

void
durable_read(struct store_account *a)
{
	const struct log_io *io = a->store->io;
	char bytes[CELL_BYTES];
	struct cursor c = cursor_make(span_make(bytes, sizeof(bytes)));
	uint64_t position;

	/* No good cell says no more than that less is known. */
	if (io->pread(io->disk, a->lock, bytes, sizeof(bytes), 0) != CELL_BYTES)
		return;
	if (wire_get_u32(&c) != CELL_MARK)
		return;
	position = wire_get_u64(&c);
	if (wire_get_u32(&c) != crc32c(0, span_make(bytes, 12)))
		return;
	if (position > a->durable && position % 8 == 0)
		a->durable = position;
}

int
durable_write(struct store_account *a, uint64_t position, struct err *err)
{
	const struct log_io *io = a->store->io;
	struct buf cell = buf_make(CELL_BYTES);
	struct iovec v;
	ssize_t n;

	cell_put(position, &cell);
	v = (struct iovec){cell.at, cell.n};
	n = io->pwritev(io->disk, a->lock, &v, 1, 0);
	buf_release(&cell);
	if (n != CELL_BYTES)
		return err_sys(err, "store: cannot note what is durable in %llx",
			       (unsigned long long)a->id);
	a->durable = position;
	return 0;
}
