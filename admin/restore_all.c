/* what stands beside the mail: folders, settings, keys, the queue */
#include "admin/restore.h"
#include "admin/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX   (16u << 20)
#define PARENT_MODE 0755 /* as master makes them: the programs have to come through */

/* --- files of the generation ---------------------------------------------- */

struct each_file {
	restore_file *call;
	void *context;
};

static void
pass_file(void *context, const struct backup_row *row)
{
	const struct each_file *each = context;

	each->call(each->context, row);
}

int
restore_files_each(struct restoring *r, restore_file *call, void *context,
		   struct err *err)
{
	struct each_file each = {call, context};
	struct backup_walk w = {.file = pass_file, .context = &each};
	struct backup_pieces pieces = {0};
	int got = backup_walk_open(&w, r->backup, r->generation, err);

	while (got >= 0 && (got = backup_walk_next(&w, &pieces)) == 1)
		continue;
	backup_walk_close(&w);
	free(pieces.at);
	if (got < 0)
		return err_set(err, "the list of generation %" PRIu64 " is damaged",
			       r->generation);
	return 0;
}

struct wanted {
	const char *name;
	uint64_t bytes;
	uint32_t crc;
	bool found;
};

static void
look_for(void *context, const struct backup_row *row)
{
	struct wanted *w = context;

	if (!span_equal(row->name, span_str(w->name)))
		return;
	w->bytes = row->bytes;
	w->crc = row->crc;
	w->found = true;
}

/* The bytes of a file of the generation, checked; `out` is emptied first. -1 when they
 * are damaged or there is none. */
static int
file_bytes(const struct restoring *r, const char *name, struct buf *out,
	   struct err *err)
{
	struct restoring copy = *r;
	struct wanted w = {.name = name};
	char path[BACKUP_PATH_MAX];
	ssize_t n = -1;
	char *at;
	int fd;

	if (restore_files_each(&copy, look_for, &w, err) < 0)
		return -1;
	buf_reset(out);
	if (!w.found)
		return err_set(err, "generation %" PRIu64 " has no %s", r->generation,
			       name);
	backup_name(r->generation, name, path);
	fd = openat(r->backup->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	at = fd < 0 ? NULL : buf_extend(out, w.bytes);
	if (at)
		n = pread(fd, at, w.bytes, 0);
	if (fd >= 0)
		close(fd);
	if (n != (ssize_t)w.bytes || crc32c(0, buf_span(out)) != w.crc)
		return err_set(err, "%s is missing or damaged", path);
	return 0;
}

/* --- folders -------------------------------------------------------------- */

static int
folder_make(const char *path, const char *user, mode_t mode, struct err *err)
{
	const struct passwd *owner;
	char below[BACKUP_PATH_MAX];

	snprintf(below, sizeof(below), "%s", path);
	if (backup_folders(AT_FDCWD, below, PARENT_MODE, err) < 0)
		return -1;
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : err_sys(err, "cannot make %s", path);
	if (getuid() != 0)
		return 0;
	owner = getpwnam(user);
	if (!owner)
		return err_set(err, "there is no user %s: install Postroad first",
			       user);
	if (chown(path, owner->pw_uid, owner->pw_gid) < 0)
		return err_sys(err, "cannot give %s to %s", path, user);
	return 0;
}

int
restore_folders(struct restoring *r, struct err *err)
{
	const struct settings *s = &r->admin->settings;
	const struct {
		const char *base, *below, *user;
		mode_t mode;
	} all[] = {
	    {s->spool_directory,     "",       s->user_queue, 0711},
	    {s->spool_directory,     "/seg",   s->user_queue, 0700},
	    {s->spool_directory,     "/state", s->user_queue, 0700},
	    {s->mail_directory,      "",       s->user_mail,  0700},
	    {s->directory_directory, "",       s->user_auth,  0700},
	};

	for (size_t i = 0; i < N_ELEMS(all); i++) {
		char path[BACKUP_PATH_MAX];

		snprintf(path, sizeof(path), "%s%s", all[i].base, all[i].below);
		if (folder_make(path, all[i].user, all[i].mode, err) < 0)
			return -1;
	}
	return 0;
}

/* --- settings and keys ---------------------------------------------------- */

/* Whose a file was, and who might read it. */
struct rights {
	uid_t user;
	gid_t group;
	mode_t mode;
};

/* "tls_key 640 root ssl-cert" among the lines. Root's alone when there is none, as in
 * backups of an earlier version, or when a name is none of this machine. */
static struct rights
rights_of(struct span lines, const char *name)
{
	struct rights rights = {.mode = 0600};

	while (lines.n > 0) {
		struct span rest = span_cut(&lines, '\n');
		bool is = span_equal(span_cut(&rest, ' '), span_str(name));
		char *mode = span_dup(span_cut(&rest, ' '));
		char *user = span_dup(span_cut(&rest, ' ')), *group = span_dup(rest);
		const struct passwd *u = is ? getpwnam(user) : NULL;
		const struct group *g = is ? getgrnam(group) : NULL;

		if (u && g)
			rights = (struct rights){
			    .user = u->pw_uid,
			    .group = g->gr_gid,
			    .mode = (mode_t)strtoul(mode, NULL, 8) & 0777};
		free(mode);
		free(user);
		free(group);
	}
	return rights;
}

static int
rights_give(int fd, const char *path, const struct rights *rights, struct err *err)
{
	if (getuid() == 0 && fchown(fd, rights->user, rights->group) < 0)
		return err_sys(err, "cannot give %s to its owner", path);
	if (fchmod(fd, rights->mode) < 0)
		return err_sys(err, "cannot change the mode of %s", path);
	return 0;
}

/* Only where nothing is, or in place of what is there. Without `rights` it is of who
 * runs this, and for nobody else. */
static int
file_put(const char *path, bool replace, struct span bytes, const struct rights *rights,
	 bool *put, struct err *err)
{
	char fresh[BACKUP_PATH_MAX + 8];
	int fd, result = 0;

	*put = false;
	if (!replace && access(path, F_OK) == 0)
		return 0;
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "cannot make %s", fresh);
	if (rights)
		result = rights_give(fd, fresh, rights, err);
	if (result == 0 && (write(fd, bytes.at, bytes.n) != (ssize_t)bytes.n ||
			    fsync(fd) < 0 || rename(fresh, path) < 0))
		result = err_sys(err, "cannot write %s", path);
	close(fd);
	*put = result == 0;
	return result;
}

static int
named_put(struct restoring *r, const char *name, const char *path, struct span modes,
	  struct err *err)
{
	const struct rights rights = rights_of(modes, name);
	struct buf bytes = buf_make(BYTES_MAX);
	char kept[BACKUP_NAME_MAX];
	int result;
	bool put;

	snprintf(kept, sizeof(kept), "files/%.100s", name);
	result = file_bytes(r, kept, &bytes, err);
	if (result == 0)
		result = backup_folders(AT_FDCWD, path, PARENT_MODE, err);
	if (result == 0)
		result = file_put(path, false, buf_span(&bytes), &rights, &put, err);
	if (result == 0)
		fprintf(stderr,
			put ? "postroad: %s is back\n"
			    : "postroad: %s is there and stays as it is\n",
			path);
	if (bytes.at)
		explicit_bzero(bytes.at, bytes.n);
	buf_release(&bytes);
	return result;
}

int
restore_settings(struct restoring *r, struct err *err)
{
	struct buf where = buf_make(64u << 10), modes = buf_make(64u << 10);
	int result = file_bytes(r, "files/where", &where, err);
	struct span rest = buf_span(&where);
	struct err none;

	if (file_bytes(r, "files/modes", &modes, &none) != 0)
		buf_reset(&modes);

	while (result == 0 && rest.n > 0) {
		struct span path = span_cut(&rest, '\n');
		char *name = span_dup(span_cut(&path, ' ')), *to = span_dup(path);
		bool settings = strcmp(name, "settings") == 0;

		if (backup_name_good(span_str(name)) && to[0] == '/')
			result = named_put(r, name, settings ? r->admin->config : to,
					   buf_span(&modes), err);
		free(name);
		free(to);
	}
	buf_release(&where);
	buf_release(&modes);
	return result;
}

struct keys {
	struct restoring *r;
	struct err *err;
	int result;
};

static void
key_put(void *context, const struct backup_row *row)
{
	struct keys *k = context;
	struct buf bytes = buf_make(BYTES_MAX);
	const char *folder = k->r->admin->settings.directory_directory;
	char name[BACKUP_NAME_MAX + 1], path[BACKUP_PATH_MAX];
	bool put;

	if (k->result < 0 || !span_starts(row->name, SPAN("keys/")) ||
	    !span_copy(row->name, name, sizeof(name)))
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, name + strlen("keys/"));
	k->result = file_bytes(k->r, name, &bytes, k->err);
	if (k->result == 0)
		k->result = owner_become(folder, k->err);
	if (k->result == 0)
		k->result = file_put(path, true, buf_span(&bytes), NULL, &put, k->err);
	owner_restore();
	if (bytes.at)
		explicit_bzero(bytes.at, bytes.n);
	buf_release(&bytes);
}

int
restore_keys(struct restoring *r, struct err *err)
{
	struct keys k = {.r = r, .err = err};

	if (restore_files_each(r, key_put, &k, err) < 0)
		return -1;
	return k.result;
}

/* --- the queue ------------------------------------------------------------ */

static int
queue_file_put(struct restoring *r, const struct backup_row *row, const char *name,
	       struct err *err)
{
	const char *spool = r->admin->settings.spool_directory;
	char from[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX];
	uint32_t crc = 0;
	int in, out, result;

	backup_name(r->generation, name, from);
	snprintf(to, sizeof(to), "%s/%s", spool, name + strlen("queue/"));
	in = openat(r->backup->fd, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return err_sys(err, "cannot open %s", from);
	if (owner_become(spool, err) != 0) {
		close(in);
		return -1;
	}
	out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	owner_restore();
	result = out < 0 ? err_sys(err, "cannot make %s", to)
			 : backup_copy(in, out, 0, row->bytes, &crc, err);
	if (result == 0 && crc != row->crc) {
		admin_complain("%s is damaged; what is whole in it comes back", from);
		r->n.damaged++;
	}
	close(in);
	if (out >= 0 && close(out) < 0 && result == 0)
		result = err_sys(err, "cannot write %s", to);
	return result;
}

static void
queue_put(void *context, const struct backup_row *row)
{
	struct keys *k = context;
	char name[BACKUP_NAME_MAX + 1];

	if (k->result < 0 || !span_starts(row->name, SPAN("queue/")) ||
	    !span_copy(row->name, name, sizeof(name)))
		return;
	k->result = queue_file_put(k->r, row, name, k->err);
}

int
restore_queue(struct restoring *r, struct err *err)
{
	struct keys k = {.r = r, .err = err};

	if (restore_files_each(r, queue_put, &k, err) < 0)
		return -1;
	return k.result;
}
