#include "common/conf/reading.h"

const char *
conf_skip_string(const char *at)
{
	char quote = *at++;

	while (*at && *at != quote)
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : NULL;
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

	if (!end)
		return NULL;
	for (; at < end + 2; at++)
		if (*at != '\n')
			*at = ' ';
	return at;
}

static char *
step(char *at)
{
	if (*at == '"' || *at == '\'')
		return (char *)(uintptr_t)conf_skip_string(at);
	if (*at == '#' || (at[0] == '/' && at[1] == '/'))
		return blank_line(at);
	if (at[0] == '/' && at[1] == '*')
		return blank_block(at);
	return at + 1;
}

const char *
conf_blank_comments(char *text)
{
	while (*text) {
		char *next = step(text);

		if (!next)
			return text;
		text = next;
	}
	return NULL;
}
