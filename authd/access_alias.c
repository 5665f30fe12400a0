#include "authd/access.h"

/* What is found so far, and how deep. */
struct expansion {
	struct access *access;
	struct arena *arena;
	struct span *out;
	size_t n;
	struct err *err;
};

static struct span
delimiters(const struct expansion *e)
{
	return span_str(proc_settings(e->access->authd->proc)->recipient_delimiter);
}

/* Three pieces as one text of the arena. */
static bool
join(struct expansion *e, struct span a, struct span b, struct span c, struct span *out)
{
	char *at = arena_new(e->arena, 1, a.n + b.n + c.n + 1);

	if (!at)
		return false;
	memcpy(at, a.at, a.n);
	if (b.n > 0)
		memcpy(at + a.n, b.at, b.n);
	if (c.n > 0)
		memcpy(at + a.n + b.n, c.at, c.n);
	*out = span_make(at, a.n + b.n + c.n);
	return true;
}

/* What the key left out of the address: "+box" when "you@" stands for "you+box@". */
static struct span
detail_of(struct span address, struct span key)
{
	struct span local = span_first(address, span_find_last(address, '@'));
	struct span user = span_first(key, span_find_last(key, '@'));

	if (user.n == 0 || user.n >= local.n)
		return (struct span){0};
	return span_after(local, user.n);
}

/* One word of a result as an address: "@domain" keeps the local part, a word without
 * a domain has that of the alias; the detail goes along. */
static bool
word_address(struct expansion *e, struct span word, struct span address,
	     struct span key, struct span *out)
{
	struct span none = {"", 0};
	size_t at = span_find_last(word, '@');
	struct span domain = span_after(word, at);

	if (at == 0)
		return join(e, span_first(address, span_find_last(address, '@')), word,
			    none, out);
	if (at == word.n)
		domain = span_after(address, span_find_last(address, '@'));
	return join(e, span_first(word, at), detail_of(address, key), domain, out);
}

static bool
target_add(struct expansion *e, struct span address)
{
	for (size_t i = 0; i < e->n; i++)
		if (span_equal_nocase(e->out[i], address))
			return true;
	if (e->n == ACCESS_TARGETS_MAX)
		return false;
	e->out[e->n++] = address;
	return true;
}

static enum access_verdict
expand(struct expansion *e, struct span address, unsigned depth);

static enum access_verdict
words_take(struct expansion *e, struct span value, struct span address, struct span key,
	   unsigned depth)
{
	enum access_verdict verdict = ACCESS_NOTHING;
	struct span word, target, ahead = value;

	while (table_word_next(&ahead, &word))
		directory_expect(e->access->authd->directory, word);
	while (verdict == ACCESS_NOTHING && table_word_next(&value, &word)) {
		if (!word_address(e, word, address, key, &target))
			return (enum access_verdict)err_set(e->err, "too many aliases");
		if (!span_equal_nocase(target, address))
			verdict = expand(e, target, depth + 1);
		else if (!target_add(e, target))
			return (enum access_verdict)err_set(e->err, "too many aliases");
	}
	return verdict;
}

static int
is_ours(struct expansion *e, struct span address)
{
	struct directory_domain found;

	switch (directory_domain_find(
	    e->access->authd->directory,
	    span_after(address, span_find_last(address, '@') + 1), &found, e->err)) {
	case DIRECTORY_FAULT:
		return -1;
	case DIRECTORY_DONE:
		return 1;
	default:
		return 0;
	}
}

static enum access_verdict
expand(struct expansion *e, struct span address, unsigned depth)
{
	const struct settings *s = proc_settings(e->access->authd->proc);
	int ours = is_ours(e, address);
	struct table_keys keys;
	struct span value;
	size_t which;

	if (ours < 0)
		return ACCESS_FAULT;
	if (depth > ACCESS_ALIAS_DEPTH_MAX ||
	    !table_keys_make(TABLE_ORDER_ALIAS, address, delimiters(e), ours == 1,
			     e->arena, &keys))
		return (enum access_verdict)err_set(e->err, "aliases lead in a circle");
	switch (
	    access_find(e->access, &s->alias_tables, &keys, &value, &which, e->err)) {
	case TABLE_FAULT:
		return ACCESS_FAULT;
	case TABLE_WAIT:
		return ACCESS_WAITS;
	case TABLE_FOUND:
		return words_take(e, value, address, keys.at[which].text, depth);
	case TABLE_NOT_FOUND:
		break;
	}
	if (!target_add(e, address))
		return (enum access_verdict)err_set(e->err, "too many aliases");
	return ACCESS_NOTHING;
}

enum access_verdict
access_aliases(struct access *x, struct span address, struct arena *arena,
	       struct span **out, size_t *n, struct err *err)
{
	struct expansion e = {.access = x, .arena = arena, .err = err};
	enum access_verdict verdict;

	*n = 0;
	if (proc_settings(x->authd->proc)->alias_tables.n == 0)
		return ACCESS_NOTHING;
	e.out = arena_new(arena, ACCESS_TARGETS_MAX, sizeof(*e.out));
	if (!e.out)
		return (enum access_verdict)err_set(err, "too many aliases");
	verdict = expand(&e, address, 0);
	*out = e.out;
	/* Itself alone: no table has it, or one that leaves it as it is. */
	if (e.n != 1 || !span_equal_nocase(e.out[0], address))
		*n = e.n;
	return verdict;
}
