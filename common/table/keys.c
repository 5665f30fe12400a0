#include "common/table/keys.h"

#include <arpa/inet.h>

#define KEYS_MAX 300 /* a domain has at most 127 labels, an address text 8 parts */

/* The parts of an address: both forms of its local part, without and with "@". */
struct parts {
	struct span whole, plain; /* addresses; plain is empty without a detail */
	struct span domain;
	struct span local, bare; /* both with their @ behind */
};

static void
add(struct table_keys *keys, struct span text, bool part)
{
	if (keys->n < KEYS_MAX && text.n > 0)
		keys->at[keys->n++] = (struct table_key){text, part};
}

static bool
is_delimiter(char c, struct span delimiters)
{
	return span_find(delimiters, c) < delimiters.n;
}

/* How much of the local part is the user; all of it without a detail. */
static size_t
user_end(struct span local, struct span delimiters)
{
	for (size_t i = 1; i < local.n; i++)
		if (is_delimiter(local.at[i], delimiters))
			return i;
	return local.n;
}

static bool
split(struct span address, struct span delimiters, struct arena *arena,
      struct parts *out)
{
	size_t at = span_find_last(address, '@'), user;
	char *plain;

	*out = (struct parts){.whole = address};
	if (at == address.n)
		return true;
	out->local = span_first(address, at + 1);
	out->domain = span_after(address, at + 1);
	user = user_end(span_first(address, at), delimiters);
	if (user == at)
		return true;
	plain = arena_new(arena, 1, user + address.n - at + 1);
	if (!plain)
		return false;
	memcpy(plain, address.at, user);
	memcpy(plain + user, address.at + at, address.n - at);
	out->plain = span_make(plain, user + address.n - at);
	out->bare = span_first(out->plain, user + 1);
	return true;
}

/* The domain's parents, with the dot before them or without. */
static void
parents(struct span domain, bool dot, struct table_keys *keys)
{
	size_t at;

	while ((at = span_find(domain, '.')) < domain.n) {
		add(keys, span_after(domain, at + !dot), true);
		domain = span_after(domain, at + 1);
	}
}

/* The local part alone; there is always the @ to leave out. */
static struct span
without_at(struct span local)
{
	return span_first(local, local.n > 0 ? local.n - 1 : 0);
}

static bool
is_address(struct span text)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	return span_copy(text, copy, sizeof(copy)) &&
	       (inet_pton(AF_INET, copy, bytes) == 1 ||
		inet_pton(AF_INET6, copy, bytes) == 1);
}

static void
of_client(struct span key, struct table_keys *keys)
{
	char delimiter = span_find(key, ':') < key.n ? ':' : '.';

	for (bool part = false; key.n > 0; part = true) {
		size_t at = span_find_last(key, delimiter);

		add(keys, key, part);
		key = span_first(key, at < key.n ? at : 0);
	}
}

static void
of_access(const struct parts *p, struct table_keys *keys)
{
	add(keys, p->whole.n > 0 ? p->whole : SPAN("<>"), false);
	add(keys, p->plain, true);
	add(keys, p->domain, true);
	parents(p->domain, false, keys);
	add(keys, p->local, true);
	add(keys, p->bare, true);
}

static void
of_alias(const struct parts *p, bool ours, struct table_keys *keys)
{
	add(keys, p->whole, false);
	add(keys, p->plain, true);
	if (ours) {
		add(keys, without_at(p->local), true);
		add(keys, without_at(p->bare), true);
	}
	if (p->domain.n > 0)
		add(keys, span_after(p->whole, p->local.n - 1), true);
}

static void
of_route(const struct parts *p, struct table_keys *keys)
{
	add(keys, p->whole, false);
	add(keys, p->plain, true);
	add(keys, p->domain, true);
	parents(p->domain, true, keys);
	add(keys, SPAN("*"), true);
}

bool
table_keys_make(enum table_order order, struct span key, struct span delimiters,
		bool ours, struct arena *arena, struct table_keys *out)
{
	struct parts parts_of;

	*out = (struct table_keys){.at = arena_new(arena, KEYS_MAX, sizeof(*out->at))};
	if (!out->at || !split(key, delimiters, arena, &parts_of))
		return false;
	switch (order) {
	case TABLE_ORDER_ACCESS:
		of_access(&parts_of, out);
		break;
	case TABLE_ORDER_ALIAS:
		of_alias(&parts_of, ours, out);
		break;
	case TABLE_ORDER_ROUTE:
		of_route(&parts_of, out);
		break;
	case TABLE_ORDER_NAME:
		add(out, key, false);
		if (!is_address(key))
			parents(key, false, out);
		break;
	case TABLE_ORDER_CLIENT:
		of_client(key, out);
		break;
	}
	return true;
}
