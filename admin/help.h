/* admin/help.h - what the commands are, out of their tables */
#pragma once

#include "admin/command.h"

MUST_USE bool help_has(const char *noun);

/* All commands; only those of a noun when there is such a noun. */
void help_print(FILE *out, const char *noun);

/* "usage: postroad queue show ID [--history]", and what its words stand for. */
void help_usage(FILE *out, const struct command *c);
