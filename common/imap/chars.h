/* common/imap/chars.h - which byte may stand where [RFC9051 9]; private to this room */
#pragma once

#include "common/base/base.h"

#define IMAP_QUOTED_MAX 1000 /* longer strings are sent as literals */

enum imap_chars {
	IMAP_C_ATOM = 1 << 0,    /* ATOM-CHAR */
	IMAP_C_ASTRING = 1 << 1, /* ATOM-CHAR or ']' */
	IMAP_C_LIST = 1 << 2,    /* list-char: ATOM-CHAR, ']', '%', '*' */
	IMAP_C_TAG = 1 << 3,     /* ASTRING-CHAR but '+' */
	IMAP_C_SET = 1 << 4,     /* digits : , * */
	IMAP_C_FIELD = 1 << 5,   /* of a header field's name [RFC5322 2.2] */
	IMAP_C_PLAIN = 1 << 6,   /* stands for itself between quotes, 8-bit included */
};

extern const uint8_t imap_chars[256];

static inline bool
imap_is(char c, enum imap_chars set)
{
	return (imap_chars[(unsigned char)c] & set) != 0;
}
