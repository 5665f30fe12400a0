/* What the settings say of mail to a domain. */
#include "qmgr/qmgr.h"

#include <idn2.h>

#define ROUTE_PREFIX "to:"
#define HOP_PREFIX   "hop:"

static bool
is_ascii(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return false;
	return true;
}

static void
lower_put(struct span text, struct buf *key)
{
	for (size_t i = 0; i < text.n; i++)
		buf_put_char(key, ascii_lower(text.at[i]));
}

/* In A-labels, where it has some. */
static void
domain_put(struct span domain, struct buf *key)
{
	char *copy, *ascii = NULL;

	if (is_ascii(domain)) {
		lower_put(domain, key);
		return;
	}
	copy = span_dup(domain);
	if (idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) ==
	    IDN2_OK)
		lower_put(span_str(ascii), key);
	else
		lower_put(domain, key);
	idn2_free(ascii);
	free(copy);
}

static void
limits_get(const struct conf_route *r, struct queue_route *out)
{
	if (r->connections_max > 0)
		out->connections_max = (uint32_t)r->connections_max;
	if (r->messages_per_minute_max > 0)
		out->per_minute_max = (uint32_t)r->messages_per_minute_max;
	out->alone = *r->to != '\0';
}

/* A domain has no space in it, so no two keys are the same by accident. */
static void
hop_put(const struct conf_route *r, struct span next_hop, struct buf *key)
{
	buf_put_str(key, HOP_PREFIX);
	lower_put(next_hop, key);
	if (r) {
		buf_put_char(key, ' ');
		buf_put_str(key, r->domain);
	}
}

void
route_get(const void *context, struct span domain, struct span next_hop,
	  struct queue_route *out)
{
	const struct proc *p = context;
	const struct conf_route *r = conf_route_find(&proc_settings(p)->routes, domain);
	struct buf key = buf_make(sizeof(out->key) - 1);

	if (r)
		limits_get(r, out);
	if (next_hop.n > 0) {
		out->alone = true;
		hop_put(r, next_hop, &key);
	} else if (out->alone) {
		buf_put_str(&key, ROUTE_PREFIX);
		buf_put_str(&key, r->domain);
	} else {
		domain_put(domain, &key);
	}
	/* Domains that are too long are none, and share what becomes of them. */
	if (!span_copy(buf_span(&key), out->key, sizeof(out->key)))
		out->key[0] = '\0';
	buf_release(&key);
}
