#include "admin/import.h"
#include "admin/import_hmail.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4096

/* ---- files */

int
import_file_open(const char *path, struct import_file *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	int r = 0;

	*out = (struct import_file){.text = SPAN("")};
	if (fd < 0)
		return err_sys(err, "%s", path);
	if (fstat(fd, &info) != 0) {
		r = err_sys(err, "%s", path);
	} else if (!S_ISREG(info.st_mode)) {
		r = err_set(err, "%s: no file", path);
	} else if (info.st_size > 0) {
		out->bytes = (size_t)info.st_size;
		out->map = mmap(NULL, out->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
		if (out->map == MAP_FAILED) {
			out->map = NULL;
			r = err_sys(err, "%s", path);
		}
	}
	if (out->map)
		out->text = span_make(out->map, out->bytes);
	close(fd);
	return r;
}

void
import_file_close(struct import_file *f)
{
	if (f->map)
		munmap(f->map, f->bytes);
	*f = (struct import_file){0};
}

static bool
join_path(const char *folder, struct span name, char out[PATH_BYTES_MAX])
{
	if (name.n > 0 && name.at[0] == '/')
		return span_copy(name, out, PATH_BYTES_MAX);
	return snprintf(out, PATH_BYTES_MAX, "%s/%.*s", folder, SPAN_ARG(name)) <
	       PATH_BYTES_MAX;
}

/* ---- files of users */

static int
read_passwd_file(struct import *im, struct err *err)
{
	struct import_file file;

	if (import_file_open(im->source, &file, err) != 0)
		return -1;
	movein_passwd_read(&im->m, file.text, false);
	import_file_close(&file);
	return 0;
}

/* The shadow file stands beside it. */
static int
read_passwd(struct import *im, struct err *err)
{
	struct import_file file, shadow;
	char path[PATH_BYTES_MAX];
	const char *slash = strrchr(im->source, '/');
	struct span folder =
	    slash ? span_make(im->source, (size_t)(slash - im->source)) : SPAN(".");

	if (im->m.domain.n == 0)
		return err_set(err, "users of a machine have no domain: name one with "
				    "--domain");
	if (import_file_open(im->source, &file, err) != 0)
		return -1;
	movein_passwd_read(&im->m, file.text, true);
	import_file_close(&file);
	snprintf(path, sizeof(path), "%.*s/shadow", SPAN_ARG(folder));
	if (import_file_open(path, &shadow, err) != 0)
		return -1;
	movein_shadow_read(&im->m, shadow.text);
	import_file_close(&shadow);
	return 0;
}

/* ---- tables */

static void
take_user_row(void *context, const struct movein_row *row)
{
	struct import *im = context;

	movein_user_row(&im->m, row);
}

static int
open_tables(struct import *im, struct err *err)
{
	im->tables = import_tables_open(im->source, err);
	return im->tables ? 0 : -1;
}

static int
read_users(struct import *im, struct err *err)
{
	if (open_tables(im, err) != 0)
		return -1;
	return import_tables_read(im->tables, NULL, NULL, 0, take_user_row, im,
				  &im->bad, err);
}

/* Rows of each table in turn, whatever their order in a dump. */
static int
read_tables(struct import *im, const char *const *tables, movein_take_row *take,
	    void *context, struct err *err)
{
	size_t bad;

	for (; *tables; tables++) {
		if (import_tables_read(im->tables, *tables, NULL, 0, take, context,
				       &bad, err) != 0)
			return -1;
		im->bad += bad;
	}
	return 0;
}

static int
read_postfixadmin(struct import *im, struct err *err)
{
	struct movein_postfixadmin p = {.m = &im->m, .base = span_str(im->mail)};

	im->mail_is_base = true;
	if (open_tables(im, err) != 0 ||
	    read_tables(im, movein_postfixadmin_tables, movein_postfixadmin_row, &p,
			err) != 0)
		return -1;
	movein_postfixadmin_end(&p);
	return 0;
}

static int
read_hmailserver(struct import *im, struct err *err)
{
	struct movein_hmailserver h = {.m = &im->m};
	int r = open_tables(im, err);
	size_t bad;

	if (r == 0)
		r = read_tables(im, movein_hmailserver_tables, movein_hmailserver_row,
				&h, err);
	/* Those of no account. */
	if (r == 0)
		r = import_tables_read(im->tables, "hm_imapfolders", "folderaccountid",
				       0, movein_hmailserver_public, &h, &bad, err);
	movein_hmailserver_release(&h);
	return r;
}

/* ---- Postfix */

enum map_kind {
	MAP_DOMAINS,
	MAP_MAILBOXES,
	MAP_ALIASES
};

/* Maps whose text stands in a file of that name. */
static bool
text_map(struct span word, struct span *path)
{
	static const char *const kinds[] = {"hash", "btree", "texthash",
					    "lmdb", "cdb",   "dbm"};
	size_t colon = span_find(word, ':');

	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		if (span_equal(span_first(word, colon), span_str(kinds[i]))) {
			*path = span_after(word, colon + 1);
			return true;
		}
	}
	return false;
}

static int
read_map(struct import *im, const char *path, enum map_kind kind, struct span base,
	 struct err *err)
{
	struct import_file file;

	if (import_file_open(path, &file, err) != 0)
		return -1;
	if (kind == MAP_DOMAINS)
		movein_postfix_domain_map(&im->m, file.text);
	else if (kind == MAP_MAILBOXES)
		movein_postfix_mailboxes(&im->m, file.text, base);
	else
		movein_postfix_aliases(&im->m, file.text);
	import_file_close(&file);
	return 0;
}

static const struct {
	const char *setting;
	enum map_kind kind;
} postfix_maps[] = {
    {"virtual_mailbox_domains", MAP_DOMAINS  },
    {"virtual_alias_domains",   MAP_DOMAINS  },
    {"virtual_mailbox_maps",    MAP_MAILBOXES},
    {"virtual_alias_maps",      MAP_ALIASES  },
};

static int
read_maps(struct import *im, struct span list, enum map_kind kind, struct span base,
	  struct err *err)
{
	char path[PATH_BYTES_MAX];
	struct span word, file;

	if (kind == MAP_DOMAINS)
		movein_postfix_domains(&im->m, list);
	while (movein_postfix_word(&list, &word)) {
		if (text_map(word, &file)) {
			if (!join_path(im->source, file, path))
				return err_set(err, "a path of a map is too long");
			if (read_map(im, path, kind, base, err) != 0)
				return -1;
		} else if (kind != MAP_DOMAINS || span_find(word, ':') < word.n) {
			movein_note(&im->m, span_first(word, 200),
				    "a map that is no text file: not read");
		}
	}
	return 0;
}

static int
read_postfix(struct import *im, struct err *err)
{
	struct buf base = buf_make(MOVEIN_SETTING_MAX),
		   list = buf_make(MOVEIN_SETTING_MAX);
	struct import_file main_cf;
	char path[PATH_BYTES_MAX];
	int r = 0;

	if (!join_path(im->source, SPAN("main.cf"), path) ||
	    import_file_open(path, &main_cf, err) != 0)
		return -1;
	im->mail_is_base = true;
	movein_postfix_setting(main_cf.text, "virtual_mailbox_base", &base);
	for (size_t i = 0; i < N_ELEMS(postfix_maps) && r == 0; i++) {
		movein_postfix_setting(main_cf.text, postfix_maps[i].setting, &list);
		r = read_maps(im, buf_span(&list), postfix_maps[i].kind,
			      im->mail ? span_str(im->mail) : buf_span(&base), err);
	}
	import_file_close(&main_cf);
	buf_release(&base);
	buf_release(&list);
	return r;
}

/* ---- the table */

static const struct import_from froms[] = {
    {"dovecot-passwd", read_passwd_file,  import_path_source },
    {"dovecot-sql",    read_users,        import_path_source },
    {"passwd",         read_passwd,       import_path_source },
    {"postfix",        read_postfix,      import_path_source },
    {"postfixadmin",   read_postfixadmin, import_path_source },
    {"hmailserver",    read_hmailserver,  import_hmail_source},
    {"postroad",       NULL,              import_own_source  },
};

const struct import_from *
import_from_find(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(froms); i++)
		if (strcmp(froms[i].name, name) == 0)
			return &froms[i];
	return NULL;
}

void
import_from_names(struct buf *out)
{
	for (size_t i = 0; i < N_ELEMS(froms); i++)
		buf_putf(out, "%s%s", i > 0 ? ", " : "", froms[i].name);
}
