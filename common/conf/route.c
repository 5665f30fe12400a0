#include "common/conf/value.h"

static int
domain_compare(const void *key, const void *element)
{
	const struct conf_route *route = element;

	return strcmp(key, route->domain);
}

static const struct conf_route *
find(const struct conf_routes *routes, const char *domain)
{
	if (routes->n == 0)
		return NULL;
	return bsearch(domain, routes->at, routes->n, sizeof(*routes->at),
		       domain_compare);
}

/* In A-labels and lower case, as titles are kept; false when it cannot be a title. */
static bool
canonical(struct span domain, char *out, size_t size)
{
	bool fits = span_copy(domain, out, size);
	char *ascii;

	for (char *at = out; *at; at++) {
		*at = ascii_lower(*at);
		if ((uint8_t)*at < 0x80)
			continue;
		ascii = conf_domain_ascii(domain);
		fits = ascii && span_copy(span_str(ascii), out, size);
		free(ascii);
		return fits;
	}
	return fits;
}

const struct conf_route *
conf_route_find(const struct conf_routes *routes, struct span domain)
{
	const struct conf_route *route = NULL;
	const char *at;
	char name[256];

	if (routes->n == 0)
		return NULL;
	if (canonical(domain, name, sizeof(name))) {
		route = find(routes, name);
		if (*name != '[')
			for (at = strchr(name, '.'); !route && at;
			     at = strchr(at + 1, '.'))
				route = find(routes, at);
	}
	return route ? route : find(routes, "*");
}

bool
conf_routes_secret(const struct conf_routes *routes)
{
	for (size_t i = 0; i < routes->n; i++)
		if (*routes->at[i].password)
			return true;
	return false;
}
