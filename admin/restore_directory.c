/* accounts and all else of the directory, from the dump of a generation */
#include "admin/restore.h"
#include "admin/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define ROWS_BYTES 32768 /* of one request */

typedef int dump_take(void *context, const struct directory_object *o, struct span row,
		      struct err *err);

static int
row_pass(struct buf *hold, dump_take *take, void *context, struct err *err)
{
	struct cursor c = cursor_make(buf_span(hold));
	struct directory_object o;

	if (!directory_object_get(&c, &o) || c.rest.n > 0)
		return err_set(err, "the dump of the directory is damaged");
	return take(context, &o, buf_span(hold), err);
}

static int
dump_read(FILE *file, dump_take *take, void *context, struct err *err)
{
	struct buf hold = buf_make(DIRECTORY_REQUEST_MAX);
	int result = 0;
	char four[4];

	while (result == 0 && fread(four, 1, sizeof(four), file) == sizeof(four)) {
		struct cursor c = cursor_make(span_make(four, sizeof(four)));
		uint32_t n = wire_get_u32(&c);
		char *at;

		buf_reset(&hold);
		at = buf_extend(&hold, n);
		if (!at || fread(at, 1, n, file) != n)
			result = err_set(err, "the dump of the directory is damaged");
		else
			result = row_pass(&hold, take, context, err);
	}
	if (hold.at)
		explicit_bzero(hold.at, hold.n);
	buf_release(&hold);
	return result;
}

/* The list says what its CRC is. */
static void
check_row(void *context, const struct backup_row *row)
{
	struct backup_row *dump = context;

	if (span_equal(row->name, SPAN("directory"))) {
		dump->bytes = row->bytes;
		dump->crc = row->crc;
		dump->number = 1;
	}
}

static int
dump_walk(struct restoring *r, dump_take *take, void *context, struct err *err)
{
	struct backup_row dump = {0};
	char path[BACKUP_PATH_MAX];
	uint32_t crc = 0;
	FILE *file;
	int fd, result;

	if (restore_files_each(r, check_row, &dump, err) < 0)
		return -1;
	backup_name(r->generation, "directory", path);
	fd = openat(r->backup->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file)
		return err_sys(err, "cannot open %s", path);
	result = backup_copy(fd, -1, 0, dump.bytes, &crc, err);
	if (result == 0 && (crc != dump.crc || dump.number == 0))
		result = err_set(err, "%s is damaged", path);
	if (result == 0)
		result = dump_read(file, take, context, err);
	(void)fclose(file);
	return result;
}

/* --- all of it ------------------------------------------------------------ */

struct loading {
	struct restoring *r;
	struct buf rows;
};

static int
load_rows(struct loading *l, struct err *err)
{
	const struct directory_request request = {.verb = DIRECTORY_LOAD,
						  .rows = buf_span(&l->rows)};
	enum exit_status status = EXIT_DONE;

	if (l->rows.n > 0)
		status = directory_ask(l->r->admin, &request, NULL, NULL);
	if (l->rows.n > 0)
		explicit_bzero(l->rows.at, l->rows.n);
	buf_reset(&l->rows);
	return status == EXIT_DONE ? 0
				   : err_set(err, "the accounts cannot be put back");
}

static int
load_object(void *context, const struct directory_object *o, struct span row,
	    struct err *err)
{
	struct loading *l = context;

	(void)o;
	if (l->rows.n + row.n > ROWS_BYTES && load_rows(l, err) < 0)
		return -1;
	buf_put(&l->rows, row);
	return l->rows.full ? err_set(err, "the dump has an object that is too large")
			    : 0;
}

int
restore_directory(struct restoring *r, struct err *err)
{
	struct loading l = {.r = r, .rows = buf_make(DIRECTORY_REQUEST_MAX)};
	int result = dump_walk(r, load_object, &l, err);

	if (result == 0)
		result = load_rows(&l, err);
	buf_release(&l.rows);
	return result;
}

static void
count_row(void *context, const struct directory_object *o)
{
	(void)o;
	(*(size_t *)context)++;
}

int
restore_directory_empty(struct restoring *r, struct err *err)
{
	const struct directory_request request = {.verb = DIRECTORY_LISTING,
						  .object = {.kind = DIRECTORY_ACCOUNT},
						  .limit = 1};
	size_t n = 0;

	if (directory_ask(r->admin, &request, count_row, &n) != EXIT_DONE)
		return err_set(err, "the directory cannot be read");
	return n == 0;
}

/* --- one account ---------------------------------------------------------- */

struct finding {
	struct span address;
	struct buf rows; /* the account and its app passwords */
	uint64_t id;
	bool found;
};

static int
find_object(void *context, const struct directory_object *o, struct span row,
	    struct err *err)
{
	struct finding *f = context;

	(void)err;
	if (!span_equal_nocase(o->name, f->address))
		return 0;
	if (o->kind == DIRECTORY_ACCOUNT) {
		f->found = true;
		f->id = o->values[FIELD_ACCOUNT_ID].number;
	}
	if (o->kind == DIRECTORY_ACCOUNT || o->kind == DIRECTORY_APP_PASSWORD)
		buf_put(&f->rows, row);
	return 0;
}

static int
find(struct restoring *r, const char *address, struct finding *f, struct err *err)
{
	*f = (struct finding){.address = span_str(address),
			      .rows = buf_make(DIRECTORY_REQUEST_MAX)};
	return dump_walk(r, find_object, f, err);
}

static void
found_release(struct finding *f)
{
	if (f->rows.at)
		explicit_bzero(f->rows.at, f->rows.n);
	buf_release(&f->rows);
}

int
restore_account_id(struct restoring *r, const char *address, uint64_t *id,
		   struct err *err)
{
	struct finding f;
	int result = find(r, address, &f, err);

	if (result == 0 && f.found)
		*id = f.id;
	found_release(&f);
	return result < 0 ? -1 : f.found;
}

struct now {
	struct span address;
	uint64_t id, wanted; /* 0: it is not there */
	bool taken;          /* somebody else has the wanted id */
};

static void
look_at(void *context, const struct directory_object *o)
{
	struct now *now = context;
	uint64_t id = o->values[FIELD_ACCOUNT_ID].number;

	if (span_equal_nocase(o->name, now->address))
		now->id = id;
	else if (id == now->wanted)
		now->taken = true;
}

static int
look(struct restoring *r, struct now *now, struct err *err)
{
	return directory_list(r->admin, DIRECTORY_DUMP, DIRECTORY_ACCOUNT, "", look_at,
			      now) == EXIT_DONE
		   ? 0
		   : err_set(err, "the directory cannot be read");
}

/* With the id it had, unless that is another's now. */
static int
account_make(struct restoring *r, const struct finding *f, bool new_id, struct err *err)
{
	struct loading l = {.r = r, .rows = buf_make(DIRECTORY_REQUEST_MAX)};
	struct cursor c = cursor_make(buf_span(&f->rows));
	struct directory_object o;
	int result;

	while (c.rest.n > 0 && directory_object_get(&c, &o)) {
		if (o.kind == DIRECTORY_ACCOUNT && new_id)
			o.values[FIELD_ACCOUNT_ID] = (struct directory_value){0};
		directory_object_put(&o, &l.rows);
	}
	result = load_rows(&l, err);
	buf_release(&l.rows);
	return result;
}

int
restore_account_now(struct restoring *r, const char *address, uint64_t *id,
		    struct err *err)
{
	struct now now = {.address = span_str(address)};
	struct finding f;
	int result = find(r, address, &f, err);

	now.wanted = f.id;
	if (result == 0)
		result = look(r, &now, err);
	if (result == 0 && now.id == 0) {
		result = account_make(r, &f, now.taken, err);
		if (result == 0)
			result = look(r, &now, err);
	}
	found_release(&f);
	if (result == 0 && now.id == 0)
		return err_set(err, "%s cannot be made", address);
	*id = now.id;
	return result;
}
