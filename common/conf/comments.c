#include "common/conf/reading.h"

/* Behind the closing quote, or at the end of the text. */
static char *
skip_string(char *at)
{
	char quote = *at++;

	while (*at && *at != quote)
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

static char *
blank_line(char *at)
{
	while (*at && *at != '\n')
		*at++ = ' ';
	return at;
}

static char *
blank_block(char *at)
{
	char *end = strstr(at + 2, "*/");

	/* One that never ends is left for libconfuse to complain about. */
	if (!end)
		return at + strlen(at);
	for (; at < end + 2; at++)
		if (*at != '\n')
			*at = ' ';
	return at;
}

void
conf_blank_comments(char *text)
{
	while (*text) {
		if (*text == '"' || *text == '\'')
			text = skip_string(text);
		else if (*text == '#' || (text[0] == '/' && text[1] == '/'))
			text = blank_line(text);
		else if (text[0] == '/' && text[1] == '*')
			text = blank_block(text);
		else
			text++;
	}
}
