/* common/directory/request.h - one operation on the directory as bytes
 *
 * What    the admin command fills a request; the running authd or, when there is
 *         none, the command itself runs it. A row of the answer is one object.
 *         Passwords travel as what is kept of them, never as they were typed.
 * Trust   request bytes come from the admin command over a socket of mode 0600;
 *         they are checked all the same.
 * Memory  spans point into the bytes.
 */
#pragma once

/* The door includes this file at its end. */
#include "common/directory/directory.h"

#define DIRECTORY_PAGE_MAX    250
#define DIRECTORY_REQUEST_MAX (60U << 10) /* one ipc packet */

enum directory_verb {
	DIRECTORY_ADD, /* object: name and first values; an alias gets more targets */
	DIRECTORY_REMOVE,  /* object: name (and label) */
	DIRECTORY_UPDATE,  /* object: name and the values that change */
	DIRECTORY_SHOW,    /* object: name; gives one row with all but secrets */
	DIRECTORY_LISTING, /* object: its name is a domain or "" (app passwords: of the
			    * account); rows with the fields that are DIRECTORY_LISTED
			    */
	DIRECTORY_DUMP,    /* the same, whole with secrets: what LOAD takes */
	DIRECTORY_LOAD,    /* `rows`, put as they are, all or nothing */
	DIRECTORY_WHOSE,   /* `rows`: numbers of accounts, eight bytes each [wire.h];
			    * gives   a row for each that no account has: its id, and,
			    * where   that is   known, the address it was of and when that
			    * was   removed */
	DIRECTORY_FORGET,  /* object: the id of an account that is removed; what WHOSE
			    * tells of it. IN_USE while there is one of that id */
};
#define DIRECTORY_VERBS 9

struct directory_request {
	enum directory_verb verb;
	struct directory_object object;
	/* LISTING, DUMP: name (and label) of the last row got, or empty. They go on
	 * until no row comes. */
	struct span after, after_label;
	uint32_t limit;   /* rows at most; 0 is DIRECTORY_PAGE_MAX */
	struct span rows; /* LOAD: directory_object_put() one after the other; WHOSE */
};

void directory_request_put(const struct directory_request *r, struct buf *out);
/* False, *out untouched, for bytes that are no request. */
MUST_USE bool directory_request_get(struct span bytes, struct directory_request *out);

/* An answer's row. */
MUST_USE bool directory_row_get(struct span bytes, struct directory_object *out);

/* Gets each row of the answer, as bytes. */
typedef void directory_row_sink(void *context, struct span row);

/* Runs one request. `now` in seconds since 1970. */
MUST_USE enum directory_result
directory_run(struct directory *d, const struct directory_request *r, uint64_t now,
	      directory_row_sink *sink, void *context, struct err *err);

/* The same for programs without a loop: waits, and tells the rows when it is done. */
MUST_USE enum directory_result
directory_run_now(struct directory *d, const struct directory_request *r, uint64_t now,
		  directory_row_sink *sink, void *context, struct err *err);

/* Does it change the directory? */
MUST_USE bool directory_changes(const struct directory_request *r);

/* "add", "exists": for logs and messages. */
const char *directory_verb_name(enum directory_verb verb);
const char *directory_result_name(enum directory_result r);

/* An outcome as it travels in one byte; any other byte is a fault. */
uint8_t directory_result_byte(enum directory_result r);
enum directory_result directory_result_of(uint8_t byte);
