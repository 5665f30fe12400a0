/* common/directory/request.h - one operation on the directory as bytes
 *
 * What    the admin command fills a request; the running authd or, when there is
 *         none, the command itself runs it. Both walk the same rows. Passwords
 *         travel as what is kept of them, never as they were typed.
 * Trust   request bytes come from the admin command over a socket of mode 0600;
 *         they are checked all the same.
 * Memory  spans point into the bytes or the arena.
 */
#pragma once

/* The door includes this file at its end. */
#include "common/directory/directory.h"

#define DIRECTORY_PAGE_MAX    100
#define DIRECTORY_REQUEST_MAX (60U << 10) /* one ipc packet */

enum directory_verb {
	DIRECTORY_DOMAIN_ADD,
	DIRECTORY_DOMAIN_REMOVE,
	DIRECTORY_DOMAIN_ENABLE,
	DIRECTORY_DOMAIN_DISABLE,
	DIRECTORY_DOMAIN_LIST,
	DIRECTORY_ACCOUNT_ADD,
	DIRECTORY_ACCOUNT_REMOVE,
	DIRECTORY_ACCOUNT_SHOW,
	DIRECTORY_ACCOUNT_LIST,
	DIRECTORY_ACCOUNT_PASSWORD,
	DIRECTORY_ACCOUNT_QUOTA,
	DIRECTORY_ACCOUNT_ENABLE,
	DIRECTORY_ACCOUNT_DISABLE,
	DIRECTORY_ALIAS_ADD,
	DIRECTORY_ALIAS_REMOVE,
	DIRECTORY_ALIAS_SHOW,
	DIRECTORY_ALIAS_LIST,
};
#define DIRECTORY_VERBS 17

struct directory_request {
	enum directory_verb verb;
	struct span name;     /* domain or address; of a listing: a domain or "" */
	struct span after;    /* listings: name of the last row got, or "" */
	uint32_t limit;       /* listings: rows at most; 0 is DIRECTORY_PAGE_MAX */
	uint64_t quota_bytes; /* account add and quota */
	struct directory_password password; /* account add and password */
	struct span *targets;               /* alias add and remove */
	size_t n_targets;
};

void directory_request_put(const struct directory_request *r, struct buf *out);
/* False, outputs untouched, for bytes that are no request. */
MUST_USE bool directory_request_get(struct span bytes, struct arena *arena,
				    struct directory_request *out);

enum directory_row_kind {
	DIRECTORY_ROW_DOMAIN,
	DIRECTORY_ROW_ACCOUNT,
	DIRECTORY_ROW_ALIAS,
};

/* What a listing shows; no password, only what kind of one there is. */
struct directory_row {
	enum directory_row_kind kind;
	struct span name;
	uint64_t id;
	bool disabled;
	uint64_t quota_bytes;
	uint64_t created;   /* seconds since 1970 */
	struct span scheme; /* directory_password_scheme() */
	bool has_scram;
	struct span *targets;
	size_t n_targets;
};

void directory_row_put(const struct directory_row *row, struct buf *out);
MUST_USE bool
directory_row_get(struct span bytes, struct arena *arena, struct directory_row *out);

/* Gets each row of the answer, encoded. */
typedef void directory_row_sink(void *context, struct span row);

/* Runs one request. `now` in seconds since 1970. A listing goes on with `after`
 * as the name of its last row until it gives no row. */
MUST_USE enum directory_result
directory_run(struct directory *d, const struct directory_request *r, uint64_t now,
	      directory_row_sink *sink, void *context, struct err *err);

/* "account add", "exists": for logs and messages. */
const char *directory_verb_name(enum directory_verb verb);
const char *directory_result_name(enum directory_result r);

/* An outcome as it travels in one byte; any other byte is a fault. */
uint8_t directory_result_byte(enum directory_result r);
enum directory_result directory_result_of(uint8_t byte);
