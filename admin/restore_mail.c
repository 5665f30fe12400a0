/* the mail of accounts, from the pieces of a generation */
#include "admin/restore.h"
#include "admin/owner.h"
#include "admin/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- pieces --------------------------------------------------------------- */

static int
piece_put(struct restoring *r, const char *path, const struct backup_piece *p, int out,
	  struct err *err)
{
	int in = openat(r->backup->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint32_t crc = 0;
	int result = 0;

	if (in < 0)
		return err_sys(err, "cannot open %s", path);
	result = backup_copy(in, out, 0, p->bytes, &crc, err);
	close(in);
	if (result == 0 && crc != p->crc) {
		admin_complain("%s is damaged; what is whole in it comes back", path);
		r->n.damaged++;
	}
	r->n.bytes += p->bytes;
	return result;
}

static int
piece_create(const struct restoring *r, struct store *store, uint64_t id,
	     const char *name, int *out, struct err *err)
{
	enum store_result result = STORE_FAULT;

	if (owner_become(r->admin->settings.mail_directory, err) == 0)
		result = store_restore_create(store, id, name, out, err);
	owner_restore();
	return result == STORE_OK ? 0 : -1;
}

/* The pieces of an account into a store, whose files they become. What is damaged is
 * told and counted. */
static int
pieces_put(struct restoring *r, const struct backup_pieces *pieces, struct store *store,
	   struct err *err)
{
	char folder[BACKUP_PATH_MAX], path[BACKUP_PATH_MAX + BACKUP_NAME_MAX + 2];

	backup_account_folder(span_str(r->tree), pieces->id, folder);
	for (size_t i = 0; i < pieces->n; i++) {
		const struct backup_piece *p = &pieces->at[i];
		int out, result;

		if (piece_create(r, store, pieces->id, p->name, &out, err) < 0)
			return -1;
		snprintf(path, sizeof(path), "%s/%s", folder, p->kept);
		result = piece_put(r, path, p, out, err);
		if (close(out) < 0 && result == 0)
			result = err_sys(err, "cannot write %s", p->name);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* Looks for the account in the list. 1 found, 0 not there, -1. */
static int
pieces_find(struct restoring *r, uint64_t id, struct backup_pieces *pieces,
	    struct err *err)
{
	struct backup_walk w = {0};
	int got = backup_walk_open(&w, r->backup, r->generation, err);

	if (got == 0)
		memcpy(r->tree, w.tree, sizeof(r->tree));
	while (got >= 0 && (got = backup_walk_next(&w, pieces)) == 1)
		if (pieces->id >= id)
			break;
	backup_walk_close(&w);
	if (got < 0)
		return err_set(err, "the list of generation %" PRIu64 " is damaged",
			       r->generation);
	return got == 1 && pieces->id == id;
}

/* --- everything ----------------------------------------------------------- */

/* Backups that come later must not take what is new for what they have. */
static int
restored_note(const struct restoring *r, struct err *err)
{
	uint8_t random[4];
	char path[BACKUP_PATH_MAX], hex[2 * sizeof(random) + 1];
	int fd, result = 0;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, "no random bytes");
	hex_put(random, sizeof(random), hex);
	snprintf(path, sizeof(path), "%s/" BACKUP_RESTORED,
		 r->admin->settings.mail_directory);
	if (owner_become(r->admin->settings.mail_directory, err) != 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	owner_restore();
	if (fd < 0 || write(fd, hex, strlen(hex)) != (ssize_t)strlen(hex))
		result = err_sys(err, "cannot write %s", path);
	if (fd >= 0)
		close(fd);
	return result;
}

static int
account_live(struct restoring *r, uint64_t id, struct err *err)
{
	enum store_result result = STORE_FAULT;

	if (owner_become(r->admin->settings.mail_directory, err) == 0)
		result = store_restored(r->store, id, backup_now_us(), err);
	owner_restore();
	return result == STORE_OK || result == STORE_NONE ? 0 : -1;
}

/* All pieces first, then one sync, then the accounts begin to live. */
static int
mail_walk(struct restoring *r, const char *what,
	  int (*each)(struct restoring *, const struct backup_pieces *, struct err *),
	  struct err *err)
{
	struct progress *progress = progress_new(what, "accounts", 0);
	struct backup_walk w = {0};
	struct backup_pieces pieces = {0};
	int got = backup_walk_open(&w, r->backup, r->generation, err);
	uint64_t n = 0;
	int result = got;

	memcpy(r->tree, w.tree, sizeof(r->tree));
	while (result == 0 && (got = backup_walk_next(&w, &pieces)) == 1) {
		progress_at(progress, n++, SPAN(""));
		result = each(r, &pieces, err);
	}
	if (result == 0 && got < 0)
		result = err_set(err, "the list of generation %" PRIu64 " is damaged",
				 r->generation);
	progress_free(&progress);
	backup_walk_close(&w);
	free(pieces.at);
	return result;
}

static int
each_place(struct restoring *r, const struct backup_pieces *pieces, struct err *err)
{
	switch (store_restore_vacant(r->store, pieces->id, err)) {
	case STORE_OK:
		return pieces_put(r, pieces, r->store, err);
	case STORE_EXISTS:
		return err_set(err,
			       "account %" PRIx64 " has mail already: restore it with "
			       "--account",
			       pieces->id);
	default:
		return -1;
	}
}

static int
each_live(struct restoring *r, const struct backup_pieces *pieces, struct err *err)
{
	r->n.accounts++;
	return account_live(r, pieces->id, err);
}

int
restore_mail(struct restoring *r, struct err *err)
{
	/* It must be known before the first file is there. */
	if (restored_note(r, err) < 0 ||
	    mail_walk(r, "restoring mail", each_place, err) < 0 ||
	    store_sync_disk(r->store, err) < 0 ||
	    mail_walk(r, "checking mail", each_live, err) < 0)
		return -1;
	return store_sync_disk(r->store, err);
}

/* --- one account, aside --------------------------------------------------- */

void
staged_close(struct staged *s)
{
	struct err ignored;

	store_account_close(&s->account);
	store_free(&s->store);
	if (s->path[0])
		(void)backup_remove(s->path, &ignored);
	s->path[0] = '\0';
}

static int
staged_make(struct staged *s, const struct restoring *r, struct err *err)
{
	const char *mail = r->admin->settings.mail_directory;
	const struct store_settings settings = {.summarize = true};

	snprintf(s->path, sizeof(s->path), "%s/restore.XXXXXX", mail);
	if (owner_become(mail, err) != 0)
		return -1;
	if (!mkdtemp(s->path)) {
		err_sys(err, "cannot make %s", s->path);
		s->path[0] = '\0';
	} else {
		s->store = store_new(s->path, &settings, err);
	}
	owner_restore();
	return s->store ? 0 : -1;
}

int
staged_open(struct staged *s, struct restoring *r, uint64_t id, struct err *err)
{
	struct backup_pieces pieces = {0};
	enum store_result result = STORE_FAULT;
	int found;

	*s = (struct staged){0};
	found = pieces_find(r, id, &pieces, err);
	if (found == 1 && staged_make(s, r, err) == 0 &&
	    pieces_put(r, &pieces, s->store, err) == 0 &&
	    owner_become(r->admin->settings.mail_directory, err) == 0) {
		result = store_account_open(s->store, id, STORE_MUST_EXIST,
					    backup_now_us(), &s->account, err);
		if (result == STORE_OK)
			result = store_view_refresh(s->account, err);
	}
	owner_restore();
	free(pieces.at);
	if (result == STORE_OK)
		return 1;
	if (result == STORE_NONE)
		err_set(err, "the account's journal is not in the backup");
	staged_close(s);
	return found == 0 ? 0 : -1;
}
