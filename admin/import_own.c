#include "admin/import_own.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admin/directory.h"
#include "admin/export.h"
#include "admin/progress.h"

#define ROWS_BYTES 32768 /* of one request */

struct owning {
	struct import *im;
	struct import_state *state;
	struct import_counts *counts;
	struct progress *progress;
	uint64_t line;
	struct buf rows; /* new objects that wait to be loaded */
	size_t n_rows;
	enum exit_status status;
};

/* ---- loading */

static enum directory_result
load(struct owning *own, struct span rows, struct err *err)
{
	const struct directory_request request = {.verb = DIRECTORY_LOAD, .rows = rows};
	enum directory_result result = DIRECTORY_DONE;

	if (!own->im->dry_run)
		own->status =
		    directory_try(own->im->admin, &request, NULL, NULL, &result, err);
	return own->status == EXIT_DONE ? result : DIRECTORY_FAULT;
}

/* Where numbers are kept, by kind; 0 none. */
static const size_t id_fields[DIRECTORY_KINDS] = {
    [DIRECTORY_DOMAIN] = FIELD_DOMAIN_ID,
    [DIRECTORY_ACCOUNT] = FIELD_ACCOUNT_ID,
};

/* Once more without its number, which is another's. */
static enum directory_result
load_renumbered(struct owning *own, struct directory_object *o, struct err *err)
{
	struct buf bytes = buf_make(EXPORT_LINE_MAX);
	enum directory_result result;

	if (id_fields[o->kind] == 0)
		return DIRECTORY_EXISTS;
	o->values[id_fields[o->kind]] = (struct directory_value){0};
	directory_object_put(o, &bytes);
	result = load(own, buf_span(&bytes), err);
	if (result == DIRECTORY_DONE)
		movein_note(&own->im->m, o->name,
			    "its number was taken: it has a new one");
	buf_release(&bytes);
	return result;
}

/* One by one, when all of them together were refused. */
static void
load_singly(struct owning *own)
{
	struct cursor c = cursor_make(buf_span(&own->rows));
	struct directory_object o;

	while (c.rest.n > 0 && own->status == EXIT_DONE) {
		struct span before = c.rest;
		enum directory_result result;
		struct err err;

		if (!directory_object_get(&c, &o))
			return;
		result = load(own, span_first(before, before.n - c.rest.n), &err);
		if (result == DIRECTORY_EXISTS)
			result = load_renumbered(own, &o, &err);
		if (result != DIRECTORY_DONE && own->status == EXIT_DONE) {
			movein_note(&own->im->m, o.name, "%s", err.text);
			own->counts->outcomes[o.kind][IMPORT_NEW]--;
			own->counts->outcomes[o.kind][IMPORT_REFUSED]++;
		}
	}
}

static void
load_rows(struct owning *own)
{
	struct err err;

	if (own->n_rows > 0 &&
	    load(own, buf_span(&own->rows), &err) != DIRECTORY_DONE &&
	    own->status == EXIT_DONE)
		load_singly(own);
	if (own->rows.n > 0)
		explicit_bzero(own->rows.at, own->rows.n);
	buf_reset(&own->rows);
	own->n_rows = 0;
}

static void
add_row(struct owning *own, const struct directory_object *o)
{
	directory_object_put(o, &own->rows);
	own->n_rows++;
	own->counts->outcomes[o->kind][IMPORT_NEW]++;
	if (own->rows.n >= ROWS_BYTES)
		load_rows(own);
}

/* ---- holding it against what is there */

/* Fields that go on by themselves: they say nothing about who it is. */
static const struct {
	enum directory_kind kind;
	size_t field;
} passing[] = {
    {DIRECTORY_DOMAIN,       FIELD_DOMAIN_ID                },
    {DIRECTORY_DOMAIN,       FIELD_DOMAIN_FIRST_ACCOUNT     },
    {DIRECTORY_DOMAIN,       FIELD_DOMAIN_CREATED           },
    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_ID               },
    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_CREATED          },
    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_LAST_LOGIN       },
    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_LAST_SERVICE     },
    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_LAST_ADDRESS     },
    {DIRECTORY_LIST,         FIELD_LIST_CREATED             },
    {DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_CREATED     },
    {DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_LAST_USE    },
    {DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_LAST_ADDRESS},
};

static void
compare(struct owning *own, const struct directory_object *there,
	const struct directory_object *wanted)
{
	struct directory_object lasting = *wanted, missing;
	enum import_outcome outcome = IMPORT_EQUAL;
	const char *differs;

	for (size_t i = 0; i < N_ELEMS(passing); i++)
		if (passing[i].kind == wanted->kind)
			lasting.values[passing[i].field] = (struct directory_value){0};
	import_compare(there, &lasting, &missing, &differs);
	for (size_t i = 1; i < DIRECTORY_FIELDS && !differs; i++)
		if (missing.values[i].how != DIRECTORY_VALUE_ABSENT)
			differs = directory_field(wanted->kind, i)->name;
	if (differs) {
		outcome = IMPORT_DIFFERENT;
		movein_note(&own->im->m, wanted->name, "is there with another %s: left",
			    differs);
	}
	own->counts->outcomes[wanted->kind][outcome]++;
}

static struct span
domain_of(const struct directory_object *o)
{
	return o->kind == DIRECTORY_DOMAIN
		   ? o->name
		   : span_after(o->name, span_find_last(o->name, '@') + 1);
}

static void
take_object(struct owning *own, const struct directory_object *o)
{
	struct directory_object there;

	own->counts->found[o->kind]++;
	own->status = import_state_read(own->state, own->im->admin, domain_of(o));
	if (own->status == EXIT_DONE && o->kind == DIRECTORY_APP_PASSWORD)
		own->status =
		    import_state_read_labels(own->state, own->im->admin, o->name);
	if (own->status != EXIT_DONE)
		return;
	if (o->kind == DIRECTORY_ACCOUNT)
		(void)movein_add(&own->im->m, MOVEIN_ACCOUNT, o->name);
	if (import_state_find(own->state, o->kind, o->name, o->label, &there))
		compare(own, &there, o);
	else
		add_row(own, o);
}

/* ---- the file */

static void
take_line(struct owning *own, struct span line)
{
	struct directory_object o;
	struct arena arena;
	struct err err;

	arena_init(&arena, 4 * EXPORT_LINE_MAX);
	own->line++;
	if (export_json_get(line, &arena, &o, &err) != 0) {
		char place[64];

		snprintf(place, sizeof(place), "%s line %llu", EXPORT_DIRECTORY,
			 (unsigned long long)own->line);
		movein_note(&own->im->m, span_str(place), "%s", err.text);
		own->im->bad++;
	} else if (import_domain_wanted(own->im->admin, domain_of(&o))) {
		progress_at(own->progress, own->line, o.name);
		take_object(own, &o);
	}
	arena_release(&arena);
}

enum exit_status
import_own(struct import *im, struct import_state *state, struct import_counts *counts)
{
	struct owning own = {.im = im,
			     .state = state,
			     .counts = counts,
			     .rows = buf_make(EXPORT_LINE_MAX + ROWS_BYTES)};
	char path[EXPORT_PATH_MAX];
	struct import_file file;
	struct span rest;
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", im->source, EXPORT_DIRECTORY);
	if (import_file_open(path, &file, &err) != 0) {
		admin_complain("%s", err.text);
		return EXIT_FAILED;
	}
	own.progress = progress_new("taking", "objects", 0);
	for (rest = file.text; rest.n > 0 && own.status == EXIT_DONE;)
		take_line(&own, span_cut(&rest, '\n'));
	if (own.status == EXIT_DONE)
		load_rows(&own);
	progress_free(&own.progress);
	import_file_close(&file);
	buf_release(&own.rows);
	return own.status;
}

int
import_own_source(struct import *im, const struct movein_object *account,
		  struct mail_source **out, struct err *err)
{
	char path[EXPORT_PATH_MAX];

	if (!export_mail_path(im->source, account->name, path))
		return err_set(err, "too long a path");
	*out = mail_source_open(path, MAIL_MAILDIR, err);
	if (!*out && err->code != ENOENT)
		return err->code == 0 ? 0 : -1;
	return *out != NULL;
}
