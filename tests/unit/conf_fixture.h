/* tests/unit/conf_fixture.h - a settings file given as text */
#pragma once

#include "common/conf/conf.h"

/* As conf_parse(), of a file called "f". */
int parse_text(const char *text, struct settings *out, struct conf_errors *errors);
/* The errors, joined by newlines; empty when the text is right. */
void assert_errors(const char *text, const char *want);
