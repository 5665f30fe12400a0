/* admin/backup.c - postroad backup: one generation, from its first file to its list */
#include "admin/backup.h"
#include "admin/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_PART "manifest.part"
#define MANIFEST_OLD  "manifest.old"
#define HEX_MAX       64

/* The tree goes by what the mail was restored as: files of the same name are others
 * then. */
static int
tree_name(struct backup_job *job, struct err *err)
{
	char path[BACKUP_PATH_MAX], hex[HEX_MAX + 1] = "";
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/" BACKUP_RESTORED,
		 job->admin->settings.mail_directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, hex, HEX_MAX);
		close(fd);
	} else if (errno != ENOENT) {
		return err_sys(err, "cannot open %s", path);
	}
	hex[n > 0 ? span_trim(span_make(hex, (size_t)n), "\n ").n : 0] = '\0';
	snprintf(job->tree, sizeof(job->tree), BACKUP_TREE "%s%s", hex[0] ? "-" : "",
		 hex);
	return backup_name_good(span_str(job->tree))
		   ? 0
		   : err_set(err, "%s holds no name", path);
}

/* The last generation's list, when it can be read and is of the same tree. */
static void
base_open(struct backup_job *job)
{
	const struct backup *b = job->backup;
	struct err err;

	if (b->n == 0)
		return;
	if (backup_walk_open(&job->base, b, b->generations[b->n - 1], &err) < 0)
		admin_complain("%s: all is copied anew", err.text);
	else
		job->has_base = strcmp(job->base.tree, job->tree) == 0;
}

static uint64_t
part_accounts(const struct backup *b, const char *name)
{
	struct backup_list l;
	struct backup_row row;
	uint64_t last = 0;
	struct err err;

	if (backup_list_open_part(&l, b->fd, name, &err) < 0)
		return 0;
	while (backup_list_next(&l, &row) == 1)
		if (row.kind == BACKUP_ROW_ACCOUNT)
			last = row.number;
	backup_list_close(&l);
	return last;
}

/* What a run that was cut off has made durable need not be copied again. */
static void
part_open(struct backup_job *job)
{
	char part[BACKUP_PATH_MAX], old[BACKUP_PATH_MAX];
	const struct backup *b = job->backup;
	struct err err;

	backup_name(job->generation, MANIFEST_PART, part);
	backup_name(job->generation, MANIFEST_OLD, old);
	if (part_accounts(b, part) >= part_accounts(b, old))
		(void)renameat(b->fd, part, b->fd, old);
	job->has_part = backup_list_open_part(&job->part.list, b->fd, old, &err) == 0;
}

static int
head_put(struct backup_job *job, struct err *err)
{
	const char *host = job->admin->settings.hostname;
	const struct backup_row rows[] = {
	    {.kind = BACKUP_ROW_VERSION  },
	    { .kind = BACKUP_ROW_GENERATION,   .number = job->generation},
	    { .kind = BACKUP_ROW_BEGAN,  .time_us = backup_now_us()},
	    { .kind = BACKUP_ROW_TREE, .name = span_str(job->tree)},
	    { .kind = BACKUP_ROW_HOST,      .name = span_str(host)},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		if (rows[i].kind == BACKUP_ROW_HOST && !backup_name_good(rows[i].name))
			continue;
		if (backup_put(job, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static int
job_begin(struct backup_job *job, struct err *err)
{
	const struct store_settings settings = {0};
	char part[BACKUP_PATH_MAX];
	int fd;

	job->generation =
	    job->backup->n > 0 ? job->backup->generations[job->backup->n - 1] + 1 : 1;
	job->store = store_new(job->admin->settings.mail_directory, &settings, err);
	if (!job->store || tree_name(job, err) < 0)
		return -1;
	base_open(job);
	backup_name(job->generation, MANIFEST_PART, part);
	if (backup_folders(job->backup->fd, part, 0700, err) < 0)
		return -1;
	part_open(job);
	fd = openat(job->backup->fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	job->list = fd < 0 ? NULL : fdopen(fd, "w");
	if (!job->list)
		return err_sys(err, "cannot make %s", part);
	return head_put(job, err);
}

/* All that is listed is on disk before the list is whole, and that before it has its
 * name. */
static int
job_finish(struct backup_job *job, struct err *err)
{
	char part[BACKUP_PATH_MAX], old[BACKUP_PATH_MAX], name[BACKUP_PATH_MAX];
	const struct backup_row end = {.kind = BACKUP_ROW_END};
	int dir = job->backup->fd;

	backup_name(job->generation, MANIFEST_PART, part);
	backup_name(job->generation, MANIFEST_OLD, old);
	backup_name(job->generation, BACKUP_MANIFEST, name);
	if (backup_put(job, &end, err) < 0)
		return -1;
	if (fflush(job->list) != 0)
		return err_sys(err, "cannot write %s", part);
	if (backup_sync(dir, err) < 0)
		return -1;
	if (renameat(dir, part, dir, name) < 0)
		return err_sys(err, "cannot rename %s", part);
	(void)unlinkat(dir, old, 0);
	return backup_sync(dir, err);
}

static void
job_release(struct backup_job *job)
{
	if (job->list)
		(void)fclose(job->list);
	backup_walk_close(&job->base);
	backup_walk_close(&job->part);
	free(job->before.at);
	free(job->begun.at);
	store_free(&job->store);
}

static int
job_run(struct backup_job *job, struct err *err)
{
	bool queue = !admin_option(job->admin, "--no-queue");

	/* Mail on its way from the queue to a mailbox is in one of them this way. */
	if (job_begin(job, err) < 0 || (queue && backup_queue(job, err) < 0) ||
	    backup_mail(job, err) < 0 || backup_accounts(job, err) < 0 ||
	    backup_settings(job, err) < 0)
		return -1;
	return job_finish(job, err);
}

static void
job_show(const struct backup_job *job, int64_t began_us)
{
	static const char *const columns[] = {
	    "generation", "accounts", "changed", "size", "copied", "ms", NULL};
	struct listing *l = listing_new(job->admin, columns);

	listing_number(l, job->generation);
	listing_number(l, job->n.accounts);
	listing_number(l, job->n.changed);
	listing_bytes(l, job->n.bytes);
	listing_bytes(l, job->n.copied);
	listing_number(l, (uint64_t)(backup_now_us() - began_us) / 1000);
	listing_end_single(&l);
}

static enum exit_status
run_backup(struct admin *admin, int argc, char **argv)
{
	const char *keep = admin_option(admin, "--keep");
	struct backup_job job = {.admin = admin};
	int64_t began_us = backup_now_us();
	uint64_t kept = UINT64_MAX;
	struct backup b;
	struct err err;
	int result;

	(void)argc;
	if (keep && (!number_parse(span_str(keep), 1000000, &kept) || kept == 0)) {
		admin_complain("--keep takes how many generations are to be left");
		return EXIT_USAGE;
	}
	if (!admin_settings(admin))
		return EXIT_FAILED;
	result = backup_open(&b, argv[0], true, &err);
	job.backup = &b;
	if (result == 0)
		result = job_run(&job, &err);
	job_release(&job);
	if (result == 0)
		job_show(&job, began_us);
	if (result == 0 && keep)
		result = backup_expire(&b, kept, &err);
	backup_close(&b);
	if (result < 0)
		admin_complain("%s", err.text);
	return result < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void
note_file(void *context, const struct backup_row *row)
{
	uint64_t *bytes = context;

	*bytes += row->bytes;
}

/* False after telling that the list is damaged. */
static bool
list_one(const struct backup *b, uint64_t generation, struct listing *l)
{
	struct backup_pieces pieces = {0};
	uint64_t accounts = 0, bytes = 0;
	struct backup_walk w = {.file = note_file, .context = &bytes};
	struct err err;
	int got = backup_walk_open(&w, b, generation, &err);

	while (got >= 0 && (got = backup_walk_next(&w, &pieces)) == 1) {
		accounts++;
		for (size_t i = 0; i < pieces.n; i++)
			bytes += pieces.at[i].bytes;
	}
	listing_number(l, generation);
	listing_time(l, (uint64_t)w.began_us);
	listing_number(l, accounts);
	listing_bytes(l, bytes);
	listing_text(l, got < 0 ? SPAN("damaged list") : SPAN("whole"));
	free(pieces.at);
	backup_walk_close(&w);
	return got >= 0;
}

static enum exit_status
run_list(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"generation", "began", "accounts",
					      "size",       "state", NULL};
	enum exit_status status = EXIT_DONE;
	struct listing *l;
	struct backup b;
	struct err err;

	(void)argc;
	if (backup_open(&b, argv[0], false, &err) < 0) {
		admin_complain("%s", err.text);
		backup_close(&b);
		return EXIT_FAILED;
	}
	l = listing_new(admin, columns);
	for (size_t i = 0; i < b.n; i++)
		if (!list_one(&b, b.generations[i], l))
			status = EXIT_FAILED;
	listing_end(&l);
	backup_close(&b);
	return status;
}

command_run backup_verify;
command_run restore_all;

const struct command commands_backup[] = {
    {"backup",		"verify", "DIR [--generation N]", 1, 1, "--generation=", backup_verify,
     "read a backup and compare every byte with its list"},
    {"backup", "list", "DIR", 1, 1, NULL, run_list, "the generations of a backup"},
    {"backup",		      NULL, "DIR [--keep N] [--no-queue]", 1, 1, "--keep= --no-queue",
     run_backup, "a new generation of everything, while all runs"},
    {0	 },
};
