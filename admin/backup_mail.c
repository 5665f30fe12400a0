/* the mail: what each account has more than the last generation knows of it */
#include "admin/backup.h"
#include "admin/owner.h"
#include "admin/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define CUT_TRIES      20
#define SYNC_BYTES     (256u << 20) /* copied at most before all is made durable */
#define COMPARED_BYTES 4096

/* --- what is known from before -------------------------------------------- */

/* Reads on to the account, or as far as there is none before it. A list that is damaged
 * spares no copying any more, that is all. */
static void
walk_seek(struct backup_walk *w, struct backup_pieces *at, bool *has, uint64_t id)
{
	int got = 1;

	while (*has && at->id < id)
		if ((got = backup_walk_next(w, at)) != 1) {
			*has = false;
			at->n = 0;
		}
	if (got < 0)
		admin_complain("the list of the last generation is damaged: what "
			       "follows is copied anew");
}

static const struct backup_piece *
known_find(const struct backup_job *job, uint64_t id, const char *name)
{
	const struct backup_piece *p = NULL;

	if (job->has_part && job->begun.id == id &&
	    strcmp(job->part.tree, job->tree) == 0)
		p = backup_piece_find(&job->begun, name);
	if (!p && job->has_base && job->before.id == id)
		p = backup_piece_find(&job->before, name);
	return p;
}

/* --- one file ------------------------------------------------------------- */

/* The same bytes in both, from `at` on? */
static bool
same_bytes(int a, int b, uint64_t at, size_t n)
{
	char x[COMPARED_BYTES], y[COMPARED_BYTES];

	return n <= sizeof(x) && pread(a, x, n, (off_t)at) == (ssize_t)n &&
	       pread(b, y, n, (off_t)at) == (ssize_t)n && memcmp(x, y, n) == 0;
}

static bool
grown_from(int in, int kept, const struct backup_piece *was)
{
	size_t n = was->bytes < COMPARED_BYTES ? (size_t)was->bytes : COMPARED_BYTES;
	struct stat info;

	return fstat(kept, &info) == 0 && (uint64_t)info.st_size >= was->bytes &&
	       same_bytes(in, kept, was->bytes - n, n) &&
	       same_bytes(in, kept, 0, n < 1024 ? n : 1024);
}

/* The file that the piece is kept in, open for writing, and how much of it is known to
 * be there. Another name when something else has that one. */
static int
kept_open(struct backup_job *job, int in, const char *folder,
	  const struct backup_piece *was, struct backup_piece *piece, uint64_t *from,
	  struct err *err)
{
	char path[BACKUP_PATH_MAX + BACKUP_NAME_MAX + 2];
	int dir = job->backup->fd, fd = -1;

	*from = 0;
	if (was) {
		snprintf(path, sizeof(path), "%s/%s", folder, was->kept);
		fd = openat(dir, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd >= 0 && was->bytes <= piece->bytes && grown_from(in, fd, was)) {
		*from = was->bytes;
		piece->crc = was->crc;
		snprintf(piece->kept, sizeof(piece->kept), "%s", was->kept);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	snprintf(piece->kept, sizeof(piece->kept), "%s", piece->name);
	snprintf(path, sizeof(path), "%s/%s", folder, piece->kept);
	fd = openat(dir, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* What a run that was cut off left of the same file is written over. */
	if (fd >= 0 &&
	    (lseek(fd, 0, SEEK_END) == 0 || (!was && same_bytes(in, fd, 0, 1024))))
		return fd;
	if (fd >= 0)
		close(fd);
	snprintf(piece->kept, sizeof(piece->kept), "%s-%" PRIu64, piece->name,
		 job->generation);
	snprintf(path, sizeof(path), "%s/%s", folder, piece->kept);
	fd = openat(dir, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	return fd < 0 ? err_sys(err, "cannot make %s", path) : fd;
}

static int
piece_copy(struct backup_job *job, int in, const char *folder,
	   const struct backup_piece *was, struct backup_piece *piece, struct err *err)
{
	uint64_t from;
	int out = kept_open(job, in, folder, was, piece, &from, err), result;

	if (out < 0)
		return -1;
	result = backup_copy(in, out, from, piece->bytes, &piece->crc, err);
	/* Nobody needs what a run that was cut off may have put behind it. */
	if (result == 0 && lseek(out, 0, SEEK_END) > (off_t)piece->bytes &&
	    ftruncate(out, (off_t)piece->bytes) < 0)
		result = err_sys(err, "cannot shorten %s", piece->kept);
	if (close(out) < 0 && result == 0)
		result = err_sys(err, "cannot write %s", piece->kept);
	job->n.copied += piece->bytes - from;
	job->unsynced += piece->bytes - from;
	job->n.pieces++;
	return result;
}

/* OK, NONE (a compaction took it), FAULT. */
static enum store_result
file_take(struct backup_job *job, uint64_t id, const struct store_cut_file *file,
	  struct backup_pieces *out, struct err *err)
{
	const struct backup_piece *was = known_find(job, id, file->name);
	struct backup_piece piece = {.bytes = file->bytes};
	char folder[BACKUP_PATH_MAX];
	enum store_result result;
	int in;

	if (was && was->bytes == file->bytes) {
		backup_piece_add(out, was);
		return STORE_OK;
	}
	memcpy(piece.name, file->name, sizeof(piece.name));
	result = store_cut_open(job->store, id, file->name, &in, err);
	if (result != STORE_OK)
		return result;
	backup_account_folder(span_str(job->tree), id, folder);
	if (piece_copy(job, in, folder, was, &piece, err) < 0)
		result = STORE_FAULT;
	else
		backup_piece_add(out, &piece);
	close(in);
	return result;
}

/* --- one account ---------------------------------------------------------- */

static int
pieces_put(struct backup_job *job, const struct backup_pieces *pieces, struct err *err)
{
	const struct backup_row account = {.kind = BACKUP_ROW_ACCOUNT,
					   .number = pieces->id,
					   .bytes = pieces->position};

	if (backup_put(job, &account, err) < 0)
		return -1;
	for (size_t i = 0; i < pieces->n; i++) {
		const struct backup_piece *p = &pieces->at[i];
		const struct backup_row row = {.kind = BACKUP_ROW_PIECE,
					       .number = pieces->id,
					       .name = span_str(p->name),
					       .kept = span_str(p->kept),
					       .bytes = p->bytes,
					       .crc = p->crc};

		if (backup_put(job, &row, err) < 0)
			return -1;
		job->n.bytes += p->bytes;
	}
	return 0;
}

/* What is listed up to here is on disk: a run that is cut off later goes on from here.
 */
static int
list_sync(struct backup_job *job, struct err *err)
{
	const struct backup_row synced = {.kind = BACKUP_ROW_SYNCED};

	if (backup_sync(job->backup->fd, err) < 0 || backup_put(job, &synced, err) < 0)
		return -1;
	if (fflush(job->list) != 0 || fdatasync(fileno(job->list)) != 0)
		return err_sys(err, "cannot write the list");
	job->unsynced = 0;
	return 0;
}

/* The cut of the account that is open, under its owner's rights. */
static enum store_result
cut_make(struct backup_job *job, uint64_t id, struct store_cut *cut, struct err *err)
{
	const char *mail = job->admin->settings.mail_directory;
	struct store_account *account = NULL;
	enum store_result result = STORE_FAULT;

	if (owner_become(mail, err) == 0)
		result = store_account_open(job->store, id, STORE_MUST_EXIST,
					    backup_now_us(), &account, err);
	if (result == STORE_OK)
		result = store_cut(account, cut, err);
	store_account_close(&account);
	owner_restore();
	return result;
}

/* OK, BUSY (again), NONE (it has just been removed), FAULT. */
static enum store_result
account_copy(struct backup_job *job, uint64_t id, struct backup_pieces *out,
	     struct err *err)
{
	struct store_cut cut;
	enum store_result result = cut_make(job, id, &cut, err);

	if (result != STORE_OK)
		return result;
	out->n = 0;
	out->position = cut.position;
	for (size_t i = 0; i < cut.n && result == STORE_OK; i++)
		result = file_take(job, id, &cut.files[i], out, err);
	store_cut_release(&cut);
	return result == STORE_NONE ? STORE_BUSY : result;
}

/* The last generation has all of it. */
static bool
account_unchanged(const struct backup_job *job, uint64_t id, struct err *err)
{
	const struct backup_piece *was;
	struct store_cut_file last;

	if (!job->has_base || job->before.id != id ||
	    store_cut_last(job->store, id, &last, err) != STORE_OK)
		return false;
	was = backup_piece_find(&job->before, last.name);
	return was && was->bytes == last.bytes;
}

static int
account_take(struct backup_job *job, uint64_t id, struct err *err)
{
	struct backup_pieces pieces = {.id = id};
	enum store_result result = STORE_BUSY;
	char folder[BACKUP_PATH_MAX];
	int done = -1;

	walk_seek(&job->base, &job->before, &job->has_base, id);
	walk_seek(&job->part, &job->begun, &job->has_part, id);
	job->n.accounts++;
	if (account_unchanged(job, id, err))
		return pieces_put(job, &job->before, err);
	backup_account_folder(span_str(job->tree), id, folder);
	strncat(folder, "/", sizeof(folder) - strlen(folder) - 1);
	if (backup_folders(job->backup->fd, folder, 0700, err) < 0)
		return -1;
	for (int i = 0; i < CUT_TRIES && result == STORE_BUSY; i++)
		result = account_copy(job, id, &pieces, err);
	if (result == STORE_OK) {
		job->n.changed++;
		done = pieces_put(job, &pieces, err);
	} else if (result == STORE_NONE) {
		done = 0;
	} else if (result == STORE_BUSY) {
		err_set(err, "account %" PRIx64 " changes too fast to be copied", id);
	}
	free(pieces.at);
	if (done == 0 && job->unsynced >= SYNC_BYTES)
		done = list_sync(job, err);
	return done;
}

int
backup_mail(struct backup_job *job, struct err *err)
{
	struct progress *progress;
	uint64_t *ids;
	int result = 0;
	size_t n;

	if (store_accounts(job->store, &ids, &n, err) < 0)
		return -1;
	progress = progress_new("backing up", "accounts", n);
	for (size_t i = 0; i < n && result == 0; i++) {
		progress_at(progress, i, SPAN(""));
		result = account_take(job, ids[i], err);
	}
	progress_free(&progress);
	free(ids);
	return result;
}
