#include "pickup/drop/drop.h"

static const struct span first_line = SPAN("postroad-drop 1\n");
static const struct span sender_word = SPAN("sender ");
static const struct span recipient_word = SPAN("recipient ");

/* Nothing that could end a command early; the grammar is smtpd's to check. */
static bool
address_possible(struct span s)
{
	if (s.n > DROP_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f ||
		    s.at[i] == '<' || s.at[i] == '>')
			return false;
	return true;
}

/* Takes a line, without its LF; false when there is no whole one. */
static bool
line_take(struct span *rest, struct span *line)
{
	size_t n = span_find(*rest, '\n');

	if (n == rest->n)
		return false;
	*line = span_first(*rest, n);
	*rest = span_after(*rest, n + 1);
	return true;
}

static enum drop_result
more_or_bad(struct span bytes)
{
	return bytes.n < DROP_HEAD_MAX ? DROP_MORE : DROP_BAD;
}

static enum drop_result
recipients_parse(struct span bytes, struct span rest, struct drop *d)
{
	struct span line;

	d->recipients = rest;
	d->n_recipients = 0;
	while (line_take(&rest, &line)) {
		if (line.n == 0) {
			d->head_bytes = bytes.n - rest.n;
			d->recipients.n -= rest.n + 1;
			return d->n_recipients > 0 ? DROP_OK : DROP_BAD;
		}
		if (!span_starts(line, recipient_word) || line.n == recipient_word.n ||
		    !address_possible(span_after(line, recipient_word.n)) ||
		    ++d->n_recipients > DROP_RECIPIENTS)
			return DROP_BAD;
	}
	return more_or_bad(bytes);
}

enum drop_result
drop_parse(struct span bytes, struct drop *out)
{
	struct span rest = span_after(bytes, first_line.n), line;
	enum drop_result result;
	struct drop d;

	if (!span_starts(first_line, span_first(bytes, first_line.n)))
		return DROP_BAD;
	if (!line_take(&rest, &line))
		return more_or_bad(bytes);
	if (!span_starts(line, sender_word))
		return DROP_BAD;
	d.sender = span_after(line, sender_word.n);
	if (!address_possible(d.sender))
		return DROP_BAD;
	result = recipients_parse(bytes, rest, &d);
	if (result == DROP_OK)
		*out = d;
	return result;
}

bool
drop_recipient(struct span *rest, struct span *address)
{
	struct span line;

	if (!line_take(rest, &line))
		return false;
	*address = span_after(line, recipient_word.n);
	return true;
}
