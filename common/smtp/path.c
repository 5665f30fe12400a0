#include "common/smtp/smtp.h"

static bool
is_utf8_byte(char c)
{
	return (unsigned char)c >= 0x80;
}

/* [RFC5322 3.2.3], and UTF-8 [RFC6531 3.3]. */
static bool
is_atext(char c)
{
	return ascii_alnum(c) || is_utf8_byte(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* qtextSMTP [RFC5321 4.1.2] and UTF-8. */
static bool
is_qtext(char c)
{
	return is_utf8_byte(c) || (c >= 32 && c <= 126 && c != '"' && c != '\\');
}

/* Length of the dot-string at the front of s; 0 when there is none. */
static size_t
dot_string_bytes(struct span s)
{
	bool atom = false; /* an atom has begun since the last dot */
	size_t n = 0;

	for (; n < s.n && (is_atext(s.at[n]) || s.at[n] == '.'); n++) {
		if (s.at[n] == '.' && !atom)
			return 0;
		atom = s.at[n] != '.';
	}
	return atom ? n : 0;
}

/* Length of the quoted string at the front of s, quotes counted; 0 when bad. */
static size_t
quoted_string_bytes(struct span s)
{
	size_t n = 1;

	while (n < s.n && s.at[n] != '"') {
		if (s.at[n] == '\\') {
			n++;
			if (n == s.n || s.at[n] < 32 || s.at[n] > 126)
				return 0;
		} else if (!is_qtext(s.at[n])) {
			return 0;
		}
		n++;
	}
	return n < s.n && n > 1 ? n + 1 : 0;
}

static size_t
local_bytes(struct span s)
{
	return s.n > 0 && s.at[0] == '"' ? quoted_string_bytes(s) : dot_string_bytes(s);
}

/* Length of what looks like a domain or literal at the front of s. */
static size_t
domain_bytes(struct span s)
{
	size_t n = 0;

	if (s.n > 0 && s.at[0] == '[') {
		n = span_find(s, ']');
		return n < s.n ? n + 1 : 0;
	}
	while (n < s.n && (ascii_alnum(s.at[n]) || is_utf8_byte(s.at[n]) ||
			   s.at[n] == '-' || s.at[n] == '_' || s.at[n] == '.'))
		n++;
	return n;
}

static bool
label_valid(struct span label, bool utf8)
{
	if (label.n == 0 || label.n > 63 || label.at[0] == '-' ||
	    label.at[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.at[i];

		if (!ascii_alnum(c) && c != '-' && c != '_' &&
		    !(utf8 && is_utf8_byte(c)))
			return false;
	}
	return !utf8 || utf8_valid(label);
}

bool
smtp_domain_valid(struct span name, bool utf8)
{
	if (name.n == 0 || name.n > SMTP_DOMAIN_BYTES_MAX || name.at[name.n - 1] == '.')
		return false;
	while (name.n > 0)
		if (!label_valid(span_cut(&name, '.'), utf8))
			return false;
	return true;
}

/* Takes "local@domain" off the front of *in. */
static enum smtp_path_result
take_mailbox(struct span *in, struct smtp_path *out)
{
	struct span rest = *in;
	struct span local = span_first(rest, local_bytes(rest));
	struct span domain;

	rest = span_after(rest, local.n);
	if (local.n == 0 || rest.n == 0 || rest.at[0] != '@')
		return SMTP_PATH_SYNTAX;
	rest = span_after(rest, 1);
	domain = span_first(rest, domain_bytes(rest));
	if (local.n > SMTP_LOCAL_BYTES_MAX)
		return SMTP_PATH_LOCAL_LONG;
	if (domain.n > SMTP_DOMAIN_BYTES_MAX)
		return SMTP_PATH_DOMAIN_LONG;
	if (!smtp_domain_valid(domain, true) && !smtp_literal_valid(domain))
		return SMTP_PATH_SYNTAX;
	if (!utf8_valid(local))
		return SMTP_PATH_SYNTAX;
	*in = span_after(rest, domain.n);
	*out = (struct smtp_path){local, domain, false};
	for (const char *at = local.at; at < domain.at + domain.n; at++)
		out->utf8 |= is_utf8_byte(*at);
	return SMTP_PATH_OK;
}

/* Skips "@a,@b:", which means nothing any more [RFC5321 C]. */
static bool
skip_route(struct span *in)
{
	struct span route;

	if (in->n == 0 || in->at[0] != '@')
		return true;
	if (span_find(*in, ':') == in->n)
		return false;
	route = span_cut(in, ':');
	while (route.n > 0) {
		struct span hop = span_cut(&route, ',');

		if (hop.n == 0 || hop.at[0] != '@' ||
		    !smtp_domain_valid(span_after(hop, 1), true))
			return false;
	}
	return true;
}

/* "postmaster" alone is a mailbox in every domain [RFC5321 4.1.1.3]. */
static bool
take_postmaster(struct span *in, struct smtp_path *out)
{
	static const struct span word = SPAN("postmaster");

	if (!span_starts_nocase(*in, word) || in->n == word.n || in->at[word.n] != '>')
		return false;
	*out = (struct smtp_path){.local = span_first(*in, word.n)};
	*in = span_after(*in, word.n);
	return true;
}

enum smtp_path_result
smtp_path_parse(struct span *in, struct smtp_path *out)
{
	struct span rest = *in;
	struct smtp_path path = {0};

	if (rest.n < 2 || rest.at[0] != '<')
		return SMTP_PATH_SYNTAX;
	rest = span_after(rest, 1);
	if (rest.at[0] != '>' && !take_postmaster(&rest, &path)) {
		enum smtp_path_result result;

		if (!skip_route(&rest))
			return SMTP_PATH_SYNTAX;
		result = take_mailbox(&rest, &path);
		if (result != SMTP_PATH_OK)
			return result;
	}
	if (rest.n == 0 || rest.at[0] != '>')
		return SMTP_PATH_SYNTAX;
	*in = span_after(rest, 1);
	*out = path;
	return SMTP_PATH_OK;
}

/* What a quoted string says, without quotes and backslashes. */
static size_t
unquote(struct span quoted, char plain[static SMTP_LOCAL_BYTES_MAX])
{
	size_t n = 0;

	for (size_t i = 1; i + 1 < quoted.n; i++) {
		if (quoted.at[i] == '\\')
			i++;
		plain[n++] = quoted.at[i];
	}
	return n;
}

static void
put_quoted(struct buf *out, struct span plain)
{
	buf_put_char(out, '"');
	for (size_t i = 0; i < plain.n; i++) {
		if (plain.at[i] == '"' || plain.at[i] == '\\')
			buf_put_char(out, '\\');
		buf_put_char(out, plain.at[i]);
	}
	buf_put_char(out, '"');
}

void
smtp_path_canonical(const struct smtp_path *path, struct buf *out)
{
	char plain[SMTP_LOCAL_BYTES_MAX];
	struct span local = path->local;

	if (local.n > 0 && local.at[0] == '"') {
		ASSERT(local.n <= SMTP_LOCAL_BYTES_MAX);
		local = span_make(plain, unquote(local, plain));
	}
	if (local.n > 0 && dot_string_bytes(local) == local.n)
		buf_put(out, local);
	else if (local.n > 0)
		put_quoted(out, local);
	if (path->domain.n > 0) {
		buf_put_char(out, '@');
		buf_put(out, path->domain);
	}
}

bool
smtp_hello_valid(struct span name)
{
	if (name.n == 0 || name.n > SMTP_DOMAIN_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alnum(name.at[i]) &&
		    !(name.at[i] != '\0' && strchr("-_.:[]+/~$&'#=!*", name.at[i])))
			return false;
	return true;
}
