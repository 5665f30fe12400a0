#include "common/table/query.h"

static const char escapes[] = "sudSUD%";

const char *table_template_fault(struct span template)
{
	size_t at;

	while ((at = span_find(template, '%')) < template.n) {
		char c = at + 1 < template.n ? template.at[at + 1] : '\0';

		if (!c || (!strchr(escapes, c) && (c < '1' || c > '9')))
			return "has a % that stands before none of s u d S U D 1 to 9 "
			       "and %";
		template = span_after(template, at + 2);
	}
	return NULL;
}

static bool
local_put(struct span text, struct buf *out)
{
	struct span local = span_first(text, span_find_last(text, '@'));

	buf_put(out, local);
	return local.n > 0;
}

static struct span
domain_of(struct span text)
{
	return span_after(text, span_find_last(text, '@') + 1);
}

/* Label number n of the domain, counted from its end; 1 is the last. */
static bool
label_put(struct span text, unsigned n, struct buf *out)
{
	struct span domain = domain_of(text), label = domain;

	for (; n > 0; n--) {
		size_t dot = span_find_last(domain, '.');

		if (domain.n == 0)
			return false;
		label = dot < domain.n ? span_after(domain, dot + 1) : domain;
		domain = dot < domain.n ? span_first(domain, dot) : span_make("", 0);
	}
	buf_put(out, label);
	return label.n > 0;
}

static bool
escape_put(char escape, struct span value, struct span key, struct buf *out)
{
	struct span text = escape >= 'A' && escape <= 'Z' ? key : value;

	switch (ascii_lower(escape)) {
	case '%':
		buf_put_char(out, '%');
		return true;
	case 's':
		buf_put(out, text);
		return true;
	case 'u':
		return local_put(text, out);
	case 'd':
		buf_put(out, domain_of(text));
		return domain_of(text).n > 0;
	default:
		return label_put(text, (unsigned)(escape - '0'), out);
	}
}

bool
table_expand(struct span template, struct span value, struct span key, struct buf *out)
{
	size_t at;

	while ((at = span_find(template, '%')) + 1 < template.n) {
		buf_put(out, span_first(template, at));
		if (!escape_put(template.at[at + 1], value, key, out))
			return false;
		template = span_after(template, at + 2);
	}
	buf_put(out, template);
	return true;
}
