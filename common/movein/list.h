/* common/movein/list.h - the list that every reader fills
 *
 * An object is a domain, an account, an alias or a list with what its system says
 * of it, as texts called by the directory's field names: "quota_bytes" "1048576",
 * "disabled" "yes". A field that holds addresses has one value for each.
 */
#pragma once

#include "common/base/base.h"

/* Of all objects together; a million accounts take about a third of it. */
#define MOVEIN_BYTES_MAX  ((size_t)2 << 30)
#define MOVEIN_VALUES_MAX 20000 /* of one object */
#define MOVEIN_NAME_MAX   320

enum movein_kind {
	MOVEIN_DOMAIN,
	MOVEIN_ACCOUNT,
	MOVEIN_ALIAS, /* "@domain" is a catch-all */
	MOVEIN_LIST,
};
#define MOVEIN_KINDS 4

struct movein_value {
	const char *field; /* a literal */
	struct span text;
};

struct movein_object {
	enum movein_kind kind;
	struct span name; /* lower case */
	struct movein_value *values;
	size_t n_values, size;
	struct span password; /* as the system wrote it, or empty; see password.h */
	struct span mail;     /* where its mail lies, as the system says it, or empty */
	uint64_t number;      /* the system's own, 0 none */
	uint32_t members;     /* of a domain: its objects, but for the catch-all */
	bool dropped;         /* by movein_settle(), or not asked for */
};

/* What could not be taken as it is: for the operator. */
struct movein_note {
	struct span name; /* of the object, or of the file */
	struct span text;
};

struct movein {
	struct arena arena;
	struct movein_object **objects; /* in the order they were met */
	size_t n, size;
	uint32_t *index; /* by kind and name: a place in objects + 1 */
	size_t index_size;
	struct movein_note *notes;
	size_t n_notes, notes_size;
	struct span domain; /* for names without one; empty: they are left out */
	bool full;          /* something did not fit: the list is not whole */
};

void movein_init(struct movein *m, size_t bytes_max);
void movein_release(struct movein *m);

/* The object of that name, made when it is new; its domain is added with it. Null,
 * and a note, for a name that cannot be one, and beyond the limit. A name without
 * a domain gets m->domain. */
struct movein_object *
movein_add(struct movein *m, enum movein_kind kind, struct span name);
MUST_USE struct movein_object *
movein_find(const struct movein *m, enum movein_kind kind, struct span name);

/* The one value of a field; takes the place of an earlier one. `o` may be null,
 * then nothing happens: so a series of puts needs no checks. */
void movein_set(struct movein *m, struct movein_object *o, const char *field,
		struct span value);
void movein_set_number(struct movein *m, struct movein_object *o, const char *field,
		       uint64_t value);
void movein_set_flag(struct movein *m, struct movein_object *o, const char *field,
		     bool value);
/* One more address of a field, unless it is there; an address without a domain gets
 * that of the object. */
void movein_put(struct movein *m, struct movein_object *o, const char *field,
		struct span address);
void movein_set_password(struct movein *m, struct movein_object *o, struct span text);
void movein_set_mail(struct movein *m, struct movein_object *o, struct span text);

/* The first value of a field; empty when there is none. */
MUST_USE struct span movein_get(const struct movein_object *o, const char *field);
MUST_USE size_t movein_count(const struct movein_object *o, const char *field);

void
movein_note(struct movein *m, struct span name, const char *format, ...) PRINTF(3, 4);

/* Once everything was read: an alias of an account's own address becomes its
 * forward, an alias of all of a domain to all of another a domain alias, and what
 * then says nothing is dropped. */
void movein_settle(struct movein *m);

const char *movein_kind_name(enum movein_kind kind);
