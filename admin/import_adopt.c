#include "admin/import_adopt.h"

#include "admin/directory.h"
#include "admin/progress.h"

#define ARENA_BYTES ((size_t)8 << 20) /* of one object */

struct adopting {
	struct import *im;
	struct import_state *state;
	struct import_counts *counts;
	struct progress *progress;
	uint64_t done;
	enum exit_status status; /* not EXIT_DONE: the directory cannot be asked */
	/* Values that want other objects to be there; set at the end. */
	struct movein_object **later;
	size_t n_later, later_size;
};

static void
count(struct adopting *a, enum directory_kind kind, enum import_outcome outcome)
{
	a->counts->outcomes[kind][outcome]++;
}

/* ---- passwords */

static void
note_password(struct adopting *a, const struct movein_object *o, const char *why)
{
	a->counts->without_password++;
	movein_note(&a->im->m, o->name, "%s: comes without a password", why);
}

static bool
make_password(struct adopting *a, const struct movein_object *o,
	      enum import_password kind, struct span text,
	      struct directory_password *out)
{
	struct err err;
	int r = -1;

	if (kind == IMPORT_PASSWORD_HASH)
		r = directory_password_import(text, out, &err);
	else if (kind == IMPORT_PASSWORD_PLAIN && !a->im->dry_run)
		r = directory_password_make(text, out, &err);
	else
		return false;
	if (r != 0)
		note_password(a, o, err.text);
	return r == 0;
}

/* The account's password into its object, unless there is none that can be taken. */
static void
put_password(struct adopting *a, const struct movein_object *o, struct arena *arena,
	     struct directory_object *out)
{
	struct buf text = buf_make(1024), bytes = buf_make(4096);
	enum import_password kind = import_password(o, &text);
	struct directory_password p;
	struct span kept;

	if (kind == IMPORT_PASSWORD_UNKNOWN) {
		struct buf why = buf_make(200);

		buf_putf(&why, "nobody here can check %.*s%c",
			 SPAN_ARG(movein_password_scheme(o->password)), '\0');
		note_password(a, o, why.at);
		buf_release(&why);
	} else if (kind == IMPORT_PASSWORD_LOCKED) {
		note_password(a, o, "locked");
	} else if (make_password(a, o, kind, buf_span(&text), &p)) {
		directory_password_put(&p, &bytes);
		if (arena_copy(arena, buf_span(&bytes), &kept))
			directory_put_text(out, FIELD_ACCOUNT_PASSWORD, kept);
		directory_password_wipe(&p);
		explicit_bzero(bytes.at, bytes.n);
	}
	if (text.n > 0)
		explicit_bzero(text.at, text.n);
	buf_release(&text);
	buf_release(&bytes);
}

enum sameness {
	SAME,
	MISSING,
	OTHER,
	UNSAID
};

/* The password of an account that is there, held against that of the list. A plain one
 * is tried, since what is kept of it is never the same twice. Of a hash nobody can
 * tell whether it is that of a password which was made anew at a login. */
static enum sameness
password_sameness(const struct movein_object *o, const struct directory_object *there)
{
	struct cursor c = cursor_make(there->values[FIELD_ACCOUNT_PASSWORD].text);
	struct buf text = buf_make(1024), prepared = buf_make(1024);
	struct directory_password p = {0};
	enum sameness result = UNSAID;

	if (there->values[FIELD_ACCOUNT_PASSWORD].text.n > 0)
		directory_password_get(&c, &p);
	switch (import_password(o, &text)) {
	case IMPORT_PASSWORD_HASH:
		if (span_equal(buf_span(&text), span_str(p.crypt)))
			result = SAME;
		else if (!directory_password_current(&p))
			result = OTHER;
		break;
	case IMPORT_PASSWORD_PLAIN:
		result =
		    sasl_prepare(buf_span(&text), &prepared) &&
			    directory_password_matches(p.crypt, buf_span(&prepared))
			? SAME
			: OTHER;
		break;
	case IMPORT_PASSWORD_NONE:
	case IMPORT_PASSWORD_LOCKED:
	case IMPORT_PASSWORD_UNKNOWN:
		break;
	}
	if (result == OTHER && p.crypt[0] == '\0' && !p.has_scram)
		result = MISSING;
	directory_password_wipe(&p);
	buf_release(&text);
	buf_release(&prepared);
	return result;
}

/* ---- one object */

/* In its canonical form, which the directory has it by. */
static bool
canonical_name(struct directory_object *o, struct arena *arena, struct err *err)
{
	char domain[DIRECTORY_DOMAIN_MAX + 1];
	struct directory_name name;

	if (o->kind == DIRECTORY_DOMAIN)
		return directory_domain_canonical(o->name, domain, err) == 0 &&
		       arena_copy(arena, span_str(domain), &o->name);
	return directory_name_parse(o->name, &name, err) == 0 &&
	       arena_copy(arena, directory_name_span(&name), &o->name);
}

static struct span
domain_of(const struct directory_object *o)
{
	return o->kind == DIRECTORY_DOMAIN
		   ? o->name
		   : span_after(o->name, span_find_last(o->name, '@') + 1);
}

/* Asks, unless it is a dry run. A refusal is the object's; *err says why. */
static enum directory_result
ask(struct adopting *a, enum directory_verb verb, const struct directory_object *o,
    struct err *err)
{
	const struct directory_request request = {.verb = verb, .object = *o};
	enum directory_result result = DIRECTORY_DONE;

	if (!a->im->dry_run)
		a->status =
		    directory_try(a->im->admin, &request, NULL, NULL, &result, err);
	return result;
}

static bool
has_values(const struct directory_object *o)
{
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++)
		if (o->values[i].how != DIRECTORY_VALUE_ABSENT)
			return true;
	return false;
}

static void
adopt_known(struct adopting *a, const struct movein_object *from,
	    const struct directory_object *wanted, const struct directory_object *there,
	    struct arena *arena)
{
	struct directory_object missing;
	enum import_outcome outcome = IMPORT_EQUAL;
	enum sameness password = UNSAID;
	const char *differs;
	struct err err;

	import_compare(there, wanted, &missing, &differs);
	if (from->kind == MOVEIN_ACCOUNT)
		password = password_sameness(from, there);
	if (password == OTHER && !differs)
		differs = "password";
	if (password == MISSING)
		put_password(a, from, arena, &missing);
	if (differs) {
		outcome = IMPORT_DIFFERENT;
		movein_note(&a->im->m, from->name, "is there with another %s: left",
			    differs);
	}
	if (has_values(&missing)) {
		outcome = differs ? IMPORT_DIFFERENT : IMPORT_COMPLETED;
		if (ask(a, DIRECTORY_UPDATE, &missing, &err) != DIRECTORY_DONE) {
			outcome = IMPORT_REFUSED;
			movein_note(&a->im->m, from->name, "%s", err.text);
		}
	}
	count(a, wanted->kind, outcome);
}

/* The values that lead to other objects wait until all are there. */
static void
put_off(struct adopting *a, struct movein_object *from, struct directory_object *wanted)
{
	static const struct {
		enum directory_kind kind;
		size_t field;
	} late[] = {
	    {DIRECTORY_ACCOUNT, FIELD_ACCOUNT_FORWARD      },
	    {DIRECTORY_ACCOUNT, FIELD_ACCOUNT_FORWARD_KEEP },
	    {DIRECTORY_DOMAIN,  FIELD_DOMAIN_ADMINISTRATORS},
	};
	bool any = false;

	for (size_t i = 0; i < N_ELEMS(late); i++) {
		struct directory_value *v = &wanted->values[late[i].field];

		if (late[i].kind != wanted->kind || v->how == DIRECTORY_VALUE_ABSENT)
			continue;
		*v = (struct directory_value){0};
		any = true;
	}
	if (!any)
		return;
	if (a->n_later == a->later_size) {
		a->later_size = a->later_size ? a->later_size * 2 : 64;
		a->later = memory_resize(a->later, a->later_size, sizeof(*a->later));
	}
	a->later[a->n_later++] = from;
}

/* DONE also when it is there; NOT_FOUND when something it leads to is not yet. */
static enum directory_result
adopt_new(struct adopting *a, struct movein_object *from,
	  struct directory_object *wanted, struct arena *arena, struct err *err)
{
	enum directory_result result;

	put_off(a, from, wanted);
	if (from->kind == MOVEIN_ACCOUNT)
		put_password(a, from, arena, wanted);
	result = ask(a, DIRECTORY_ADD, wanted, err);
	if (result == DIRECTORY_DONE)
		count(a, wanted->kind, IMPORT_NEW);
	return result;
}

static enum directory_result
adopt_object(struct adopting *a, struct movein_object *from, struct err *err)
{
	struct directory_object wanted, there;
	enum directory_result result = DIRECTORY_BAD_NAME;
	struct arena arena;

	arena_init(&arena, ARENA_BYTES);
	import_object(a->im, from, &arena, &wanted);
	progress_at(a->progress, ++a->done, from->name);
	if (canonical_name(&wanted, &arena, err)) {
		a->status =
		    import_state_read(a->state, a->im->admin, domain_of(&wanted));
		result = DIRECTORY_DONE;
		if (a->status != EXIT_DONE)
			result = DIRECTORY_FAULT;
		else if (import_state_find(a->state, wanted.kind, wanted.name, SPAN(""),
					   &there))
			adopt_known(a, from, &wanted, &there, &arena);
		else
			result = adopt_new(a, from, &wanted, &arena, err);
	}
	arena_release(&arena);
	return result;
}

/* ---- all of them */

static void
refuse(struct adopting *a, const struct movein_object *from, const struct err *err)
{
	count(a, import_kind(from), IMPORT_REFUSED);
	movein_note(&a->im->m, from->name, "%s", err->text);
}

/* Aliases and lists may lead to each other: those that lead nowhere yet are tried again
 * as long as others came in. */
static void
adopt_all(struct adopting *a, struct movein_object **objects, size_t n)
{
	struct movein_object **left = memory_new(n + 1, sizeof(struct movein_object *));
	size_t n_left = n, before = n + 1;

	if (n > 0)
		memcpy(left, objects, n * sizeof(struct movein_object *));
	while (n_left > 0 && n_left < before && a->status == EXIT_DONE) {
		bool last = false;

		before = n_left;
		n_left = 0;
		for (size_t i = 0; i < before && a->status == EXIT_DONE; i++) {
			struct err err = {0};
			enum directory_result r = adopt_object(a, left[i], &err);

			if (r == DIRECTORY_NOT_FOUND)
				left[n_left++] = left[i];
			else if (r != DIRECTORY_DONE && a->status == EXIT_DONE)
				refuse(a, left[i], &err);
		}
		last = n_left == before;
		for (size_t i = 0; last && i < n_left; i++) {
			const struct err err = {
			    .text = "leads to an address that is not here"};

			refuse(a, left[i], &err);
		}
	}
	free(left);
}

static void
adopt_kind(struct adopting *a, bool (*wanted)(const struct movein_object *o))
{
	const struct movein *m = &a->im->m;
	struct movein_object **objects =
	    memory_new(m->n + 1, sizeof(struct movein_object *));
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->objects[i]->dropped && wanted(m->objects[i]))
			objects[n++] = m->objects[i];
	adopt_all(a, objects, n);
	free(objects);
}

static void
adopt_later(struct adopting *a)
{
	for (size_t i = 0; i < a->n_later && a->status == EXIT_DONE; i++) {
		struct movein_object *from = a->later[i];
		struct directory_object wanted, only;
		struct arena arena;
		struct err err;

		arena_init(&arena, ARENA_BYTES);
		import_object(a->im, from, &arena, &wanted);
		only =
		    (struct directory_object){.kind = wanted.kind, .name = wanted.name};
		if (wanted.kind == DIRECTORY_DOMAIN)
			only.values[FIELD_DOMAIN_ADMINISTRATORS] =
			    wanted.values[FIELD_DOMAIN_ADMINISTRATORS];
		else
			only.values[FIELD_ACCOUNT_FORWARD] =
			    wanted.values[FIELD_ACCOUNT_FORWARD];
		if (wanted.kind == DIRECTORY_ACCOUNT)
			only.values[FIELD_ACCOUNT_FORWARD_KEEP] =
			    wanted.values[FIELD_ACCOUNT_FORWARD_KEEP];
		if (ask(a, DIRECTORY_UPDATE, &only, &err) != DIRECTORY_DONE)
			movein_note(&a->im->m, from->name, "%s", err.text);
		arena_release(&arena);
	}
}

static bool
is_domain(const struct movein_object *o)
{
	return o->kind == MOVEIN_DOMAIN && movein_get(o, "alias_of").n == 0;
}

static bool
is_domain_alias(const struct movein_object *o)
{
	return o->kind == MOVEIN_DOMAIN && movein_get(o, "alias_of").n > 0;
}

static bool
is_account(const struct movein_object *o)
{
	return o->kind == MOVEIN_ACCOUNT;
}

static bool
is_alias_or_list(const struct movein_object *o)
{
	return o->kind == MOVEIN_ALIAS || o->kind == MOVEIN_LIST;
}

enum exit_status
import_adopt(struct import *im, struct import_state *state,
	     struct import_counts *counts)
{
	static bool (*const order[])(const struct movein_object *o) = {
	    is_domain, is_domain_alias, is_account, is_alias_or_list};
	struct adopting a = {.im = im, .state = state, .counts = counts};

	for (size_t i = 0; i < im->m.n; i++)
		if (!im->m.objects[i]->dropped)
			counts->found[import_kind(im->m.objects[i])]++;
	a.progress = progress_new("taking", "objects", im->m.n);
	for (size_t i = 0; i < N_ELEMS(order) && a.status == EXIT_DONE; i++)
		adopt_kind(&a, order[i]);
	adopt_later(&a);
	progress_free(&a.progress);
	free(a.later);
	return a.status;
}
