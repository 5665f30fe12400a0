#include "common/movein/postfix.h"

#define SPACES         " \t\r\n"
#define DEPTH_MAX      8
#define EXPANSIONS_MAX 100 /* of one setting */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next logical line, its continuations joined by a space in `out`; false at the
 * end. Comments and empty lines are passed over, also between continuations. */
static bool
next_logical(struct span *text, struct buf *out)
{
	buf_reset(out);
	while (text->n > 0) {
		struct span rest = *text, line = span_cut(&rest, '\n');
		struct span bare = span_trim(line, SPACES);

		if (bare.n > 0 && bare.at[0] != '#') {
			if (!is_space(line.at[0]) && out->n > 0)
				return true;
			if (out->n > 0)
				buf_put_char(out, ' ');
			buf_put(out, bare);
		}
		*text = rest;
	}
	return out->n > 0;
}

/* ---- main.cf */

static bool
find_setting(struct span main_cf, struct span name, struct buf *value)
{
	struct buf line = buf_make(MOVEIN_SETTING_MAX);
	bool found = false;

	while (next_logical(&main_cf, &line)) {
		struct span all = buf_span(&line);
		struct span key = span_trim(span_cut(&all, '='), SPACES);

		if (line.full || !span_equal(key, name))
			continue;
		found = true;
		buf_reset(value);
		buf_put(value, span_trim(all, SPACES));
	}
	buf_release(&line);
	return found;
}

/* The name at the front behind a "$": bare, in braces or in parentheses. */
static struct span
take_variable(struct span *rest)
{
	struct span name;
	size_t n = 0;

	if (rest->n > 0 && (rest->at[0] == '{' || rest->at[0] == '(')) {
		char close = rest->at[0] == '{' ? '}' : ')';

		*rest = span_after(*rest, 1);
		name = span_cut(rest, close);
		return span_first(name, span_find(name, '?')); /* ${name?text} */
	}
	while (n < rest->n && (ascii_alnum(rest->at[n]) || rest->at[n] == '_'))
		n++;
	name = span_first(*rest, n);
	*rest = span_after(*rest, n);
	return name;
}

struct expansion {
	struct span main_cf;
	unsigned left; /* settings that may still be put in: they may name each other */
	struct buf *out;
};

static void
expand(struct expansion *e, struct span text, int depth)
{
	while (text.n > 0) {
		size_t at = span_find(text, '$');
		struct buf value = buf_make(MOVEIN_SETTING_MAX);
		struct span name;

		buf_put(e->out, span_first(text, at));
		if (at == text.n)
			return;
		text = span_after(text, at + 1);
		name = take_variable(&text);
		if (name.n > 0 && depth > 0 && e->left > 0) {
			e->left--;
			if (find_setting(e->main_cf, name, &value))
				expand(e, buf_span(&value), depth - 1);
		}
		buf_release(&value);
	}
}

void
movein_postfix_setting(struct span main_cf, const char *name, struct buf *out)
{
	struct expansion e = {main_cf, EXPANSIONS_MAX, out};
	struct buf value = buf_make(MOVEIN_SETTING_MAX);

	buf_reset(out);
	if (find_setting(main_cf, span_str(name), &value))
		expand(&e, buf_span(&value), DEPTH_MAX);
	buf_release(&value);
}

bool
movein_postfix_word(struct span *list, struct span *word)
{
	size_t n = 0;

	*list = span_trim(*list, SPACES ",");
	while (n < list->n && !is_space(list->at[n]) && list->at[n] != ',')
		n++;
	*word = span_first(*list, n);
	*list = span_after(*list, n);
	return n > 0;
}

/* ---- maps */

struct entry {
	struct buf line;
	struct span key, value;
};

static bool
next_entry(struct movein *m, struct span *text, struct entry *e)
{
	size_t n = 0;

	do {
		if (!next_logical(text, &e->line))
			return false;
		if (e->line.full)
			movein_note(m, span_first(buf_span(&e->line), 80),
				    "a line of more than %u bytes: left out",
				    (unsigned)e->line.max);
	} while (e->line.full);
	e->value = buf_span(&e->line);
	while (n < e->value.n && !is_space(e->value.at[n]))
		n++;
	e->key = span_first(e->value, n);
	e->value = span_trim(span_after(e->value, n), SPACES);
	return true;
}

#define ENTRY_MAX (1U << 20)

void
movein_postfix_domains(struct movein *m, struct span list)
{
	struct span word;

	while (movein_postfix_word(&list, &word))
		if (span_find(word, ':') == word.n && span_find(word, '/') == word.n)
			movein_add(m, MOVEIN_DOMAIN, word);
}

void
movein_postfix_domain_map(struct movein *m, struct span text)
{
	struct entry e = {.line = buf_make(ENTRY_MAX)};

	while (next_entry(m, &text, &e))
		movein_add(m, MOVEIN_DOMAIN, e.key);
	buf_release(&e.line);
}

void
movein_postfix_mailboxes(struct movein *m, struct span text, struct span base)
{
	struct entry e = {.line = buf_make(ENTRY_MAX)};

	while (next_entry(m, &text, &e)) {
		struct buf path = buf_make(4096);

		if (span_find(e.key, '@') == e.key.n || e.key.at[0] == '@') {
			movein_note(m, e.key, "no mailbox of one user: left out");
			continue;
		}
		buf_put(&path, base);
		if (base.n > 0)
			buf_put_char(&path, '/');
		buf_put(&path, e.value);
		movein_set_mail(m, movein_add(m, MOVEIN_ACCOUNT, e.key),
				buf_span(&path));
		buf_release(&path);
	}
	buf_release(&e.line);
}

/* "|command", "/file" and ":include:": what only local(8) does. */
static bool
is_address(struct span target)
{
	return target.n > 0 && !strchr("|/:\"", target.at[0]);
}

static void
put_targets(struct movein *m, struct movein_object *o, struct span list)
{
	struct span word;

	while (o && movein_postfix_word(&list, &word)) {
		if (is_address(word))
			movein_put(m, o, "targets", word);
		else
			movein_note(m, o->name, "target '%.*s' is no address: left out",
				    SPAN_ARG(span_first(word, 100)));
	}
}

static bool
is_domain(struct span key)
{
	return span_find(key, '@') == key.n && span_find(key, '.') < key.n;
}

void
movein_postfix_aliases(struct movein *m, struct span text)
{
	struct entry e = {.line = buf_make(ENTRY_MAX)};

	while (next_entry(m, &text, &e)) {
		if (is_domain(e.key))
			movein_add(m, MOVEIN_DOMAIN, e.key);
		else if (span_find(e.key, '@') == e.key.n && m->domain.n == 0)
			movein_note(
			    m, e.key,
			    "an alias without a domain: name one with --domain");
		else
			put_targets(m, movein_add(m, MOVEIN_ALIAS, e.key), e.value);
	}
	buf_release(&e.line);
}
