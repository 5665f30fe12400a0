#include "admin/reason.h"

/* "mx.example.org[192.0.2.1]: " at the front, without ": ". */
static struct span
take_host(struct span *rest)
{
	size_t end = span_find_span(*rest, SPAN("]: "));
	struct span host = span_first(*rest, end + 1);

	if (end == rest->n || span_find(host, ' ') < host.n ||
	    span_find(host, '[') == host.n)
		return SPAN("");
	*rest = span_after(*rest, end + 3);
	return host;
}

static bool
parse_enhanced(struct span word, uint16_t out[3])
{
	for (size_t i = 0; i < 3; i++) {
		uint64_t n;

		if (!number_parse(span_cut(&word, '.'), i == 0 ? 5 : 999, &n))
			return false;
		out[i] = (uint16_t)n;
	}
	return word.n == 0 && out[0] >= 2;
}

/* Takes the first word when it is a reply code. */
static unsigned
take_code(struct span *rest)
{
	struct span after = *rest, word = span_cut(&after, ' ');
	uint64_t code;

	if (word.n != 3 || !number_parse(word, 599, &code) || code < 200)
		return 0;
	*rest = after;
	return (unsigned)code;
}

struct reason
reason_parse(struct span text)
{
	struct span rest = text, after;
	uint16_t enhanced[3] = {0};
	struct reason r = {0};

	r.host = take_host(&rest);
	r.code = take_code(&rest);
	after = rest;
	if (parse_enhanced(span_cut(&after, ' '), enhanced)) {
		memcpy(r.enhanced, enhanced, sizeof(enhanced));
		rest = after;
	}
	r.text = rest;
	if (text.n > 0)
		r.advice = advice_find(r.host, r.code, r.enhanced, r.text);
	return r;
}
