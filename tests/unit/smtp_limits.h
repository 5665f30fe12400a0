/* tests/unit/smtp_limits.h - for tests of limits and deadlines: sessions of a policy
 * that each test makes
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/smtp_script.h"

static struct session_policy policy;

/* A session in the middle of a transaction, or before it. */
static inline void
open_session(struct script *t, bool transaction)
{
	script_init(t, &policy, NULL);
	script_feed(t, SPAN("EHLO c\r\n"));
	if (transaction)
		script_feed(t, SPAN("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
	buf_reset(&t->out);
}

/* n bytes 'x' between two texts. */
static inline void
feed_padded(struct script *t, const char *head, size_t n, const char *tail)
{
	struct buf text = buf_make(n + 200);
	char *at;

	buf_put_str(&text, head);
	at = buf_extend(&text, n);
	assert_non_null(at);
	memset(at, 'x', n);
	buf_put_str(&text, tail);
	script_feed(t, buf_span(&text));
	buf_release(&text);
}

static inline void
assert_last(const struct script *t, unsigned code, bool closed)
{
	assert_int_equal(session_last_code(t->s), code);
	assert_int_equal(t->closed, closed);
}
