#include "common/conf/reading.h"

/* Sections. libconfuse forgets the line where a section starts, so the
 * text is looked through once more for it. */

const char *
conf_section_name(enum conf_section kind)
{
	return kind == CONF_SECTION_ROUTE ? CONF_ROUTE : CONF_TABLE;
}

const struct conf_row *
conf_section_rows(enum conf_section kind, size_t *n)
{
	return kind == CONF_SECTION_ROUTE ? conf_route_rows(n) : conf_table_rows(n);
}

static struct conf_given_section *
section_add(struct conf_reading *r, enum conf_section kind, size_t at,
	    const cfg_t *section)
{
	struct conf_given_sections *all = &r->sections[kind];
	size_t n;

	conf_section_rows(kind, &n);
	if (all->n == all->size) {
		all->size = 2 * all->size + 8;
		all->at = memory_resize(all->at, all->size, sizeof(*all->at));
	}
	memmove(&all->at[at + 1], &all->at[at], (all->n++ - at) * sizeof(*all->at));
	all->at[at] = (struct conf_given_section){
	    .section = section, .given = memory_new(n, sizeof(struct conf_given))};
	return &all->at[at];
}

struct conf_given *
conf_section_given(struct conf_reading *r, enum conf_section kind, const cfg_t *section)
{
	const struct conf_given_sections *all = &r->sections[kind];
	struct conf_given_section *last = all->n > 0 ? &all->at[all->n - 1] : NULL;

	if (!last || last->section != section)
		last = section_add(r, kind, all->n, section);
	return last->given;
}

static bool
is_word(char c)
{
	return ascii_alnum(c) || c == '_' || c == '-';
}

/* Is this where a section starts: the word, outside of braces, and no value? */
static bool
starts_here(const char *at, const char *name, char before)
{
	return strncmp(at, name, strlen(name)) == 0 && before != '=' &&
	       !is_word(at[strlen(name)]);
}

/* One step over text that libconfuse could read, up to where a section starts. */
struct place {
	const char *at;
	unsigned line;
	unsigned depth;
	char before; /* the last byte that was no space */
	bool in_word;
};

static void
place_step(struct place *p)
{
	const char *next = p->at + 1;

	if (*p->at == '"' || *p->at == '\'')
		next = conf_skip_string(p->at);
	p->depth += *p->at == '{';
	p->depth -= *p->at == '}' && p->depth > 0;
	p->in_word = is_word(*p->at);
	if (!strchr(" \t\r\n", *p->at))
		p->before = *p->at;
	for (; p->at < next; p->at++)
		p->line += *p->at == '\n';
}

/* The line where the next section of that name starts. */
static unsigned
next_start(struct place *p, const char *name)
{
	unsigned line = 0;

	while (*p->at && line == 0) {
		if (p->depth == 0 && !p->in_word && starts_here(p->at, name, p->before))
			line = p->line;
		place_step(p);
	}
	return line;
}

static void
kind_finish(struct conf_reading *r, enum conf_section kind, cfg_t *cfg,
	    const char *text)
{
	const char *name = conf_section_name(kind);
	struct place place = {.at = text, .line = 1};
	unsigned sections = cfg_size(cfg, name);
	size_t n;
	const struct conf_row *rows = conf_section_rows(kind, &n);

	for (unsigned i = 0; i < sections; i++) {
		cfg_t *section = cfg_getnsec(cfg, name, i);
		const struct conf_given_sections *all = &r->sections[kind];
		struct conf_given_section *given = i < all->n ? &all->at[i] : NULL;

		if (!given || given->section != section)
			given = section_add(r, kind, i, section);
		given->title = span_dup(span_str(cfg_title(section)));
		given->line = next_start(&place, name);
		conf_find_empty(section, rows, n, given->given, given->line);
	}
	/* libconfuse takes the end of the text for a closing brace. */
	if (next_start(&place, name) == 0 && place.depth > 0 &&
	    kind == CONF_SECTION_ROUTE)
		conf_complain(r, place.line, "a section is never closed");
}

void
conf_sections_finish(struct conf_reading *r, cfg_t *cfg, const char *text)
{
	for (unsigned kind = 0; kind < CONF_SECTIONS; kind++)
		kind_finish(r, (enum conf_section)kind, cfg, text);
}

static void
kind_forget(struct conf_reading *r, enum conf_section kind)
{
	struct conf_given_sections *all = &r->sections[kind];
	size_t n;

	conf_section_rows(kind, &n);
	for (size_t i = 0; i < all->n; i++) {
		conf_given_release(all->at[i].given, n);
		free(all->at[i].given);
		free(all->at[i].title);
	}
	all->n = 0;
}

void
conf_sections_forget(struct conf_reading *r)
{
	for (unsigned kind = 0; kind < CONF_SECTIONS; kind++)
		kind_forget(r, (enum conf_section)kind);
}

void
conf_sections_release(struct conf_reading *r)
{
	conf_sections_forget(r);
	for (unsigned kind = 0; kind < CONF_SECTIONS; kind++)
		free(r->sections[kind].at);
}
