/* admin/backup_verify.c - postroad backup verify: every byte against its list */
#include "admin/backup.h"
#include "admin/listing.h"
#include "admin/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

struct verifying {
	const struct backup *backup;
	uint64_t generation;
	struct listing *l;
	uint64_t pieces, bytes, findings;
};

static void
found(struct verifying *v, const char *path, const char *what)
{
	v->findings++;
	listing_number(v->l, v->generation);
	listing_text(v->l, span_str(path));
	listing_text(v->l, span_str(what));
}

static void
check_file(struct verifying *v, const char *path, uint64_t bytes, uint32_t crc)
{
	int fd = openat(v->backup->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint32_t got = 0;
	struct err err;

	v->pieces++;
	v->bytes += bytes;
	if (fd < 0)
		found(v, path, errno == ENOENT ? "is missing" : strerror(errno));
	else if (backup_copy(fd, -1, 0, bytes, &got, &err) < 0)
		found(v, path, err.text);
	else if (got != crc)
		found(v, path, "is damaged: its CRC is another");
	if (fd >= 0)
		close(fd);
}

static void
check_row(void *context, const struct backup_row *row)
{
	struct verifying *v = context;
	char name[BACKUP_NAME_MAX + 1], path[BACKUP_PATH_MAX];

	if (!span_copy(row->name, name, sizeof(name)))
		return;
	backup_name(v->generation, name, path);
	check_file(v, path, row->bytes, row->crc);
}

static bool
same_piece(const struct backup_piece *a, const struct backup_piece *b)
{
	return a && a->bytes == b->bytes && a->crc == b->crc &&
	       strcmp(a->kept, b->kept) == 0;
}

/* `newer`, which may be of no account, is what a newer generation has, whose pieces
 * were looked at. */
static void
check_account(struct verifying *v, const char *tree, const struct backup_pieces *pieces,
	      const struct backup_pieces *newer)
{
	char folder[BACKUP_PATH_MAX], path[BACKUP_PATH_MAX + BACKUP_NAME_MAX + 2];

	backup_account_folder(span_str(tree), pieces->id, folder);
	for (size_t i = 0; i < pieces->n; i++) {
		const struct backup_piece *p = &pieces->at[i];

		if (newer->n > 0 && newer->id == pieces->id &&
		    same_piece(backup_piece_find(newer, p->name), p))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, p->kept);
		check_file(v, path, p->bytes, p->crc);
	}
}

/* One generation; `newer` (0: none) has been looked at. */
static void
check_generation(struct verifying *v, uint64_t newer)
{
	struct backup_walk w = {.file = check_row, .context = v}, other = {0};
	struct backup_pieces pieces = {0}, seen = {0};
	struct progress *progress = progress_new("verifying", "accounts", 0);
	char path[BACKUP_PATH_MAX];
	bool has_other;
	uint64_t n = 0;
	struct err err;
	int got = backup_walk_open(&w, v->backup, v->generation, &err);

	has_other = newer > 0 &&
		    backup_walk_open(&other, v->backup, newer, &err) == 0 &&
		    strcmp(other.tree, w.tree) == 0;
	while (got >= 0 && (got = backup_walk_next(&w, &pieces)) == 1) {
		progress_at(progress, n++, SPAN(""));
		while (has_other && (seen.id < pieces.id || seen.n == 0)) {
			has_other = backup_walk_next(&other, &seen) == 1;
			if (!has_other)
				seen.n = 0;
			else if (seen.id >= pieces.id)
				break;
		}
		check_account(v, w.tree, &pieces, &seen);
	}
	progress_free(&progress);
	backup_name(v->generation, BACKUP_MANIFEST, path);
	if (got < 0)
		found(v, path, "is damaged: the list is not whole");
	backup_walk_close(&w);
	if (newer > 0)
		backup_walk_close(&other);
	free(pieces.at);
	free(seen.at);
}

/* All of them, the newest first, or the one that is asked for. */
static void
check_all(struct verifying *v, uint64_t only)
{
	const struct backup *b = v->backup;

	for (size_t i = b->n; i-- > 0;) {
		if (only > 0 && b->generations[i] != only)
			continue;
		v->generation = b->generations[i];
		check_generation(v,
				 only == 0 && i + 1 < b->n ? b->generations[i + 1] : 0);
	}
}

command_run backup_verify;

enum exit_status
backup_verify(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"generation", "file", "finding", NULL};
	const char *option = admin_option(admin, "--generation");
	struct verifying v = {0};
	uint64_t only = 0;
	struct backup b;
	struct err err;

	(void)argc;
	if (backup_open(&b, argv[0], false, &err) < 0) {
		admin_complain("%s", err.text);
		backup_close(&b);
		return EXIT_FAILED;
	}
	v.backup = &b;
	only = backup_choose(&b, option);
	if (only == 0) {
		backup_close(&b);
		return EXIT_FAILED;
	}
	v.l = listing_new(admin, columns);
	check_all(&v, option ? only : 0);
	listing_end(&v.l);
	if (!admin->json)
		printf("%" PRIu64 " files, %" PRIu64 " bytes: %" PRIu64 " findings\n",
		       v.pieces, v.bytes, v.findings);
	backup_close(&b);
	return v.findings > 0 ? EXIT_FAILED : EXIT_DONE;
}
