#include "common/conf/reading.h"

/* The `route` sections. libconfuse forgets the line where a section starts, so the
 * text is looked through once more for it. */

static struct conf_given_route *
route_add(struct conf_reading *r, size_t at, const cfg_t *section)
{
	size_t n;

	conf_route_rows(&n);
	if (r->n_routes == r->routes_size) {
		r->routes_size = 2 * r->routes_size + 8;
		r->routes =
		    memory_resize(r->routes, r->routes_size, sizeof(*r->routes));
	}
	memmove(&r->routes[at + 1], &r->routes[at],
		(r->n_routes++ - at) * sizeof(*r->routes));
	r->routes[at] = (struct conf_given_route){
	    .section = section, .given = memory_new(n, sizeof(struct conf_given))};
	return &r->routes[at];
}

struct conf_given *
conf_route_given(struct conf_reading *r, const cfg_t *section)
{
	struct conf_given_route *last =
	    r->n_routes > 0 ? &r->routes[r->n_routes - 1] : NULL;

	if (!last || last->section != section)
		last = route_add(r, r->n_routes, section);
	return last->given;
}

static bool
is_word(char c)
{
	return ascii_alnum(c) || c == '_' || c == '-';
}

/* Is this where a section starts: the word, outside of braces, and no value? */
static bool
starts_here(const char *at, char before)
{
	return strncmp(at, CONF_ROUTE, strlen(CONF_ROUTE)) == 0 && before != '=' &&
	       !is_word(at[strlen(CONF_ROUTE)]);
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

/* The line where the next section starts. */
static unsigned
next_start(struct place *p)
{
	unsigned line = 0;

	while (*p->at && line == 0) {
		if (p->depth == 0 && !p->in_word && starts_here(p->at, p->before))
			line = p->line;
		place_step(p);
	}
	return line;
}

void
conf_routes_finish(struct conf_reading *r, cfg_t *cfg, const char *text)
{
	struct place place = {.at = text, .line = 1};
	unsigned sections = cfg_size(cfg, CONF_ROUTE);
	size_t n;
	const struct conf_row *rows = conf_route_rows(&n);

	for (unsigned i = 0; i < sections; i++) {
		cfg_t *section = cfg_getnsec(cfg, CONF_ROUTE, i);
		struct conf_given_route *route = &r->routes[i];

		if (i == r->n_routes || route->section != section)
			route = route_add(r, i, section);
		route->title = span_dup(span_str(cfg_title(section)));
		route->line = next_start(&place);
		conf_find_empty(section, rows, n, route->given, route->line);
	}
	/* libconfuse takes the end of the text for a closing brace. */
	if (next_start(&place) == 0 && place.depth > 0)
		conf_complain(r, place.line, "a section is never closed");
}

void
conf_routes_forget(struct conf_reading *r)
{
	size_t n;

	conf_route_rows(&n);
	for (size_t i = 0; i < r->n_routes; i++) {
		conf_given_release(r->routes[i].given, n);
		free(r->routes[i].given);
		free(r->routes[i].title);
	}
	r->n_routes = 0;
}
