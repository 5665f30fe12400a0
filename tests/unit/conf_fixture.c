/* tests/unit/conf_fixture.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

int
parse_text(const char *text, struct settings *out, struct conf_errors *errors)
{
	return conf_parse(span_str(text), "f", "fallback.example", out, errors);
}

void
assert_errors(const char *text, const char *want)
{
	struct buf got = buf_make(100000);
	struct conf_errors errors;
	struct settings s;

	if (parse_text(text, &s, &errors) == 0)
		conf_release(&s);
	for (size_t i = 0; i < errors.n; i++) {
		buf_put_str(&got, i > 0 ? "\n" : "");
		buf_put_str(&got, errors.at[i].text);
	}
	buf_put_char(&got, '\0');
	assert_string_equal(got.at, want);
	conf_errors_release(&errors);
	buf_release(&got);
}
