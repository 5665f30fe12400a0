/* common/table/keys.h - which parts of a key are looked up, and in which order
 *
 * As Postfix has it: "you+box@mail.example.org" is looked up as
 *
 *   access    you+box@mail.example.org, you@mail.example.org, mail.example.org,
 *             example.org, org, you+box@, you@
 *   alias     you+box@mail.example.org, you@mail.example.org, then, where the domain
 *             is ours, you+box, you, then @mail.example.org
 *   route     both addresses, mail.example.org, .example.org, .org, *
 *   name      mail.example.org, example.org, org
 *   client    192.0.2.1, 192.0.2, 192.0, 192; 2001:db8::1, 2001:db8:, 2001:db8, 2001
 *
 * Each key but the first is a part, which tables of patterns are not asked for.
 */
#pragma once

#include "common/base/base.h"

struct table_key {
	struct span text;
	bool part;
};

struct table_keys {
	struct table_key *at; /* in the arena, as is what they point to */
	size_t n;
};

enum table_order {
	TABLE_ORDER_ACCESS, /* an address; "<>" for the null sender */
	TABLE_ORDER_ALIAS,  /* also who may send as an address */
	TABLE_ORDER_ROUTE,
	TABLE_ORDER_NAME,
	TABLE_ORDER_CLIENT, /* an IP address as text */
};

/* `delimiters` start the detail of a local part; `ours`: its domain is. False when the
 * arena is full. */
MUST_USE bool
table_keys_make(enum table_order order, struct span key, struct span delimiters,
		bool ours, struct arena *arena, struct table_keys *out);
