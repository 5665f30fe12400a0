#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every directory, who owns it (null: root) and its mode. The queue lets others
 * through to `drop`, where they may put files but see none: sticky, and with the
 * group of its owner so that pickup can read them. */

struct directory {
	const char *base, *below;
	const char *user;
	mode_t mode;
};

/* Parents that are missing are root's and open to all. */
static int
make_parents(const char *path, struct err *err)
{
	char copy[PATH_MAX];

	if (!span_copy(span_str(path), copy, sizeof(copy)))
		return err_set(err, "the path %.100s is too long", path);
	for (char *slash = strchr(copy + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			return err_sys(err, "cannot make the directory %s", copy);
		*slash = '/';
	}
	return 0;
}

static int
owner_find(const char *user, uid_t *uid, gid_t *gid, struct err *err)
{
	const struct passwd *entry;

	*uid = geteuid();
	*gid = getegid();
	if (!user || *uid != 0)
		return 0;
	entry = getpwnam(user);
	if (!entry)
		return err_set(err, "there is no user %s", user);
	*uid = entry->pw_uid;
	*gid = entry->pw_gid;
	return 0;
}

/* A directory that belongs to somebody else is not taken over silently; one of
 * root's (a fresh mount, say) is given to its user. */
static int
owner_set(int fd, const char *path, uid_t uid, gid_t gid, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(err, "cannot look at %s", path);
	if (st.st_uid == uid && (st.st_gid == gid || geteuid() != 0))
		return 0;
	if (st.st_uid != uid && st.st_uid != 0)
		return err_set(err, "%s belongs to user %u and not to user %u", path,
			       (unsigned)st.st_uid, (unsigned)uid);
	if (fchown(fd, uid, gid) != 0)
		return err_sys(err, "cannot change the owner of %s", path);
	return 0;
}

static int
set_up(const char *path, const struct directory *d, struct err *err)
{
	uid_t uid;
	gid_t gid;
	int fd, result;

	if (owner_find(d->user, &uid, &gid, err) != 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory %s", path);
	result = owner_set(fd, path, uid, gid, err);
	if (result == 0 && fchmod(fd, d->mode) != 0)
		result = err_sys(err, "cannot change the mode of %s", path);
	close(fd);
	return result;
}

static int
make_one(const struct directory *d, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s", d->base, d->below) >=
	    (int)sizeof(path))
		return err_set(err, "the path %.100s is too long", d->base);
	if (make_parents(path, err) != 0)
		return -1;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_sys(err, "cannot make the directory %s", path);
	return set_up(path, d, err);
}

int
directories_make(const struct master *m, struct err *err)
{
	const struct settings *s = &m->settings;
	const struct directory all[] = {
	    {s->run_directory,       "",          NULL,          0755 },
	    {s->run_directory,       "/control",  NULL,          0700 },
	    {s->run_directory,       "/empty",    NULL,          0555 },
	    {s->spool_directory,     "",          s->user_queue, 0711 },
	    {s->spool_directory,     "/seg",      s->user_queue, 0700 },
	    {s->spool_directory,     "/state",    s->user_queue, 0700 },
	    {s->spool_directory,     "/drop",     s->user_queue, 03733},
	    {s->spool_directory,     "/resolved", NULL,          0700 },
	    {s->mail_directory,      "",          s->user_mail,  0700 },
	    {s->directory_directory, "",          s->user_auth,  0700 },
	};

	for (size_t i = 0; i < N_ELEMS(all); i++)
		if (make_one(&all[i], err) != 0)
			return -1;
	return 0;
}
