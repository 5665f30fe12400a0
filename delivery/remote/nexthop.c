/* what the settings say about the way to a destination */
#include "delivery/remote/remote.h"

#include <idn2.h>

char *
nexthop_domain(struct span domain)
{
	char *copy = span_dup(span_first(domain, DNS_NAME_MAX + 1)), *ascii = NULL;

	for (char *at = copy; *at; at++)
		*at = ascii_lower(*at);
	if (copy[0] == '[' ||
	    idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) !=
		IDN2_OK)
		return copy;
	free(copy);
	copy = span_dup(span_str(ascii));
	idn2_free(ascii);
	return copy;
}

static const struct conf_route *
route_of(struct remote *r, const struct destination *d)
{
	return conf_route_find(&proc_settings(r->proc)->routes, span_str(d->domain));
}

static enum conf_remote_tls
policy_of(const struct settings *s, const struct conf_route *route)
{
	if (route && route->tls != CONF_REMOTE_TLS_DEFAULT)
		return (enum conf_remote_tls)route->tls;
	return (enum conf_remote_tls)s->remote_tls;
}

static bool
speaks_lmtp(const struct destination *d, const struct conf_route *route)
{
	return d->hop.lmtp || (route && route->protocol == ROUTE_LMTP);
}

/* The port of a route is that of its own server. */
static uint16_t
port_of(const struct settings *s, const struct destination *d,
	const struct conf_route *route)
{
	if (d->hop.port != 0)
		return d->hop.port;
	if (!d->hop.host && route && route->port != 0)
		return route->port;
	if (speaks_lmtp(d, route))
		return CONF_LMTP_PORT;
	return (uint16_t)s->remote_port;
}

/* A literal that a route names stands without brackets there. */
static void
wish_to(const struct conf_hop *hop, struct hop_wish *wish)
{
	wish->domain = span_str(hop->host);
	wish->mx = hop->mx;
	wish->literal = hop->literal;
}

/* Is that where the route leads anyway? Only there its password may go. */
static bool
leads_there(const struct settings *s, const struct destination *d,
	    const struct conf_route *route)
{
	return strcmp(route->to, d->hop.host) == 0 && route->mx == d->hop.mx &&
	       port_of(s, d, route) ==
		   port_of(s, &(const struct destination){0}, route);
}

void
nexthop_wish(struct remote *r, const struct destination *d, struct hop_wish *wish)
{
	const struct settings *s = proc_settings(r->proc);
	const struct conf_route *route = route_of(r, d);

	*wish = (struct hop_wish){
	    .domain = span_str(d->domain),
	    .mx = true,
	    .port = port_of(s, d, route),
	    .policy = policy_of(s, route),
	    .family = (enum conf_remote_ip)s->remote_ip,
	    .tls_name = span_str(route ? route->tls_name : ""),
	    .sts = s->sts,
	    .require_tls = d->require_tls,
	    .hostname = span_str(s->hostname),
	    .own = r->own,
	    .n_own = r->n_own,
	    .random = remote_random(r),
	};
	if (d->hop.host)
		wish_to(&d->hop, wish);
	else if (route && route->to[0] != '\0')
		wish_to(&(struct conf_hop){.host = route->to,
					   .mx = route->mx,
					   .literal = route->literal},
			wish);
}

/* --- the way -------------------------------------------------------------- */

static void
source_add(struct way *w, const char *text)
{
	struct net_address a;
	size_t family;

	if (!net_address_parse(span_str(text), &a))
		return;
	family = net_address_is_ipv4(&a);
	if (w->has_source[family])
		return;
	w->source[family] = a;
	w->has_source[family] = true;
}

struct way *
nexthop_way(struct remote *r, const struct destination *d)
{
	const struct settings *s = proc_settings(r->proc);
	const struct conf_route *route = route_of(r, d);
	struct way *w = memory_new(1, sizeof(*w));

	w->refs = 1;
	w->lmtp = speaks_lmtp(d, route);
	w->auth_without_tls = policy_of(s, route) == CONF_REMOTE_TLS_NONE;
	if (route && route->user[0] != '\0' &&
	    (!d->hop.host || leads_there(s, d, route))) {
		w->user = span_dup(span_str(route->user));
		w->password = span_dup(span_str(route->password));
	}
	if (route)
		source_add(w, route->source);
	for (size_t i = 0; i < s->remote_source.n; i++)
		source_add(w, s->remote_source.at[i]);
	return w;
}

struct way *
way_ref(struct way *w)
{
	w->refs++;
	return w;
}

void
way_unref(struct way **owner)
{
	struct way *w = *owner;

	*owner = NULL;
	if (!w || --w->refs > 0)
		return;
	hop_plan_free(&w->plan);
	free(w->user);
	if (w->password)
		explicit_bzero(w->password, strlen(w->password));
	free(w->password);
	free(w);
}
