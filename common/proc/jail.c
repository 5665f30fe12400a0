#include "common/proc/jail.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER 1
#endif
#if !defined(UNDER_SANITIZER)
#define UNDER_SANITIZER 0
#endif

#if UNDER_SANITIZER
/* Looking for leaks at the end needs to trace oneself, which the jail forbids. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int
user_find(struct jail *jail, const char *name, struct err *err)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user && errno != 0)
		return err_sys(err, "cannot look up the user %s", name);
	if (!user)
		return err_set(err, "there is no user %s", name);
	if (user->pw_uid == 0)
		return err_set(err, "the user %s has all rights; another is needed",
			       name);
	jail->uid = user->pw_uid;
	jail->gid = user->pw_gid;
	return 0;
}

int
jail_prepare(struct jail *jail, const struct service *service,
	     const struct settings *settings, struct err *err)
{
	*jail = (struct jail){.service = service, .root = geteuid() == 0};
	jail->no_network = service->jail.no_network &&
			   !(service->jail.database && conf_needs_network(settings));
	if (!jail->root)
		return 0;
	if (snprintf(jail->empty, sizeof(jail->empty), "%s/empty",
		     settings->run_directory) >= (int)sizeof(jail->empty))
		return err_set(err, "run_directory is too long");
	return user_find(jail, service_user_name(service, settings), err);
}

int
jail_empty_check(const char *path, uid_t owner, struct err *err)
{
	DIR *folder = opendir(path);
	struct stat st;
	int n = 0;

	if (!folder)
		return err_sys(err, "cannot open %s", path);
	if (fstat(dirfd(folder), &st) != 0) {
		closedir(folder);
		return err_sys(err, "cannot look at %s", path);
	}
	while (readdir(folder))
		n++;
	closedir(folder);
	if (st.st_uid != owner || (st.st_mode & 0222) != 0)
		return err_set(err, "%s must be root's and writable for nobody", path);
	if (n > 2)
		return err_set(err, "%s must be empty", path);
	return 0;
}

/* Only with CAP_SYS_RESOURCE a program may have more than it was given; others,
 * root in many a container too, get what there is. */
static int
limit_set(__rlimit_resource_t what, const char *name, rlim_t value, struct err *err)
{
	struct rlimit given, limit = {value, value};

	if (getrlimit(what, &given) != 0)
		return err_sys(err, "cannot read the limit %s", name);
	if (setrlimit(what, &limit) == 0)
		return 0;
	limit.rlim_cur = limit.rlim_max = given.rlim_max;
	if (value <= given.rlim_max || setrlimit(what, &limit) != 0)
		return err_sys(err, "cannot set the limit %s", name);
	return 0;
}

static int
limits_set(const struct service_jail *row, struct err *err)
{
	if (limit_set(RLIMIT_NOFILE, "of open files", row->open_files, err) != 0 ||
	    limit_set(RLIMIT_CORE, "of core files", 0, err) != 0)
		return -1;
	if (!UNDER_SANITIZER &&
	    limit_set(RLIMIT_AS, "of memory", row->memory_bytes, err) != 0)
		return -1;
	if (row->no_files &&
	    limit_set(RLIMIT_FSIZE, "of file size", row->file_bytes, err) != 0)
		return -1;
	if (row->no_children && limit_set(RLIMIT_NPROC, "of processes", 0, err) != 0)
		return -1;
	return 0;
}

static void
namespaces_leave(const struct jail *jail)
{
	int flags = CLONE_NEWIPC | (jail->no_network ? CLONE_NEWNET : 0);

	if (unshare(flags) != 0)
		logline(LOGLINE_WARNING, "jail.namespace",
			L_STR("error", strerrordesc_np(errno)));
}

static int
root_change(const struct jail *jail, struct err *err)
{
	if (!jail->service->jail.empty_root)
		return 0;
	if (jail_empty_check(jail->empty, 0, err) != 0)
		return -1;
	if (chroot(jail->empty) != 0 || chdir("/") != 0)
		return err_sys(err, "cannot make %s the root directory", jail->empty);
	return 0;
}

static int
bounding_set_drop(struct err *err)
{
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return err_sys(err, "cannot drop capability %lu", i);
	return 0;
}

static int
user_change(const struct jail *jail, struct err *err)
{
	if (setgroups(0, NULL) != 0 ||
	    setresgid(jail->gid, jail->gid, jail->gid) != 0 ||
	    setresuid(jail->uid, jail->uid, jail->uid) != 0)
		return err_sys(err, "cannot become another user");
	if (setuid(0) == 0 || setgid(0) == 0)
		return err_set(err, "the way back to root is open");
	return 0;
}

static int
capabilities_drop(struct err *err)
{
	cap_t none = cap_init();
	int result = none ? cap_set_proc(none) : -1;

	if (none)
		cap_free(none);
	if (result != 0)
		return err_sys(err, "cannot drop the capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return err_sys(err, "cannot drop the ambient capabilities");
	return 0;
}

static int
root_rights_drop(const struct jail *jail, struct err *err)
{
	namespaces_leave(jail);
	if (root_change(jail, err) != 0 || bounding_set_drop(err) != 0)
		return -1;
	return user_change(jail, err);
}

/* The place for system call filter and Landlock rules: all rights are gone, and
 * nothing from outside was read yet. */
static int
jail_filter(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(err, "cannot forbid new privileges");
	return 0;
}

int
jail_enter(const struct jail *jail, struct err *err)
{
	if (limits_set(&jail->service->jail, err) != 0)
		return -1;
	if (jail->root && root_rights_drop(jail, err) != 0)
		return -1;
	if (capabilities_drop(err) != 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_sys(err, "cannot forbid tracing");
	return jail_filter(err);
}
