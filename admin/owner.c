#include "admin/owner.h"

#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

static int
become(uid_t user, gid_t group, const char *whose, struct err *err)
{
	if (setgroups(1, &group) != 0 || setegid(group) != 0 || seteuid(user) != 0)
		return err_sys(err, "cannot become the user of %s", whose);
	return 0;
}

int
owner_become(const char *folder, struct err *err)
{
	struct stat info;

	if (getuid() != 0)
		return 0;
	if (stat(folder, &info) != 0)
		return err_sys(err, "%s", folder);
	return become(info.st_uid, info.st_gid, folder, err);
}

int
owner_become_user(const char *name, struct err *err)
{
	const struct passwd *user = getuid() == 0 ? getpwnam(name) : NULL;

	return user ? become(user->pw_uid, user->pw_gid, name, err) : 0;
}

void
owner_read_all(void)
{
	const cap_value_t reading[] = {CAP_DAC_READ_SEARCH};
	cap_t caps;

	if (getuid() != 0)
		return;
	caps = cap_get_proc();
	/* Where it cannot be had, reading tells. */
	if (caps && cap_set_flag(caps, CAP_EFFECTIVE, 1, reading, CAP_SET) == 0)
		(void)cap_set_proc(caps);
	if (caps)
		cap_free(caps);
}

void
owner_restore(void)
{
	/* The real user is still root's, so neither call can fail. */
	if (getuid() == 0 && (seteuid(0) != 0 || setegid(0) != 0))
		abort();
}
