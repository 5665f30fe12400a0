/* common/conf/value.h - words of the file into a member of a struct of values
 *
 * Private to this room.
 */
#pragma once

#include "common/conf/conf.h"

struct conf_words {
	const struct span *at;
	size_t n;
};

/* Checks all words against the row; on success the member of *out (struct settings,
 * or what else the row is of), which must be empty (zero), gets their value. On failure
 * a text without file and line in *err, and in *word which of the words is wrong
 * (words.n: their number); the member stays empty. */
MUST_USE int conf_value_set(const struct conf_row *row, struct conf_words words,
			    void *out, size_t *word, struct err *err);
/* The default, which must be a right one. */
void conf_value_preset(const struct conf_row *row, void *out);
void conf_value_release(const struct conf_row *row, void *out);
/* A copy of what `from` has. */
void conf_value_copy(const struct conf_row *row, const void *from, void *out);

/* The value as it would stand in the file. */
void conf_value_text(const struct conf_row *row, const void *values, struct buf *out);
void conf_put_quoted(struct buf *out, const char *text);

/* Is it a domain name, in whatever case? */
MUST_USE bool conf_domain_ok(struct span word);
/* Is it an IPv4 or IPv6 address? */
MUST_USE bool conf_address_ok(struct span text);
/* In A-labels and lower case; null when it cannot be. Freed with free(). */
MUST_USE char *conf_domain_ascii(struct span word);

static inline void *
conf_member(const struct conf_row *row, void *values)
{
	return (char *)values + row->offset;
}

static inline const void *
conf_member_const(const struct conf_row *row, const void *values)
{
	return (const char *)values + row->offset;
}

/* The n-th of "a|*b|c", without the star; empty beyond the last. */
MUST_USE struct span conf_choice_word(const struct conf_row *row, size_t n, bool *star);

/* The keys of a `route` section; their values are in a struct conf_route_values. */
const struct conf_row *conf_route_rows(size_t *n);
/* The keys of a `table` section; their values are in a struct conf_table. */
const struct conf_row *conf_table_rows(size_t *n);
