/* common/directory/record.h - keys and values; for this room only
 *
 * Keys, in one ordered tree (the domain first, so that a listing walks it):
 *   'm' name                 what the directory knows of itself
 *   'd' domain               struct directory_domain
 *   'a' domain NUL local     struct directory_account
 *   'i' id, big-endian       the key of that account
 *   'l' domain NUL local     targets of an alias; empty local: catch-all
 *   'n' kind, id big-endian, text
 *                        a note [note.h]: its number and its end
 * Values begin with a version byte and end with a CRC-32C.
 */
#pragma once

#include "common/directory/backend.h"

#define RECORD_KEY_MAX   (1 + DIRECTORY_ADDRESS_MAX + 1)
#define RECORD_VALUE_MAX (1U << 20)

enum record_kind {
	RECORD_META = 'm',
	RECORD_DOMAIN = 'd',
	RECORD_ACCOUNT = 'a',
	RECORD_ID = 'i',
	RECORD_ALIAS = 'l',
	RECORD_NOTE = 'n',
};

struct record_key {
	char bytes[RECORD_KEY_MAX];
	size_t n;
};

struct span record_key_span(const struct record_key *key);
struct record_key record_key_meta(const char *name);
struct record_key record_key_domain(struct span domain);
struct record_key record_key_id(uint64_t id);
/* RECORD_ACCOUNT or RECORD_ALIAS of a canonical name. */
struct record_key
record_key_name(enum record_kind kind, const struct directory_name *n);
/* Before all names of a domain; an empty domain: before all of that kind. */
struct record_key record_key_names_of(enum record_kind kind, struct span domain);
/* "local@domain" of such a key into `out`; false when it is no such key. */
MUST_USE bool record_key_address(struct span key, struct directory_name *out);

/* Values. The put functions empty `out` first; the get functions return false,
 * outputs untouched, when the value is damaged or of another version. */
void record_put_domain(const struct directory_domain *d, struct buf *out);
MUST_USE bool record_get_domain(struct span value, struct directory_domain *out);
void record_put_account(const struct directory_account *a, struct buf *out);
MUST_USE bool record_get_account(struct span value, struct directory_account *out);
void record_put_targets(const struct span *targets, size_t n, struct buf *out);
/* The spans point into `value`; `targets` has room for DIRECTORY_TARGETS_MAX. */
MUST_USE bool record_get_targets(struct span value, struct span *targets, size_t *n);
void record_put_number(uint64_t number, struct buf *out);
MUST_USE bool record_get_number(struct span value, uint64_t *out);
void record_put_bytes(struct span bytes, struct buf *out);
MUST_USE bool record_get_bytes(struct span value, struct span *out);
/* The values of an object; its kind is the key's to say, and set before getting. */
void record_put_object(const struct directory_object *object, struct buf *out);
/* The spans point into `value`. */
MUST_USE bool record_get_object(struct span value, struct directory_object *object);
