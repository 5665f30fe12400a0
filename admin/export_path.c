#include "admin/export.h"

#include <stdio.h>

static bool
is_plain(char c)
{
	return ascii_alnum(c) || (uint8_t)c >= 0x80 ||
	       (c != '\0' && strchr("@.-_+=", c));
}

bool
export_mail_path(const char *destination, struct span address,
		 char out[EXPORT_PATH_MAX])
{
	struct buf path = buf_make(EXPORT_PATH_MAX - 1);
	bool good;

	buf_putf(&path, "%s/mail/", destination);
	for (size_t i = 0; i < address.n; i++) {
		char c = address.at[i];

		/* No "." and "..", and nothing hidden. */
		if (is_plain(c) && (i > 0 || c != '.'))
			buf_put_char(&path, c);
		else
			buf_putf(&path, "%%%02X", (unsigned)(uint8_t)c);
	}
	good = !path.full && span_copy(buf_span(&path), out, EXPORT_PATH_MAX);
	buf_release(&path);
	return good;
}
