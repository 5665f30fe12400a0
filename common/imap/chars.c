#include "common/imap/chars.h"

#define PLAIN   IMAP_C_PLAIN
#define FIELD   (PLAIN | IMAP_C_FIELD)
#define LIST    (FIELD | IMAP_C_LIST)
#define ASTRING (LIST | IMAP_C_ASTRING | IMAP_C_TAG)
#define ATOM    (ASTRING | IMAP_C_ATOM)
#define DIGIT   (ATOM | IMAP_C_SET)

/* atom-specials: ( ) { SP CTL % * " \ ]. '+' is no part of a tag. */
const uint8_t imap_chars[256] = {
    [0x01 ... 0x09] = PLAIN,
    [0x0b ... 0x0c] = PLAIN,
    [0x0e ... 0x20] = PLAIN,
    ['!'] = ATOM,
    ['"'] = IMAP_C_FIELD,
    ['#' ... '$'] = ATOM,
    ['%'] = LIST,
    ['&' ... '\''] = ATOM,
    ['(' ... ')'] = FIELD,
    ['*'] = LIST | IMAP_C_SET,
    ['+'] = ATOM & ~IMAP_C_TAG,
    [','] = DIGIT,
    ['-' ... '/'] = ATOM,
    ['0' ... '9'] = DIGIT,
    [':'] = DIGIT & ~IMAP_C_FIELD,
    [';' ... '['] = ATOM,
    ['\\'] = IMAP_C_FIELD,
    [']'] = ASTRING,
    ['^' ... 'z'] = ATOM,
    ['{'] = FIELD,
    ['|' ... '~'] = ATOM,
    [0x7f ... 0xff] = PLAIN,
};
