/* tests/unit/directory_make.h - short ways to change a directory in tests */
#pragma once

#include "common/directory/directory.h"

static inline enum directory_result
make_domain(struct directory *d, struct span name, struct err *err)
{
	return directory_add(
	    d, &(struct directory_object){.kind = DIRECTORY_DOMAIN, .name = name},
	    1600000000, err);
}

static inline enum directory_result
make_number(struct directory *d, enum directory_kind kind, struct span name,
	    size_t field, uint64_t number, struct err *err)
{
	struct directory_object o = {.kind = kind, .name = name};

	directory_put_number(&o, field, number);
	return directory_set(d, &o, err);
}

static inline enum directory_result
make_domain_enabled(struct directory *d, struct span name, bool enabled,
		    struct err *err)
{
	return make_number(d, DIRECTORY_DOMAIN, name, FIELD_DOMAIN_ENABLED, enabled,
			   err);
}

static inline enum directory_result
make_domain_gone(struct directory *d, struct span name, struct err *err)
{
	return directory_remove(d, DIRECTORY_DOMAIN, name, (struct span){0}, 0, err);
}

/* Bytes of a password in *room, which the caller releases. */
static inline struct span
make_secret(const struct directory_password *password, struct buf *room)
{
	*room = buf_make(1024);
	directory_password_put(password, room);
	return buf_span(room);
}

static inline enum directory_result
make_account(struct directory *d, struct span address,
	     const struct directory_password *password, uint64_t quota_bytes,
	     uint64_t created, uint64_t *id, struct err *err)
{
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT, .name = address};
	struct directory_account found;
	struct buf secret;
	enum directory_result r;

	directory_put_text(&o, FIELD_ACCOUNT_PASSWORD, make_secret(password, &secret));
	directory_put_number(&o, FIELD_ACCOUNT_QUOTA_BYTES, quota_bytes);
	r = directory_add(d, &o, created, err);
	if (r == DIRECTORY_DONE && id) {
		r = directory_account_find(d, address, &found, err);
		*id = found.id;
	}
	buf_release(&secret);
	return r;
}

static inline enum directory_result
make_account_password(struct directory *d, struct span address,
		      const struct directory_password *password, struct err *err)
{
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT, .name = address};
	struct buf secret;
	enum directory_result r;

	directory_put_text(&o, FIELD_ACCOUNT_PASSWORD, make_secret(password, &secret));
	r = directory_set(d, &o, err);
	buf_release(&secret);
	return r;
}

static inline enum directory_result
make_account_quota(struct directory *d, struct span address, uint64_t quota_bytes,
		   struct err *err)
{
	return make_number(d, DIRECTORY_ACCOUNT, address, FIELD_ACCOUNT_QUOTA_BYTES,
			   quota_bytes, err);
}

static inline enum directory_result
make_account_disabled(struct directory *d, struct span address, bool disabled,
		      struct err *err)
{
	return make_number(d, DIRECTORY_ACCOUNT, address, FIELD_ACCOUNT_DISABLED,
			   disabled, err);
}

static inline enum directory_result
make_account_gone(struct directory *d, struct span address, struct err *err)
{
	return directory_remove(d, DIRECTORY_ACCOUNT, address, (struct span){0}, 0,
				err);
}

/* Addresses as a value has them; the caller releases the room. */
static inline struct span
make_items(const struct span *items, size_t n, struct buf *room)
{
	*room = buf_make(1 << 20);
	for (size_t i = 0; i < n; i++)
		directory_item_put(room, items[i]);
	return buf_span(room);
}

static inline enum directory_result
make_alias(struct directory *d, struct span address, const struct span *targets,
	   size_t n, struct err *err)
{
	struct directory_object o = {.kind = DIRECTORY_ALIAS, .name = address};
	struct buf room;
	enum directory_result r;

	directory_put_text(&o, FIELD_ALIAS_TARGETS, make_items(targets, n, &room));
	r = directory_add(d, &o, 0, err);
	buf_release(&room);
	return r;
}

/* Without those targets; n 0: without the alias. */
static inline enum directory_result
make_alias_gone(struct directory *d, struct span address, const struct span *targets,
		size_t n, struct err *err)
{
	struct directory_object o = {.kind = DIRECTORY_ALIAS, .name = address};
	struct buf room;
	enum directory_result r;

	if (n == 0)
		return directory_remove(d, DIRECTORY_ALIAS, address, (struct span){0},
					0, err);
	directory_put_text(&o, FIELD_ALIAS_TARGETS, make_items(targets, n, &room));
	o.values[FIELD_ALIAS_TARGETS].how = DIRECTORY_VALUE_DELETE;
	r = directory_set(d, &o, err);
	buf_release(&room);
	return r;
}
