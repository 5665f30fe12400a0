/* names of mailboxes: levels with '/' between, the first of them INBOX in any case */
#include "common/store/change_internal.h"

static bool
levels_good(struct span name)
{
	for (;;) {
		size_t n = span_find(name, '/');

		if (n == 0 || name.n == 0)
			return false;
		if (n == name.n)
			return true;
		name = span_after(name, n + 1);
	}
}

bool
name_good(struct span name)
{
	return name.n > 0 && name.n <= STORE_MAILBOX_NAME_MAX && levels_good(name) &&
	       mime_utf8_valid(name) == name.n && span_find(name, '\0') == name.n;
}

static struct span
level_first(struct span name)
{
	return span_first(name, span_find(name, '/'));
}

bool
name_same(struct span a, struct span b)
{
	const size_t n = sizeof("INBOX") - 1;

	if (a.n != b.n)
		return false;
	if (span_equal(a, b))
		return true;
	return span_equal_nocase(level_first(a), SPAN("INBOX")) &&
	       span_equal_nocase(level_first(b), SPAN("INBOX")) &&
	       span_equal(span_after(a, n), span_after(b, n));
}

struct span
name_written(struct span name, char hold[STORE_MAILBOX_NAME_MAX])
{
	struct span inbox = SPAN("INBOX");

	if (!span_equal_nocase(level_first(name), inbox) ||
	    name.n > STORE_MAILBOX_NAME_MAX)
		return name;
	memcpy(hold, name.at, name.n);
	memcpy(hold, inbox.at, inbox.n);
	return span_make(hold, name.n);
}
