/* common/base/utf8.h - [RFC3629 4] well-formed UTF-8 */
#pragma once

#include "common/base/span.h"

/* No overlong forms, no surrogates, nothing above U+10FFFF. */
MUST_USE bool utf8_valid(struct span s);

/* The bytes of a character, which is below 0x110000; how many they are. */
MUST_USE size_t utf8_encode(uint32_t character, char out[4]);
