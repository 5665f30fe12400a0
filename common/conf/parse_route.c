#include "common/conf/reading.h"

#include <inttypes.h>
#include <stdio.h>

/* What the keys of a section say, before `to` is taken apart. */
struct conf_route_values {
#define MEMBER(type, name, preset, min, max, reload, help) CONF_MEMBER_##type(name)
	CONF_ROUTE_KEYS(MEMBER)
#undef MEMBER
};

#define ROW(type, name, preset, min, max, reload, help)                                \
	{CONF_##type, #name,  preset, min,                                             \
	 max,         reload, help,   offsetof(struct conf_route_values, name)},

static const struct conf_row the_rows[] = {CONF_ROUTE_KEYS(ROW)};

const struct conf_row *
conf_route_rows(size_t *n)
{
	*n = N_ELEMS(the_rows);
	return the_rows;
}

static void
route_release(struct conf_route *route)
{
	char *const texts[] = {route->domain, route->to,       route->tls_name,
			       route->user,   route->password, route->source};

	for (size_t i = 0; i < N_ELEMS(texts); i++)
		free(texts[i]);
}

void
conf_routes_release(struct conf_routes *routes)
{
	for (size_t i = 0; i < routes->n; i++)
		route_release(&routes->at[i]);
	free(routes->at);
	*routes = (struct conf_routes){0};
}

/* --- title and `to` ----------------------------------------------------------- */

/* "[192.0.2.1]" without its brackets; empty when it is no address in brackets. */
static struct span
literal_inside(struct span text)
{
	struct span inside = {"", 0};

	if (text.n > 2 && text.at[0] == '[' && text.at[text.n - 1] == ']')
		inside = span_make(text.at + 1, text.n - 2);
	return conf_address_ok(inside) ? inside : span_make("", 0);
}

/* The title as it is looked up; null when it is none. */
static char *
title_canonical(struct span title)
{
	bool below = title.n > 1 && title.at[0] == '.';
	struct buf out = buf_make(300);
	char *name, *result = NULL;

	if (span_equal(title, SPAN("*")))
		return span_dup(title);
	if (literal_inside(title).n > 0) {
		for (size_t i = 0; i < title.n; i++)
			buf_put_char(&out, ascii_lower(title.at[i]));
	} else if (conf_domain_ok(span_after(title, below)) &&
		   (name = conf_domain_ascii(span_after(title, below)))) {
		buf_put_str(&out, below ? "." : "");
		buf_put_str(&out, name);
		free(name);
	}
	if (out.n > 0)
		result = span_dup(buf_span(&out));
	buf_release(&out);
	return result;
}

#define LMTP "lmtp://"

/* Takes ":PORT" off the end of *host. False when that is no port. */
static bool
port_take(struct span *host, uint16_t *port)
{
	size_t colon = span_find_last(*host, ':'), bracket = span_find_last(*host, ']');
	uint64_t number;

	if (colon == host->n || (bracket < host->n && bracket > colon))
		return true;
	if (!number_parse(span_after(*host, colon + 1), UINT16_MAX, &number) ||
	    number == 0)
		return false;
	*port = (uint16_t)number;
	*host = span_first(*host, colon);
	return true;
}

bool
conf_hop_parse(struct span to, struct conf_hop *out)
{
	struct conf_hop hop = {.lmtp = span_starts_nocase(to, SPAN(LMTP))};
	struct span host = span_after(to, hop.lmtp ? strlen(LMTP) : 0), inside;

	hop.mx = !hop.lmtp && span_starts_nocase(host, SPAN("mx:"));
	host = span_after(host, hop.mx ? 3 : 0);
	if (host.n == 0 || !port_take(&host, &hop.port))
		return false;
	inside = literal_inside(host);
	if (inside.n == 0 && conf_address_ok(host))
		inside = host;
	hop.literal = inside.n > 0;
	if (hop.mx && hop.literal)
		return false;
	if (hop.literal)
		hop.host = span_dup(inside);
	else if (conf_domain_ok(host))
		hop.host = conf_domain_ascii(host);
	if (!hop.host)
		return false;
	*out = hop;
	return true;
}

/* What `to` means; false when nothing. */
static bool
to_take(struct span to, struct conf_route *out)
{
	struct conf_hop hop;

	if (to.n == 0)
		return true;
	if (span_starts_nocase(to, SPAN(LMTP)) || !conf_hop_parse(to, &hop))
		return false;
	out->mx = hop.mx;
	out->literal = hop.literal;
	out->port = hop.port;
	out->to = hop.host;
	return true;
}

/* --- a section ------------------------------------------------------------------ */

/* Keys that must fit each other; null when they do. */
static const char *
keys_fault(const struct conf_route *route)
{
	if (route->protocol == ROUTE_LMTP && (route->mx || !*route->to))
		return "protocol lmtp needs the host in `to`";
	if (!*route->user != !*route->password)
		return "user and password need each other";
	if (*route->user && !*route->to)
		return "a password goes to nobody but the server in `to`";
	if (*route->source && !conf_address_ok(span_str(route->source)))
		return "source is not an address";
	return NULL;
}

static char *
text_move(char **from)
{
	char *text = *from;

	*from = NULL;
	return text;
}

/* Null, or what is wrong. */
static const char *
values_take(struct conf_route_values *values, struct conf_route *out)
{
	out->protocol = (enum conf_route_protocol)values->protocol;
	out->tls = values->tls - 1; /* "default" is the first word */
	out->tls_name = text_move(&values->tls_name);
	out->user = text_move(&values->user);
	out->password = text_move(&values->password);
	out->source = text_move(&values->source);
	out->connections_max = values->connections;
	out->messages_per_minute_max = values->messages_per_minute;
	if (!to_take(span_str(values->to), out))
		return "to must be HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT or "
		       "mx:DOMAIN";
	if (!out->to)
		out->to = span_dup(SPAN(""));
	if (out->protocol == ROUTE_LMTP && out->port == 0)
		out->port = CONF_LMTP_PORT;
	return keys_fault(out);
}

static void
values_release(struct conf_route_values *values)
{
	for (size_t i = 0; i < N_ELEMS(the_rows); i++)
		conf_value_release(&the_rows[i], values);
}

static void
route_take(struct conf_reading *r, const struct conf_given_section *given,
	   struct conf_route *out)
{
	struct conf_route_values values = {0};
	const char *fault = NULL;
	size_t before = r->n;
	char where[80];

	(void)snprintf(where, sizeof(where), "route \"%.60s\": ", given->title);
	out->domain = title_canonical(span_str(given->title));
	if (!out->domain)
		conf_complain(r, given->line, "%sis not a domain", where);
	conf_values_take(r, where, the_rows, N_ELEMS(the_rows), given->given, &values);
	if (r->n == before)
		fault = values_take(&values, out);
	if (fault)
		conf_complain(r, given->line, "%s%s", where, fault);
	values_release(&values);
}

static int
route_compare(const void *a, const void *b)
{
	const struct conf_route *x = a, *y = b;

	return strcmp(x->domain, y->domain);
}

static unsigned
line_of_domain(const struct conf_reading *r, const char *domain, bool last)
{
	const struct conf_given_sections *all = &r->sections[CONF_SECTION_ROUTE];
	unsigned line = 0;

	for (size_t i = 0; i < all->n && (last || line == 0); i++) {
		char *title = title_canonical(span_str(all->at[i].title));

		if (strcmp(title, domain) == 0)
			line = all->at[i].line;
		free(title);
	}
	return line;
}

/* Titles that differ only in how they are written. */
static void
find_twice(struct conf_reading *r, const struct conf_routes *routes)
{
	for (size_t i = 1; i < routes->n; i++) {
		const char *domain = routes->at[i].domain;

		if (strcmp(routes->at[i - 1].domain, domain) == 0)
			conf_complain(
			    r, line_of_domain(r, domain, true),
			    "route \"%.60s\" is there twice, first in line %u", domain,
			    line_of_domain(r, domain, false));
	}
}

void
conf_routes_take(struct conf_reading *r, struct conf_routes *out)
{
	const struct conf_given_sections *all = &r->sections[CONF_SECTION_ROUTE];
	size_t before = r->n;

	if (all->n > CONF_ROUTES_MAX) {
		conf_complain(r, all->at[CONF_ROUTES_MAX].line,
			      "there are more than %d routes", CONF_ROUTES_MAX);
		return;
	}
	out->at = memory_new(all->n, sizeof(*out->at));
	out->n = all->n;
	for (size_t i = 0; i < out->n; i++)
		route_take(r, &all->at[i], &out->at[i]);
	if (r->n > before)
		return;
	qsort(out->at, out->n, sizeof(*out->at), route_compare);
	find_twice(r, out);
}

/* --- back to text ----------------------------------------------------------------- */

static void
to_put(const struct conf_route *route, struct buf *out)
{
	if (route->port > 0)
		buf_putf(out, " to = '%s%s%s%s:%u'", route->mx ? "mx:" : "",
			 route->literal ? "[" : "", route->to,
			 route->literal ? "]" : "", (unsigned)route->port);
	else
		buf_putf(out, " to = '%s%s%s%s'", route->mx ? "mx:" : "",
			 route->literal ? "[" : "", route->to,
			 route->literal ? "]" : "");
}

static void
text_put(const char *name, const char *text, struct buf *out)
{
	if (!*text)
		return;
	buf_putf(out, " %s = ", name);
	conf_put_quoted(out, text);
}

static void
number_put(const char *name, uint64_t number, struct buf *out)
{
	if (number > 0)
		buf_putf(out, " %s = %" PRIu64, name, number);
}

/* Whose words stand in the table: a value of zero is the default. */
static void
choice_put(const char *name, int value, struct buf *out)
{
	bool star;

	for (size_t i = 0; i < N_ELEMS(the_rows); i++)
		if (value > 0 && strcmp(the_rows[i].name, name) == 0)
			buf_putf(out, " %s = %.*s", name,
				 SPAN_ARG(conf_choice_word(&the_rows[i], (size_t)value,
							   &star)));
}

static void
route_put(const struct conf_route *route, enum conf_secrets secrets, struct buf *out)
{
	buf_putf(out, CONF_ROUTE " '%s' {", route->domain);
	if (*route->to)
		to_put(route, out);
	choice_put("protocol", (int)route->protocol, out);
	choice_put("tls", route->tls + 1, out);
	text_put("tls_name", route->tls_name, out);
	if (secrets == CONF_SECRETS_SHOWN) {
		text_put("user", route->user, out);
		text_put("password", route->password, out);
	}
	number_put("connections", route->connections_max, out);
	number_put("messages_per_minute", route->messages_per_minute_max, out);
	text_put("source", route->source, out);
	buf_put_str(out, " }\n");
}

void
conf_routes_put(const struct conf_routes *routes, enum conf_secrets secrets,
		struct buf *out)
{
	for (size_t i = 0; i < routes->n; i++)
		route_put(&routes->at[i], secrets, out);
}
