#include "admin/object.h"
#include "admin/listing.h"

#define FIELDS_BYTES_MAX (4U * DIRECTORY_REQUEST_MAX)

/* What the noun of the command names. */
static enum directory_kind
kind_of(const struct admin *admin)
{
	for (int i = 0; i < DIRECTORY_KINDS; i++) {
		enum directory_kind kind = (enum directory_kind)i;

		if (strcmp(directory_kind_name(kind), admin->command->noun) == 0)
			return kind;
	}
	assert_failed("a noun that is no kind", __FILE__, __LINE__);
}

/* ---- fields on the command line */

static void
complain_field(enum directory_kind kind, struct span name)
{
	struct buf names = buf_make(1024);

	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(kind, i);

		if (f && f->flags & DIRECTORY_SETTABLE && f->type != DIRECTORY_SECRET)
			buf_putf(&names, " %s", f->name);
	}
	admin_complain("%s has no field '%.*s' to set; there are%.*s",
		       directory_kind_name(kind), SPAN_ARG(span_first(name, 40)),
		       SPAN_ARG(buf_span(&names)));
	buf_release(&names);
}

/* "members+" -> members, INSERT */
static enum directory_how
take_how(struct span *name)
{
	char last = name->n > 0 ? name->at[name->n - 1] : '\0';

	if (last != '+' && last != '-')
		return DIRECTORY_VALUE_SET;
	name->n--;
	return last == '+' ? DIRECTORY_VALUE_INSERT : DIRECTORY_VALUE_DELETE;
}

static bool
take_field(enum directory_kind kind, const char *argument, struct arena *arena,
	   struct directory_object *out)
{
	struct span text = span_str(argument), name = span_cut(&text, '=');
	enum directory_how how = take_how(&name);
	size_t number = directory_field_number(kind, name);
	const struct directory_field *f = directory_field(kind, number);
	struct err err;

	if (!strchr(argument, '=')) {
		admin_complain("'%s' is not FIELD=VALUE", argument);
		return false;
	}
	if (!f || !(f->flags & DIRECTORY_SETTABLE) || f->type == DIRECTORY_SECRET) {
		complain_field(kind, name);
		return false;
	}
	if (how != DIRECTORY_VALUE_SET && f->type != DIRECTORY_ADDRESSES) {
		admin_complain("%s is set with %s=VALUE", f->name, f->name);
		return false;
	}
	if (directory_value_parse(f, text, arena, &out->values[number], &err) != 0) {
		admin_complain("%s", err.text);
		return false;
	}
	out->values[number].how = how;
	return true;
}

/* Texts are in the arena. False after telling what is wrong. */
static bool
take_fields(enum directory_kind kind, int argc, char **argv, struct arena *arena,
	    struct directory_object *out)
{
	for (int i = 0; i < argc; i++)
		if (!take_field(kind, argv[i], arena, out))
			return false;
	return true;
}

static enum exit_status
send_fields(struct admin *admin, enum directory_verb verb, int argc, char **argv)
{
	enum directory_kind kind = kind_of(admin);
	struct directory_request request = {
	    .verb = verb, .object = {.kind = kind, .name = span_str(argv[0])}
        };
	enum exit_status status = EXIT_USAGE;
	struct arena arena;

	arena_init(&arena, FIELDS_BYTES_MAX);
	if (take_fields(kind, argc - 1, argv + 1, &arena, &request.object))
		status = directory_ask(admin, &request, NULL, NULL);
	arena_release(&arena);
	return status;
}

enum exit_status
object_add(struct admin *admin, int argc, char **argv)
{
	return send_fields(admin, DIRECTORY_ADD, argc, argv);
}

enum exit_status
object_set(struct admin *admin, int argc, char **argv)
{
	return send_fields(admin, DIRECTORY_UPDATE, argc, argv);
}

enum exit_status
object_remove(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return directory_simple(admin, DIRECTORY_REMOVE, kind_of(admin), argv[0]);
}

/* ---- addresses on the command line */

enum exit_status
object_items(struct admin *admin, enum directory_verb verb, enum directory_kind kind,
	     size_t field, enum directory_how how, int argc, char **argv)
{
	struct directory_request request = {
	    .verb = verb, .object = {.kind = kind, .name = span_str(argv[0])}
        };
	struct buf items = buf_make(DIRECTORY_REQUEST_MAX);
	enum exit_status status = EXIT_USAGE;

	for (int i = 1; i < argc; i++)
		directory_item_put(&items, span_str(argv[i]));
	directory_put_text(&request.object, field, buf_span(&items));
	request.object.values[field].how = how;
	if (items.full)
		admin_complain("too many addresses at once");
	else
		status = directory_ask(admin, &request, NULL, NULL);
	buf_release(&items);
	return status;
}

static enum exit_status
change_members(struct admin *admin, enum directory_how how, int argc, char **argv)
{
	enum directory_kind kind = kind_of(admin);

	return object_items(admin, DIRECTORY_UPDATE, kind,
			    directory_field_number(kind, SPAN("members")), how, argc,
			    argv);
}

enum exit_status
object_member_add(struct admin *admin, int argc, char **argv)
{
	return change_members(admin, DIRECTORY_VALUE_INSERT, argc, argv);
}

enum exit_status
object_member_remove(struct admin *admin, int argc, char **argv)
{
	return change_members(admin, DIRECTORY_VALUE_DELETE, argc, argv);
}

/* ---- one object with all its fields */

struct showing {
	struct admin *admin;
	enum directory_kind kind;
};

/* Secrets never come; what is derived may be missing. */
static bool
is_shown(const struct directory_object *o, size_t i)
{
	const struct directory_field *f = directory_field(o->kind, i);

	return f && f->type != DIRECTORY_SECRET &&
	       (!(f->flags & DIRECTORY_DERIVED) ||
		o->values[i].how != DIRECTORY_VALUE_ABSENT);
}

static void
show_value(struct listing *l, const struct directory_field *f,
	   const struct directory_value *v)
{
	struct buf text = buf_make(1024);

	switch (f->type) {
	case DIRECTORY_FLAG:
		listing_flag(l, v->number != 0);
		break;
	case DIRECTORY_TIME:
		listing_time(l, v->number * 1000000);
		break;
	case DIRECTORY_BYTES:
		if (f->flags & DIRECTORY_DERIVED)
			listing_bytes(l, v->number);
		else
			listing_limit(l, v->number);
		break;
	case DIRECTORY_NUMBER:
	case DIRECTORY_SECONDS:
		listing_number(l, v->number);
		break;
	case DIRECTORY_ADDRESSES:
		listing_items(l, v->text);
		break;
	case DIRECTORY_CHOICE:
	case DIRECTORY_SET:
		directory_value_write(f, v, &text);
		listing_text(l, buf_span(&text));
		break;
	default:
		listing_text(l, v->text);
	}
	buf_release(&text);
}

static void
show_row(void *context, const struct directory_object *row)
{
	const struct showing *showing = context;
	const char *columns[DIRECTORY_FIELDS + 1];
	struct listing *l;
	size_t n = 0;

	if (row->kind != showing->kind)
		return;
	columns[n++] = directory_kind_name(row->kind);
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++)
		if (is_shown(row, i))
			columns[n++] = directory_field(row->kind, i)->name;
	columns[n] = NULL;
	l = listing_new(showing->admin, columns);
	listing_text(l, row->name);
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++)
		if (is_shown(row, i))
			show_value(l, directory_field(row->kind, i), &row->values[i]);
	listing_end_single(&l);
}

enum exit_status
object_show(struct admin *admin, int argc, char **argv)
{
	struct showing showing = {admin, kind_of(admin)};
	const struct directory_request request = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = showing.kind, .name = span_str(argv[0])}
        };

	(void)argc;
	return directory_ask(admin, &request, show_row, &showing);
}

enum exit_status
object_list(struct admin *admin, const char *const *columns, directory_take *take,
	    int argc, char **argv)
{
	struct listing *l = listing_new(admin, columns);
	enum exit_status status = directory_list(
	    admin, DIRECTORY_LISTING, kind_of(admin), argc > 0 ? argv[0] : "", take, l);

	listing_done(&l, status);
	return status;
}
