/* which bytes are an account at one moment */
#include "common/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SYNCED_TRIES   5000
#define SYNCED_WAIT_NS 1000000

/* Where the account stands, noted under the lock. */
struct stand {
	uint64_t position, journal_end;
	uint32_t journal;
	struct event_place data, summary;
};

static enum store_result
stand_note(struct store_account *a, struct stand *out, struct err *err)
{
	enum store_result result = account_lock(a, true, err);

	if (result != STORE_OK)
		return result;
	durable_read(a);
	result = account_follow(a, true, err);
	*out = (struct stand){
	    .position = a->state.position,
	    .journal_end = a->journal_end,
	    .journal = (uint32_t)a->files[FILE_JOURNAL].id.number,
	    .data = a->state.tail.data,
	    .summary = a->state.tail.summary,
	};
	account_unlock(a);
	return result;
}

/* All below `position` becomes durable, without the lock while the disk works. */
static enum store_result
stand_sync(struct store_account *a, uint64_t position, struct err *err)
{
	const struct timespec wait = {.tv_nsec = SYNCED_WAIT_NS};
	enum store_result result = STORE_BUSY;

	if (a->durable >= position)
		return STORE_OK;
	if (a->store->root < 0)
		return store_sync(a, a->now_us, err);
	if (store_sync_disk(a->store, err) < 0)
		return STORE_FAULT;
	for (int i = 0; i < SYNCED_TRIES && result == STORE_BUSY; i++) {
		result = store_synced(a, position, err);
		if (result == STORE_BUSY)
			(void)nanosleep(&wait, NULL);
	}
	return result;
}

/* How much of a file counts; 0: nothing. */
static uint64_t
file_counts(const struct stand *s, enum file_sort sort, uint64_t number, uint64_t size)
{
	const struct event_place *tail = sort == FILE_DATA      ? &s->data
					 : sort == FILE_SUMMARY ? &s->summary
								: NULL;

	if (sort == FILE_JOURNAL && number >= s->journal)
		return number == s->journal ? s->journal_end : 0;
	if (tail && number == tail->number && tail->end > 0 && tail->end < size)
		return tail->end;
	return size;
}

static int
file_size(const struct store_account *a, const char *name, uint64_t *out,
	  struct err *err)
{
	const struct log_io *io = a->store->io;
	int fd = io->open(io->disk, a->dir, name, LOG_READ), result;

	if (fd < 0)
		return err_sys(err, "store: cannot open %s", name);
	result = io->size(io->disk, fd, out);
	if (result < 0)
		err_sys(err, "store: cannot tell the size of %s", name);
	io->close(io->disk, fd);
	return result;
}

static enum store_result
cut_add(struct store_account *a, const struct stand *s, enum file_sort sort,
	uint64_t number, struct store_cut *out, struct err *err)
{
	struct store_cut_file file;
	uint64_t size;

	snprintf(file.name, sizeof(file.name), "%s%llu", file_kinds[sort].prefix,
		 (unsigned long long)number);
	if (file_size(a, file.name, &size, err) < 0)
		return err->code == ENOENT ? STORE_BUSY : STORE_FAULT;
	file.bytes = file_counts(s, sort, number, size);
	if (file.bytes > size)
		return STORE_BUSY;
	if (file.bytes == 0)
		return STORE_OK;
	out->files = memory_resize(out->files, out->n + 1, sizeof(*out->files));
	out->files[out->n++] = file;
	return STORE_OK;
}

static enum store_result
cut_files(struct store_account *a, const struct stand *s, enum file_sort sort,
	  struct store_cut *out, struct err *err)
{
	struct log_dir dir = account_dir(a, sort);
	enum store_result result = STORE_OK;
	struct log_numbers numbers;
	bool last = false;

	dir.io = &a->store->lazy; /* who only looks need not sync names */
	if (log_dir_list(&dir, &numbers, err) < 0)
		return STORE_FAULT;
	for (size_t i = 0; i < numbers.n && result == STORE_OK; i++) {
		last = last || numbers.at[i] == s->journal;
		result = cut_add(a, s, sort, numbers.at[i], out, err);
	}
	log_numbers_release(&numbers);
	if (result == STORE_OK && sort == FILE_JOURNAL && !last)
		return STORE_BUSY;
	return result;
}

enum store_result
store_cut(struct store_account *a, struct store_cut *out, struct err *err)
{
	struct stand s = {0};
	enum store_result result = stand_note(a, &s, err);

	*out = (struct store_cut){0};
	if (result == STORE_OK)
		result = stand_sync(a, s.position, err);
	out->position = s.position;
	for (int sort = 0; sort < FILE_TEXT && result == STORE_OK; sort++)
		result = cut_files(a, &s, (enum file_sort)sort, out, err);
	if (result != STORE_OK)
		store_cut_release(out);
	return result;
}

void
store_cut_release(struct store_cut *cut)
{
	free(cut->files);
	*cut = (struct store_cut){0};
}

enum store_result
store_cut_last(const struct store *store, uint64_t id, struct store_cut_file *out,
	       struct err *err)
{
	const char *prefix = file_kinds[FILE_JOURNAL].prefix;
	enum store_result result;
	struct log_numbers numbers;
	struct log_dir dir;
	struct stat info;
	int fd;

	result = account_path_open(store, id, STORE_MUST_EXIST, &fd, err);
	if (result != STORE_OK)
		return result;
	dir = (struct log_dir){&store->lazy, fd, prefix, JOURNAL_KIND};
	if (log_dir_list(&dir, &numbers, err) < 0)
		result = STORE_FAULT;
	else if (numbers.n == 0)
		result = STORE_NONE;
	else
		snprintf(out->name, sizeof(out->name), "%s%llu", prefix,
			 (unsigned long long)numbers.at[numbers.n - 1]);
	if (result != STORE_FAULT)
		log_numbers_release(&numbers);
	if (result == STORE_OK && fstatat(fd, out->name, &info, 0) < 0)
		result = STORE_NONE;
	if (result == STORE_OK)
		out->bytes = (uint64_t)info.st_size;
	close(fd);
	return result;
}

enum store_result
store_cut_open(const struct store *store, uint64_t id, const char *name, int *fd,
	       struct err *err)
{
	enum store_result result;
	int dir;

	result = account_path_open(store, id, STORE_MUST_EXIST, &dir, err);
	if (result != STORE_OK)
		return result;
	*fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0) {
		result = errno == ENOENT ? STORE_NONE : STORE_FAULT;
		err_sys(err, "store: cannot open %s of account %llx", name,
			(unsigned long long)id);
	}
	close(dir);
	return result;
}
