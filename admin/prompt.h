/* admin/prompt.h - a line that is not shown while it is typed */
#pragma once

#include "common/base/base.h"

#define PROMPT_MAX 1024

/* Asks on standard error and reads one line of standard input, without its end; at a
 * terminal it is not shown. False at the end of input. */
MUST_USE bool prompt_secret(const char *prompt, char *out, size_t size);
