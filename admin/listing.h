/* admin/listing.h - rows for people (aligned columns) or for programs (JSON)
 *
 * For people the rows of one page are aligned with each other; bytes that could
 * play tricks on a terminal are shown as \xNN. JSON is one array of objects, a
 * column each, written row by row, so a listing may be of any length.
 */
#pragma once

#include "admin/command.h"

#define LISTING_COLUMNS_MAX 24
#define LISTING_PAGE_ROWS   500

struct listing;

/* `columns` ends with null and must outlive the listing. */
MUST_USE struct listing *
listing_new(const struct admin *admin, const char *const *columns);

/* The cells of a row, in the order of the columns. */
void listing_text(struct listing *l, struct span text);
void listing_number(struct listing *l, uint64_t number);
/* Shown to people as "1.5 GB", to programs as a number of bytes. */
void listing_bytes(struct listing *l, uint64_t bytes);
/* The same of a limit, where 0 is no limit: "none" to people. */
void listing_limit(struct listing *l, uint64_t bytes);
/* Microseconds since 1970; RFC 3339 in both forms, nothing for 0. */
void listing_time(struct listing *l, uint64_t unix_us);
void listing_flag(struct listing *l, bool flag);
/* Texts each behind its length [base/wire.h]: with commas, or a JSON array. */
void listing_items(struct listing *l, struct span items);

/* Prints nothing more; for a listing that failed. Nulls the owner's pointer. */
void listing_free(struct listing **l);

/* Prints what is left; frees. */
void listing_end(struct listing **l);
/* The one or the other. */
void listing_done(struct listing **l, enum exit_status status);
/* One row as a JSON object, or for people a line "name  value" for each column. */
void listing_end_single(struct listing **l);
