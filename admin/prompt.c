#include "admin/prompt.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static bool
read_line(char *out, size_t size)
{
	size_t n;

	if (!fgets(out, (int)size, stdin))
		return false;
	n = strlen(out);
	if (n > 0 && out[n - 1] == '\n')
		out[n - 1] = '\0';
	return true;
}

bool
prompt_secret(const char *prompt, char *out, size_t size)
{
	struct termios shown, hidden;
	bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
	bool got;

	if (terminal) {
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		fputs(prompt, stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	got = read_line(out, size);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	return got;
}
