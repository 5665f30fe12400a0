/* who mail goes to: a table of those that have jobs or connections now */
#include "delivery/remote/remote.h"

#define BUCKETS_MIN 64

void
destinations_init(struct destinations *all)
{
	*all = (struct destinations){.size = BUCKETS_MIN};
	all->hash = memory_new(all->size, sizeof(struct destination *));
}

static uint64_t
hash_of(struct span key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.at[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 31);
}

static struct destination **
place_of(const struct destinations *all, struct span key, uint64_t hash)
{
	struct destination **at = &all->hash[hash & (all->size - 1)];

	while (*at && !((*at)->hash == hash && span_equal(span_str((*at)->key), key)))
		at = &(*at)->chain;
	return at;
}

static void
grow(struct destinations *all)
{
	struct destinations old = *all;

	all->size = 2 * old.size;
	all->hash = memory_new(all->size, sizeof(struct destination *));
	for (size_t i = 0; i < old.size; i++)
		for (struct destination *d = old.hash[i], *next; d; d = next) {
			next = d->chain;
			d->chain = NULL;
			*place_of(all, span_str(d->key), d->hash) = d;
		}
	free(old.hash);
}

/* Of all domains that a route with a server of its own is for, mail goes one way; so
 * does mail with one next hop whose domains have the same route. */
static void
key_put(const struct conf_route *route, const char *domain, struct span next_hop,
	bool require_tls, struct buf *out)
{
	bool shared = route && (route->to[0] != '\0' || next_hop.n > 0);

	buf_put_str(out, require_tls ? "tls " : "");
	if (next_hop.n > 0) {
		buf_put_str(out, "hop ");
		buf_put(out, next_hop);
		buf_put_str(out, shared ? " route " : "");
		buf_put_str(out, shared ? route->domain : "");
		return;
	}
	buf_put_str(out, shared ? "route " : "domain ");
	buf_put_str(out, shared ? route->domain : domain);
}

static struct destination *
destination_new(struct destinations *all, struct span key, uint64_t hash,
		const char *domain)
{
	struct destination *d = memory_new(1, sizeof(*d));

	if (all->n == all->size)
		grow(all);
	d->key = span_dup(key);
	d->hash = hash;
	d->domain = span_dup(span_str(domain));
	TAILQ_INIT(&d->waiting);
	LIST_INIT(&d->at_rest);
	*place_of(all, key, hash) = d;
	all->n++;
	return d;
}

struct destination *
destinations_get(struct remote *r, struct span domain, struct span next_hop,
		 bool require_tls)
{
	const struct conf_routes *routes = &proc_settings(r->proc)->routes;
	struct conf_hop hop = {0};
	struct buf key = buf_make(4096);
	struct destination *d;
	uint64_t hash;
	char *ascii;

	if (next_hop.n > 0 && !conf_hop_parse(next_hop, &hop))
		return NULL;
	ascii = nexthop_domain(domain);
	key_put(conf_route_find(routes, span_str(ascii)), ascii, next_hop, require_tls,
		&key);
	hash = hash_of(buf_span(&key));
	d = *place_of(&r->destinations, buf_span(&key), hash);
	if (!d) {
		d = destination_new(&r->destinations, buf_span(&key), hash, ascii);
		d->require_tls = require_tls;
		d->hop = hop;
		hop.host = NULL;
	}
	free(hop.host);
	buf_release(&key);
	free(ascii);
	return d;
}

static void
unlink_from(struct destinations *all, struct destination *d)
{
	struct destination **at = place_of(all, span_str(d->key), d->hash);

	ASSERT(*at == d);
	*at = d->chain;
	all->n--;
}

void
destination_settle(struct remote *r, struct destination *d)
{
	if (d->n_jobs > 0 || d->n_connections > 0)
		return;
	if (!d->retired)
		unlink_from(&r->destinations, d);
	resolve_cancel(d);
	way_unref(&d->way);
	free(d->key);
	free(d->domain);
	free(d->hop.host);
	free(d);
}

void
destinations_each(struct remote *r,
		  void (*each)(struct remote *r, struct destination *d))
{
	for (size_t i = 0; i < r->destinations.size; i++)
		for (struct destination *d = r->destinations.hash[i], *next; d;
		     d = next) {
			next = d->chain;
			each(r, d);
		}
}

static void
retire(struct remote *r, struct destination *d)
{
	struct connection *c;
	struct job *job;

	d->n_jobs++; /* it stays until the end of this function */
	unlink_from(&r->destinations, d);
	d->retired = true;
	resolve_cancel(d);
	while ((job = TAILQ_FIRST(&d->waiting)))
		job_give_back(r, job, "the settings have changed");
	while ((c = LIST_FIRST(&d->at_rest)))
		connection_quit(c);
	way_unref(&d->way);
	d->n_jobs--;
	destination_settle(r, d);
}

void
destinations_retire(struct remote *r)
{
	destinations_each(r, retire);
}
