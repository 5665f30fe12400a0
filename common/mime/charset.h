/* common/mime/charset.h - bytes of some charset into UTF-8
 *
 * UTF-8, US-ASCII and windows-1252 are known here; the latter in place of ISO-8859-1,
 * too: its bytes 0x80 to 0x9f, controls that no mail means, are quotes, dashes and the
 * euro of mailers that say the wrong name, and every browser reads them so. Others go
 * to the caller's converter, since iconv is a matter of files and so not for a pure
 * room.
 */
#pragma once

#include "common/base/base.h"

#define MIME_CHARSET_NAME_MAX 64

/* Appends `bytes` as UTF-8 and returns true, or returns false when the charset
 * is unknown; broken input gives U+FFFD, never a failure. The bytes may end
 * inside a character. */
typedef bool mime_charset_convert(void *context, struct span charset, struct span bytes,
				  struct buf *out);

struct mime_charsets {
	mime_charset_convert *convert; /* may be null */
	void *context;
};

/* Appends `bytes` of a charset as valid UTF-8, NULs and broken bytes as U+FFFD.
 * An unknown charset is read as UTF-8 where it is valid, byte by byte as
 * windows-1252 where it is not. `charsets` may be null. */
void mime_charset_put(const struct mime_charsets *charsets, struct span charset,
		      struct span bytes, struct buf *out);

/* Bytes at the front of s that are valid UTF-8 [RFC3629 4]; s.n when all are. */
MUST_USE size_t mime_utf8_valid(struct span s);

/* s without a character at its end that was cut short. */
MUST_USE struct span mime_utf8_whole(struct span s);

/* The character of a byte; U+FFFD for NUL and the five bytes that have none. */
MUST_USE uint32_t mime_windows_1252(uint8_t byte);
