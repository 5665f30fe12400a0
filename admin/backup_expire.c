/* generations that are no longer wanted, and what only they needed */
#include "admin/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* One list of those that stay, by turns. */
struct staying {
	struct backup_walk walk;
	struct backup_pieces pieces;
	bool more;
};

struct sweep {
	struct backup *backup;
	struct staying *at;
	size_t n;
	const char *tree; /* that is being swept */
};

static int
folder_remove(const struct backup *b, const char *name, struct err *err)
{
	char path[2 * BACKUP_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", b->path, name);
	return backup_remove(path, err);
}

/* The list goes first: without it nothing else counts. */
static int
generation_remove(const struct backup *b, uint64_t generation, struct err *err)
{
	char list[BACKUP_PATH_MAX], folder[BACKUP_PATH_MAX];

	backup_name(generation, BACKUP_MANIFEST, list);
	snprintf(folder, sizeof(folder), "generations/%" PRIu64, generation);
	if (unlinkat(b->fd, list, 0) < 0)
		return err_sys(err, "cannot remove %s", list);
	return folder_remove(b, folder, err);
}

static int
staying_next(struct staying *s, struct err *err)
{
	int got = s->more ? backup_walk_next(&s->walk, &s->pieces) : 0;

	s->more = got == 1;
	return got < 0 ? err_set(err, "a list is damaged; nothing is removed") : 0;
}

static bool
piece_needed(const struct sweep *s, uint64_t id, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct staying *g = &s->at[i];

		if (!g->more || g->pieces.id != id)
			continue;
		for (size_t k = 0; k < g->pieces.n; k++)
			if (strcmp(g->pieces.at[k].kept, name) == 0)
				return true;
	}
	return false;
}

static int
account_sweep(const struct sweep *s, uint64_t id, struct err *err)
{
	char folder[BACKUP_PATH_MAX];
	struct dirent *entry;
	bool any = false;
	DIR *dir;
	int fd;

	backup_account_folder(span_str(s->tree), id, folder);
	fd = openat(s->backup->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno == ENOENT ? 0 : err_sys(err, "cannot list %s", folder);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (piece_needed(s, id, entry->d_name))
			any = true;
		else
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	if (!any)
		(void)unlinkat(s->backup->fd, folder, AT_REMOVEDIR);
	return 0;
}

struct swept {
	uint64_t *at;
	size_t n;
};

static int
id_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
ids_add(int tree, const char *fan, struct swept *out)
{
	int fd = openat(tree, fan, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint8_t bytes[8];

	while (dir && (entry = readdir(dir))) {
		uint64_t id = 0;

		if (!hex_parse(span_str(entry->d_name), bytes, sizeof(bytes)))
			continue;
		for (size_t i = 0; i < sizeof(bytes); i++)
			id = id << 8 | bytes[i];
		out->at = memory_resize(out->at, out->n + 1, sizeof(*out->at));
		out->at[out->n++] = id;
	}
	if (dir)
		closedir(dir);
}

/* The accounts that the tree has anything of, ascending. */
static int
ids_read(const struct sweep *s, struct swept *out, struct err *err)
{
	int tree = openat(s->backup->fd, s->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot open %s", s->tree);
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t byte = (uint8_t)i;
		char fan[3];

		hex_put(&byte, 1, fan);
		ids_add(tree, fan, out);
	}
	close(tree);
	if (out->n > 0)
		qsort(out->at, out->n, sizeof(*out->at), id_order);
	return 0;
}

static int
tree_sweep(struct sweep *s, struct err *err)
{
	struct swept ids = {0};
	int result = ids_read(s, &ids, err);

	for (size_t i = 0; i < ids.n && result == 0; i++) {
		for (size_t k = 0; k < s->n && result == 0; k++)
			while (result == 0 && s->at[k].more &&
			       s->at[k].pieces.id < ids.at[i])
				result = staying_next(&s->at[k], err);
		if (result == 0)
			result = account_sweep(s, ids.at[i], err);
	}
	/* A list that is damaged further on is not to be believed before either, but
	 * all it names was kept. */
	free(ids.at);
	return result;
}

static int
sweep_open(struct sweep *s, struct err *err)
{
	s->n = s->backup->n;
	s->at = memory_new(s->n, sizeof(*s->at));
	for (size_t i = 0; i < s->n; i++) {
		struct staying *g = &s->at[i];

		if (backup_walk_open(&g->walk, s->backup, s->backup->generations[i],
				     err) < 0)
			return -1;
		g->more = strcmp(g->walk.tree, s->tree) == 0;
		if (g->more && staying_next(g, err) < 0)
			return -1;
	}
	return 0;
}

static void
sweep_close(struct sweep *s)
{
	for (size_t i = 0; i < s->n && s->at; i++) {
		backup_walk_close(&s->at[i].walk);
		free(s->at[i].pieces.at);
	}
	free(s->at);
	s->at = NULL;
}

/* Each tree that there is: that of now, and those of before a restore. */
static int
trees_sweep(struct backup *b, struct err *err)
{
	int fd = openat(b->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return err_sys(err, "cannot list %s", b->path);
	while (result == 0 && (entry = readdir(dir))) {
		struct sweep s = {.backup = b, .tree = entry->d_name};

		if (!span_starts(span_str(entry->d_name), SPAN(BACKUP_TREE)))
			continue;
		result = sweep_open(&s, err);
		if (result == 0)
			result = tree_sweep(&s, err);
		sweep_close(&s);
	}
	closedir(dir);
	return result;
}

/* A list that cannot be read whole must not decide what goes. */
static int
lists_check(const struct backup *b, struct err *err)
{
	for (size_t i = 0; i < b->n; i++) {
		struct backup_walk w = {0};
		struct backup_pieces pieces = {0};
		int got = backup_walk_open(&w, b, b->generations[i], err);

		while (got >= 0 && (got = backup_walk_next(&w, &pieces)) == 1)
			continue;
		backup_walk_close(&w);
		free(pieces.at);
		if (got < 0)
			return err_set(err,
				       "generation %" PRIu64 " is damaged, so nothing "
				       "is removed; `postroad backup verify` says more",
				       b->generations[i]);
	}
	return 0;
}

int
backup_expire(struct backup *b, uint64_t keep, struct err *err)
{
	struct backup again;
	int result;

	/* What was just made counts, too. */
	result = backup_open(&again, b->path, false, err);
	if (result == 0)
		result = lists_check(&again, err);
	for (size_t i = 0; result == 0 && again.n > keep && i + keep < again.n; i++)
		result = generation_remove(&again, again.generations[i], err);
	if (result == 0 && again.n > keep) {
		memmove(again.generations, again.generations + again.n - keep,
			keep * sizeof(*again.generations));
		again.n = keep;
		result = trees_sweep(&again, err);
	}
	backup_close(&again);
	return result;
}
