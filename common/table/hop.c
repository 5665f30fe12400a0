#include "common/table/hop.h"

#include "common/table/key.h"

#define TO_MAX 300 /* as the setting `to` */

/* "[HOST]", "[HOST]:PORT" -> that; "DOMAIN", "DOMAIN:PORT" -> with `domain` before it.
 */
static bool
to_put(struct span next, const char *domain, struct buf *to)
{
	size_t close = span_find(next, ']');
	struct span host = next, port;

	for (size_t i = 0; i < next.n; i++)
		if ((uint8_t)next.at[i] <= ' ' || next.at[i] == 0x7f)
			return false;
	if (next.at[0] != '[') {
		buf_put_str(to, domain);
		buf_put(to, next);
		return to->n <= TO_MAX;
	}
	host = span_after(span_first(next, close), 1);
	port = span_after(next, close + 1);
	if (close == next.n || host.n == 0 || (port.n > 0 && port.at[0] != ':'))
		return false;
	if (span_starts_nocase(host, SPAN("ipv6:")))
		host = span_after(host, 5);
	if (span_find(host, ':') < host.n) {
		buf_put_char(to, '[');
		buf_put(to, host);
		buf_put_char(to, ']');
	} else {
		buf_put(to, host);
	}
	buf_put(to, port);
	return to->n <= TO_MAX;
}

/* LMTP has no MX. */
static enum table_hop
lmtp_take(struct span next, struct buf *to)
{
	if (span_starts_nocase(next, SPAN("inet:")))
		next = span_after(next, 5);
	buf_put_str(to, "lmtp://");
	return next.n > 0 && !span_starts_nocase(next, SPAN("unix:")) &&
		       to_put(next, "", to)
		   ? TABLE_HOP_ROUTE
		   : TABLE_HOP_WRONG;
}

static enum table_hop
refusal_take(struct span text, bool later, struct table_action *refusal)
{
	struct buf line = buf_make(text.n + 8);
	enum table_hop hop;

	buf_put_str(&line, later ? "450 " : "550 ");
	buf_put(&line, text);
	hop = table_action_parse(buf_span(&line), refusal) ? TABLE_HOP_WRONG
							   : TABLE_HOP_REFUSE;
	/* The text is the result's own: the line goes away. */
	if (refusal->text.n <= text.n)
		refusal->text = span_after(text, text.n - refusal->text.n);
	buf_release(&line);
	return hop;
}

enum table_hop
table_hop_parse(struct span result, struct buf *to, struct table_action *refusal)
{
	struct span next = span_trim(result, TABLE_SPACES), how;

	if (span_find(next, ':') == next.n)
		return TABLE_HOP_WRONG;
	how = span_cut(&next, ':');
	if (span_equal_nocase(how, SPAN("error")))
		return refusal_take(next, false, refusal);
	if (span_equal_nocase(how, SPAN("retry")))
		return refusal_take(next, true, refusal);
	if (span_equal_nocase(how, SPAN("lmtp")))
		return lmtp_take(next, to);
	if (how.n > 0 && !span_equal_nocase(how, SPAN("smtp")) &&
	    !span_equal_nocase(how, SPAN("relay")))
		return TABLE_HOP_WRONG;
	if (next.n == 0)
		return TABLE_HOP_NONE;
	return to_put(next, "mx:", to) ? TABLE_HOP_ROUTE : TABLE_HOP_WRONG;
}

const char *
table_hop_fault(struct span result)
{
	if (span_starts_nocase(span_trim(result, TABLE_SPACES), SPAN("lmtp:unix:")))
		return "names a Unix socket, which no mail is sent to: give it a port, "
		       "lmtp:[127.0.0.1]:24";
	return "is no route that is known here";
}
