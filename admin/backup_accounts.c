/* the directory: every object whole, with its secrets and ids
 *
 * The file "directory" is one after the other: four bytes of length, little-endian,
 * then the object as the directory's requests have it.
 */
#include "admin/backup.h"
#include "admin/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct dumping {
	FILE *file;
	bool failed;
};

static void
take_object(void *context, const struct directory_object *o)
{
	struct dumping *d = context;
	struct buf object = buf_make(DIRECTORY_REQUEST_MAX), length = buf_make(4);

	directory_object_put(o, &object);
	wire_put_u32(&length, (uint32_t)object.n);
	if (object.full || fwrite(length.at, 1, length.n, d->file) != length.n ||
	    fwrite(object.at, 1, object.n, d->file) != object.n)
		d->failed = true;
	if (object.at)
		explicit_bzero(object.at, object.n);
	buf_release(&object);
	buf_release(&length);
}

/* In the order that they can be put back in. */
static int
dump(struct backup_job *job, FILE *file, struct err *err)
{
	static const enum directory_kind kinds[] = {
	    DIRECTORY_DOMAIN, DIRECTORY_ACCOUNT, DIRECTORY_GROUP,
	    DIRECTORY_ALIAS,  DIRECTORY_LIST,    DIRECTORY_APP_PASSWORD};
	struct dumping d = {.file = file};

	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		if (directory_list(job->admin, DIRECTORY_DUMP, kinds[i], "",
				   take_object, &d) != EXIT_DONE)
			return err_set(err, "the accounts cannot be read");
	if (d.failed || fflush(file) != 0)
		return err_sys(err, "cannot write what the directory holds");
	return 0;
}

int
backup_accounts(struct backup_job *job, struct err *err)
{
	char fresh[BACKUP_PATH_MAX];
	struct stat info;
	FILE *file;
	int fd, result;

	backup_name(job->generation, "directory.new", fresh);
	fd = openat(job->backup->fd, fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	file = fd < 0 ? NULL : fdopen(fd, "w+");
	if (!file)
		return err_sys(err, "cannot make %s", fresh);
	result = dump(job, file, err);
	if (result == 0 && fstat(fd, &info) < 0)
		result = err_sys(err, "cannot read %s", fresh);
	if (result == 0)
		result =
		    backup_put_file(job, fd, "directory", (uint64_t)info.st_size, err);
	(void)fclose(file);
	(void)unlinkat(job->backup->fd, fresh, 0);
	return result;
}
