/* the directory that holds every account */
#include "common/store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DATA_FILE_BYTES    (256u << 20)
#define JOURNAL_FILE_BYTES (1u << 20)

/* Those whose locks, mappings and syncs do not hold between machines. */
static const struct {
	uint32_t magic;
	const char *name;
} network[] = {
    {NFS_SUPER_MAGIC,  "NFS"   },
    {SMB_SUPER_MAGIC,  "SMB"   },
    {0xff534d42u,      "CIFS"  },
    {0xfe534d42u,      "SMB2"  },
    {CODA_SUPER_MAGIC, "Coda"  },
    {AFS_SUPER_MAGIC,  "AFS"   },
    {AFS_FS_MAGIC,     "AFS"   },
    {NCP_SUPER_MAGIC,  "NCP"   },
    {V9FS_MAGIC,       "9p"    },
    {CEPH_SUPER_MAGIC, "Ceph"  },
    {0x01161970u,      "GFS2"  },
    {0x7461636fu,      "OCFS2" },
    {0x0bd00bd0u,      "Lustre"},
};

static int
root_check(int fd, const char *root, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, "store: cannot look at the file system of %s",
			       root);
	for (size_t i = 0; i < N_ELEMS(network); i++)
		if ((uint32_t)fs.f_type == network[i].magic)
			return err_set(err,
				       "store: %s lies on a network file system (%s), "
				       "which cannot keep mail safe: use a local one",
				       root, network[i].name);
	return 0;
}

static int
no_sync(void *disk, int fd)
{
	(void)disk;
	(void)fd;
	return 0;
}

/* Tells one run of the machine from another; zeros when it cannot be told. */
static void
boot_read(uint8_t boot[16])
{
	char text[64] = "", plain[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0)
		for (const char *p = text; *p; p++)
			if (*p != '-' && *p != '\n')
				plain[n++] = *p;
	close(fd);
	if (!hex_parse(span_make(plain, n), boot, 16))
		memset(boot, 0, 16);
}

struct store *
store_new_on(const struct log_io *io, int dir, const struct store_settings *settings,
	     struct err *err)
{
	uint64_t seed[2];
	struct store *s;

	if (io->random(io->disk, &seed[0], sizeof(seed[0])) < 0 ||
	    io->random(io->disk, &seed[1], sizeof(seed[1])) < 0) {
		err_sys(err, "store: no random numbers");
		return NULL;
	}
	s = memory_new(1, sizeof(*s));
	s->io = io;
	s->guid_high = seed[0];
	s->guid_low = seed[1];
	s->lazy = *io;
	s->lazy.fdatasync = no_sync;
	s->lazy.fsync = no_sync;
	s->root = -1;
	s->lone = dir;
	s->settings = *settings;
	if (s->settings.data_file_bytes == 0)
		s->settings.data_file_bytes = DATA_FILE_BYTES;
	if (s->settings.journal_file_bytes == 0)
		s->settings.journal_file_bytes = JOURNAL_FILE_BYTES;
	s->charsets = text_charsets_new();
	s->parser = mime_parser_new(text_charsets_mime(s->charsets));
	return s;
}

struct store *
store_new(const char *root, const struct store_settings *settings, struct err *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct store *s;

	if (fd < 0) {
		err_sys(err, "store: cannot open %s", root);
		return NULL;
	}
	if (root_check(fd, root, err) < 0) {
		close(fd);
		return NULL;
	}
	s = store_new_on(&log_io_real, -1, settings, err);
	if (!s) {
		close(fd);
		return NULL;
	}
	s->root = fd;
	boot_read(s->boot);
	return s;
}

void
store_free(struct store **store)
{
	struct store *s = *store;

	if (!s)
		return;
	if (s->root >= 0)
		close(s->root);
	windows_release(s);
	mime_parser_free(&s->parser);
	text_work_free(&s->text_work);
	text_charsets_free(&s->charsets);
	free(s);
	*store = NULL;
}

int
store_sync_disk(const struct store *store, struct err *err)
{
	if (syncfs(store->root) < 0)
		return err_sys(err, "store: cannot sync the file system");
	return 0;
}

int
store_space(const struct store *store, uint64_t *bytes, uint64_t *files,
	    struct err *err)
{
	struct statvfs fs;

	if (fstatvfs(store->root, &fs) < 0)
		return err_sys(err, "store: cannot tell the free space");
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	*files = fs.f_favail;
	return 0;
}

struct id_list {
	uint64_t *at;
	size_t n, size;
};

static void
id_add(struct id_list *list, uint64_t id)
{
	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 64;
		list->at = memory_resize(list->at, list->size, sizeof(*list->at));
	}
	list->at[list->n++] = id;
}

/* Calls `each` for the names in a directory. */
static int
names_each(int parent, const char *name, void (*each)(void *, const char *),
	   void *context)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(dir)))
		each(context, entry->d_name);
	closedir(dir);
	return 0;
}

static void
account_name_take(void *context, const char *name)
{
	uint8_t bytes[8];
	uint64_t id = 0;

	if (!hex_parse(span_str(name), bytes, sizeof(bytes)))
		return;
	for (size_t i = 0; i < sizeof(bytes); i++)
		id = id << 8 | bytes[i];
	id_add(context, id);
}

static int
id_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int
store_accounts(const struct store *store, uint64_t **ids, size_t *n, struct err *err)
{
	struct id_list list = {0};

	for (unsigned i = 0; i < 256; i++) {
		const uint8_t byte = (uint8_t)i;
		char fan[3];

		hex_put(&byte, 1, fan);
		if (names_each(store->root, fan, account_name_take, &list) < 0 &&
		    errno != ENOENT) {
			free(list.at);
			return err_sys(err, "store: cannot list %s", fan);
		}
	}
	if (list.n > 0)
		qsort(list.at, list.n, sizeof(*list.at), id_order);
	*ids = list.at;
	*n = list.n;
	return 0;
}
