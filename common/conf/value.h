/* common/conf/value.h - words of the file into a member of struct settings
 *
 * Private to this room.
 */
#pragma once

#include "common/conf/conf.h"

struct conf_words {
	const struct span *at;
	size_t n;
};

/* Checks all words against the row; on success the member, which must be empty
 * (zero), gets their value. On failure a text without file and line in *err, and
 * in *word which of the words is wrong (words.n: their number); the member stays
 * empty. */
MUST_USE int conf_value_set(const struct conf_row *row, struct conf_words words,
			    struct settings *out, size_t *word, struct err *err);
/* The default, which must be a right one. */
void conf_value_preset(const struct conf_row *row, struct settings *out);
void conf_value_release(const struct conf_row *row, struct settings *out);
/* A copy of what `from` has. */
void conf_value_copy(const struct conf_row *row, const struct settings *from,
		     struct settings *out);

static inline void *
conf_member(const struct conf_row *row, struct settings *settings)
{
	return (char *)settings + row->offset;
}

static inline const void *
conf_member_const(const struct conf_row *row, const struct settings *settings)
{
	return (const char *)settings + row->offset;
}

/* The n-th of "a|*b|c", without the star; empty beyond the last. */
MUST_USE struct span conf_choice_word(const struct conf_row *row, size_t n, bool *star);
