#include "master/master.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_one(const char *setting, const char *path, int *out, struct err *err)
{
	*out = -1;
	if (!*path)
		return 0;
	*out = open(path, O_RDONLY | O_CLOEXEC);
	return *out >= 0 ? 0 : err_sys(err, "%s: cannot open %s", setting, path);
}

int
files_open(struct files *out, const struct settings *settings, struct err *err)
{
	struct files files = {-1, -1};

	if (open_one("tls_certificate", settings->tls_certificate, &files.certificate,
		     err) != 0 ||
	    open_one("tls_key", settings->tls_key, &files.key, err) != 0) {
		files_close(&files);
		return -1;
	}
	*out = files;
	return 0;
}

void
files_close(struct files *f)
{
	if (f->certificate >= 0)
		close(f->certificate);
	if (f->key >= 0)
		close(f->key);
	*f = (struct files){-1, -1};
}

/* The directory may be renamed by whom the spool belongs to, so nothing that it could
 * have been replaced by is followed or believed. */
static int
policies_open(const char *folder, struct err *err)
{
	int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = -1;
	struct stat st;

	if (folder_fd < 0)
		return err_sys(err, "cannot open the directory %s", folder);
	fd = openat(folder_fd, "policies", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	close(folder_fd);
	if (fd < 0)
		return err_sys(err, "cannot open %s/policies", folder);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == geteuid())
		return fd;
	close(fd);
	return err_set(err, "%s/policies is no file of ours alone", folder);
}

int
files_open_policies(int *out, const struct settings *settings, struct err *err)
{
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%s/resolved",
		     settings->spool_directory) >= (int)sizeof(folder))
		return err_set(err, "spool_directory is too long");
	*out = policies_open(folder, err);
	return *out < 0 ? -1 : 0;
}
