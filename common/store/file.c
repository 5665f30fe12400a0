/* writing records, many at once, and the files of an account */
#include "common/store/internal.h"

#include <errno.h>
#include <limits.h>

#define WRITE_VECTORS 1024 /* what one call takes */

const struct file_kind file_kinds[FILE_SORTS] = {
    [FILE_JOURNAL] = {"journal.", JOURNAL_KIND},
    [FILE_DATA] = {"data.",    DATA_KIND   },
    [FILE_SUMMARY] = {"summary.", SUMMARY_KIND},
    [FILE_TEXT] = {"text.",    TEXT_KIND   },
};

void
frame_put(const struct log_file *f, uint64_t offset, uint64_t synced, uint16_t kind,
	  struct span payload, struct buf *out)
{
	const struct log_record record = {
	    .offset = offset,
	    .synced = synced < offset ? synced : offset,
	    .n = (uint32_t)payload.n,
	    .kind = kind,
	};
	char head[LOG_HEAD_BYTES], tail[11];
	uint32_t crc = crc32c(log_frame_crc(&f->id, offset), payload);

	log_frame_put_head(&f->id, &record, head);
	buf_put(out, span_make(head, sizeof(head)));
	buf_put(out, payload);
	buf_put(out, span_make(tail, log_frame_put_tail(crc, &record, head, tail)));
}

/* Forgets the first n bytes of v. */
static size_t
vectors_skip(struct iovec *v, size_t n_v, size_t n)
{
	size_t i = 0;

	while (i < n_v && n >= v[i].iov_len)
		n -= v[i++].iov_len;
	if (i < n_v) {
		v[i].iov_base = (char *)v[i].iov_base + n;
		v[i].iov_len -= n;
	}
	return i;
}

int
file_write(const struct log_file *f, struct iovec *v, size_t n, uint64_t offset,
	   struct err *err)
{
	while (n > 0) {
		int some = n < WRITE_VECTORS ? (int)n : WRITE_VECTORS;
		ssize_t done = f->io->pwritev(f->io->disk, f->fd, v, some, offset);
		size_t whole;

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return err_sys(err, "store: cannot write");
		offset += (uint64_t)done;
		whole = vectors_skip(v, n, (size_t)done);
		v += whole;
		n -= whole;
	}
	return 0;
}

void
account_cached_close(struct store_account *a)
{
	for (int i = 0; i < FILE_SORTS; i++)
		log_file_close(&a->cached[i]);
}

void
account_files_close(struct store_account *a)
{
	for (int i = 0; i < FILE_SORTS; i++)
		log_file_close(&a->files[i]);
	account_cached_close(a);
}

int
account_file_new(struct store_account *a, enum file_sort sort, uint64_t above,
		 struct err *err)
{
	struct log_dir dir = account_dir(a, sort);
	struct log_numbers numbers;
	struct log_file file;

	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	if (numbers.n > 0 && numbers.at[numbers.n - 1] > above)
		above = numbers.at[numbers.n - 1];
	log_numbers_release(&numbers);
	if (above >= UINT32_MAX)
		return err_set(err, "store: no numbers left in account %llx",
			       (unsigned long long)a->id);
	dir.io = &a->store->lazy;
	if (log_dir_create(&dir, above + 1, 0, &file, err) < 0)
		return -1;
	file.io = a->store->io;
	log_file_close(&a->files[sort]);
	a->files[sort] = file;
	return 0;
}

static bool
file_is(const struct log_file *f, uint32_t number)
{
	return f->fd >= 0 && f->id.number == number;
}

enum store_result
account_file(struct store_account *a, enum file_sort sort, uint32_t number,
	     const struct log_file **out, struct err *err)
{
	const struct log_dir dir = account_dir(a, sort);
	struct log_file file;

	if (file_is(&a->files[sort], number)) {
		*out = &a->files[sort];
		return STORE_OK;
	}
	if (!file_is(&a->cached[sort], number)) {
		switch (log_dir_open(&dir, number, LOG_READ, &file, err)) {
		case LOG_OPEN_OK:
			break;
		case LOG_OPEN_FAULT:
			return err->code == ENOENT ? STORE_NONE : STORE_FAULT;
		default:
			return STORE_NONE;
		}
		log_file_close(&a->cached[sort]);
		a->cached[sort] = file;
	}
	*out = &a->cached[sort];
	return STORE_OK;
}
