/* the settings file, the files it names, and the keys beside the directory */
#include "admin/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16u << 20)

/* Settings whose files are the operator's own. */
static const char *const named[] = {"tls_certificate", "tls_key", "report_templates",
				    "dns_trust_anchor", "postgresql_password_file"};

/* Two files of the generation: where each of these belongs, and whose it is. */
struct listed {
	struct buf where, modes;
};

/* What is left out is told: a backup without it is better than none. */
static int
take_file(struct backup_job *job, const char *path, const char *name, bool *taken,
	  struct stat *of, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), result = 0;
	struct stat info;

	*taken = false;
	if (fd < 0 || fstat(fd, &info) < 0) {
		admin_complain("%s is not in the backup: %s", path, strerror(errno));
	} else if (!S_ISREG(info.st_mode) || info.st_size > FILE_BYTES_MAX) {
		admin_complain("%s is not in the backup: it is no file of at most "
			       "16 MiB",
			       path);
	} else {
		result = backup_put_file(job, fd, name, (uint64_t)info.st_size, err);
		*taken = result == 0;
		*of = info;
	}
	if (fd >= 0)
		close(fd);
	return result;
}

/* By names, since numbers may be others on another machine. */
static void
put_mode(struct buf *modes, const char *name, const struct stat *info)
{
	const struct passwd *user = getpwuid(info->st_uid);
	const struct group *group = getgrgid(info->st_gid);

	buf_putf(modes, "%s %o %s %s\n", name, (unsigned)info->st_mode & 0777,
		 user ? user->pw_name : "root", group ? group->gr_name : "root");
}

static int
take_named(struct backup_job *job, const char *name, const char *path,
	   struct listed *listed, struct err *err)
{
	char kept[BACKUP_NAME_MAX];
	struct stat info;
	bool taken;

	snprintf(kept, sizeof(kept), "files/%s", name);
	if (take_file(job, path, kept, &taken, &info, err) < 0)
		return -1;
	if (taken) {
		buf_putf(&listed->where, "%s %s\n", name, path);
		put_mode(&listed->modes, name, &info);
	}
	return 0;
}

/* A berkeley db environment is in the dump. */
static bool
is_key_file(const char *name)
{
	struct span s = span_str(name);

	return backup_name_good(s) && !span_starts(s, SPAN("__db.")) &&
	       !span_starts(s, SPAN("log.")) && !span_ends_nocase(s, SPAN(".db")) &&
	       !span_ends_nocase(s, SPAN(".new")) && !span_equal(s, SPAN("lock")) &&
	       !span_equal(s, SPAN("DB_CONFIG"));
}

static int
take_keys(struct backup_job *job, struct err *err)
{
	const char *folder = job->admin->settings.directory_directory;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int result = 0;

	if (!dir)
		return err_sys(err, "cannot list %s", folder);
	while (result == 0 && (entry = readdir(dir))) {
		char path[BACKUP_PATH_MAX + 256], name[BACKUP_NAME_MAX + 8];
		struct stat info;
		bool taken;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!is_key_file(entry->d_name) || lstat(path, &info) < 0 ||
		    !S_ISREG(info.st_mode))
			continue;
		snprintf(name, sizeof(name), "keys/%.*s", BACKUP_NAME_MAX,
			 entry->d_name);
		result = take_file(job, path, name, &taken, &info, err);
	}
	closedir(dir);
	return result;
}

int
backup_settings(struct backup_job *job, struct err *err)
{
	struct listed listed = {buf_make(64u << 10), buf_make(64u << 10)};
	const struct conf_row *rows;
	int result;
	size_t n;

	result = take_named(job, "settings", job->admin->config, &listed, err);
	rows = conf_rows(&n);
	for (size_t i = 0; i < n && result == 0; i++) {
		const char *path;

		if (rows[i].type != CONF_PATH)
			continue;
		memcpy(&path, (const char *)&job->admin->settings + rows[i].offset,
		       sizeof(path));
		for (size_t k = 0; k < N_ELEMS(named) && result == 0; k++)
			if (strcmp(named[k], rows[i].name) == 0 && path[0])
				result =
				    take_named(job, rows[i].name, path, &listed, err);
	}
	if (result == 0)
		result = take_keys(job, err);
	if (result == 0)
		result =
		    backup_put_bytes(job, buf_span(&listed.where), "files/where", err);
	if (result == 0)
		result =
		    backup_put_bytes(job, buf_span(&listed.modes), "files/modes", err);
	buf_release(&listed.where);
	buf_release(&listed.modes);
	return result;
}
