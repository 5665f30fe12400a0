#include "master/master.h"

#include <fcntl.h>
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
