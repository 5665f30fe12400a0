/* common/directory/record.h - keys and values; for this room only
 *
 * Keys, in one ordered tree (the domain first, so that a listing walks it):
 *   'm' name                       what the directory knows of itself
 *   'd' domain                     a domain
 *   'a' domain NUL local           an account
 *   'i' id, big-endian             the key of that account
 *   'l' domain NUL local           an alias; empty local: catch-all
 *   't' domain NUL local           a list
 *   'g' domain NUL local           a group
 *   'p' domain NUL local NUL label an app password
 *   'n' kind, id big-endian, text a note [note.h]: its number and its end
 * Values begin with a version byte and end with a CRC-32C. Those of objects are of
 * version 2, the values of the object by their numbers [object.h]; version 1 is read
 * as well.
 */
#pragma once

#include "common/directory/backend.h"

#define RECORD_KEY_MAX   (1 + DIRECTORY_ADDRESS_MAX + 2 + DIRECTORY_LABEL_MAX)
#define RECORD_VALUE_MAX (1U << 20)

enum record_kind {
	RECORD_META = 'm',
	RECORD_DOMAIN = 'd',
	RECORD_ACCOUNT = 'a',
	RECORD_ID = 'i',
	RECORD_ALIAS = 'l',
	RECORD_LIST = 't',
	RECORD_GROUP = 'g',
	RECORD_APP_PASSWORD = 'p',
	RECORD_NOTE = 'n',
};

struct record_key {
	char bytes[RECORD_KEY_MAX];
	size_t n;
};

/* Canonical name of an object; of a domain "@domain". */
struct record_name {
	struct directory_name name;
	char label[DIRECTORY_LABEL_MAX + 1];
};

struct span record_key_span(const struct record_key *key);
struct record_key record_key_meta(const char *name);
struct record_key record_key_domain(struct span domain);
struct record_key record_key_id(uint64_t id);
struct record_key record_key_of(enum directory_kind kind,
				const struct directory_name *n, struct span label);
/* Before all of that kind in a domain, or of an account (app passwords); before all
 * of the kind when `in` is empty. `in` is canonical. */
struct record_key
record_key_in(enum directory_kind kind, const struct directory_name *in);
/* The name in such a key; false when it is no key of that kind. */
MUST_USE bool
record_key_name(enum directory_kind kind, struct span key, struct record_name *out);
/* "local@domain" of an account's key into `out`. */
MUST_USE bool record_key_address(struct span key, struct directory_name *out);

/* Values. The put functions empty `out` first; the get functions return false,
 * outputs untouched, when the value is damaged or of another version. Texts point
 * into `value`; kind, name and label of an object are the caller's. */
void record_put_object(const struct directory_object *o, struct buf *out);
/* Of the kind that out->kind says. */
MUST_USE bool record_get_object(struct span value, struct directory_object *out);
void record_put_number(uint64_t number, struct buf *out);
MUST_USE bool record_get_number(struct span value, uint64_t *out);
void record_put_bytes(struct span bytes, struct buf *out);
MUST_USE bool record_get_bytes(struct span value, struct span *out);
