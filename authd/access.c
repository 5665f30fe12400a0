#include "authd/access.h"

#include "common/net/net.h"

#include <arpa/inet.h>

/* Lists are asked in this order; each until one of its tables says more than DUNNO. */
enum list {
	LIST_CLIENT,
	LIST_HELO,
	LIST_SENDER,
	LIST_RECIPIENT,
	LISTS,
};

static const struct {
	const char *name;
	size_t offset; /* in struct settings */
	enum table_order order;
} lists[] = {
    [LIST_CLIENT] = {"client_access",    offsetof(struct settings, client_access),
		     TABLE_ORDER_CLIENT},
    [LIST_HELO] = {"helo_access",      offsetof(struct settings, helo_access),
		     TABLE_ORDER_NAME  },
    [LIST_SENDER] = {"sender_access",    offsetof(struct settings, sender_access),
		     TABLE_ORDER_ACCESS},
    [LIST_RECIPIENT] = {"recipient_access", offsetof(struct settings, recipient_access),
                     TABLE_ORDER_ACCESS},
};

static const struct conf_list *
tables_of(const struct settings *s, enum list list)
{
	return (const struct conf_list *)((const char *)s + lists[list].offset);
}

/* --- one asker ------------------------------------------------------------------- */

static bool
wanted(const struct settings *s)
{
	bool any = s->alias_tables.n + s->route_tables.n + s->sender_tables.n > 0;

	for (unsigned i = 0; i < LISTS; i++)
		any |= tables_of(s, (enum list)i)->n > 0;
	return any;
}

struct access *
access_new(struct authd *a, lookup_again *again, void *context)
{
	struct access *x;

	if (!wanted(proc_settings(a->proc)))
		return NULL;
	x = memory_new(1, sizeof(*x));
	x->authd = a;
	x->lookup = lookup_new(a->lookups, again, context);
	buf_init(&x->reply, ACCESS_REPLY_MAX);
	buf_init(&x->if_permit, ACCESS_REPLY_MAX);
	buf_init(&x->if_reject, ACCESS_REPLY_MAX);
	buf_init(&x->demands, DEMAND_LIST_MAX);
	return x;
}

void
access_free(struct access **x)
{
	if (!*x)
		return;
	lookup_free(&(*x)->lookup);
	buf_release(&(*x)->reply);
	buf_release(&(*x)->if_permit);
	buf_release(&(*x)->if_reject);
	buf_release(&(*x)->demands);
	free(*x);
	*x = NULL;
}

enum table_result
access_find(struct access *x, const struct conf_list *tables,
	    const struct table_keys *keys, struct span *value, size_t *which,
	    struct err *err)
{
	enum table_result result = TABLE_NOT_FOUND;

	for (size_t i = 0; i < keys->n; i++)
		for (size_t k = 0; k < tables->n; k++) {
			result =
			    lookup_get(x->lookup, span_str(tables->at[k]),
				       keys->at[i].text, keys->at[i].part, value, err);
			*which = i;
			if (result != TABLE_NOT_FOUND)
				return result;
		}
	return result;
}

/* --- access lists -------------------------------------------------------------------
 */

/* "192.0.2.1", "2001:db8::1"; empty without a client. */
static struct span
client_text(struct span client, char text[INET6_ADDRSTRLEN])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool v4 = client.n == 16 && memcmp(client.at, mapped, 12) == 0;

	if (client.n != 16 ||
	    !inet_ntop(v4 ? AF_INET : AF_INET6, client.at + (v4 ? 12 : 0), text,
		       INET6_ADDRSTRLEN))
		return (struct span){0};
	return span_str(text);
}

/* What a list is asked for; false when it is not for this mail. Those who have a login,
 * or may send to anywhere, are not judged by their machine. */
static bool
list_key(enum list list, const struct ipc_resolve *m, char text[INET6_ADDRSTRLEN],
	 struct span *key)
{
	bool stranger = !m->account && !m->may_relay;

	switch (list) {
	case LIST_CLIENT:
		*key = client_text(m->client, text);
		return stranger && key->n > 0;
	case LIST_HELO:
		*key = m->helo;
		return stranger && key->n > 0;
	case LIST_SENDER:
		*key = m->sender;
		return true;
	case LIST_RECIPIENT:
	case LISTS:
		break;
	}
	*key = m->address;
	return true;
}

/* What one list is asked. */
struct asking {
	const struct ipc_resolve *m;
	struct span key;
	struct table_keys keys;
	struct table_keys names; /* of a client, before the others; n is 0 without */
	/* The name is not to be had now, and a table was asked that may know it. */
	bool unsure;
};

static bool
asking_make(struct asking *a, enum list list, const struct access *x,
	    struct arena *arena)
{
	struct span delimiters =
	    span_str(proc_settings(x->authd->proc)->recipient_delimiter);

	if (!table_keys_make(lists[list].order, a->key, delimiters, false, arena,
			     &a->keys))
		return false;
	a->names = (struct table_keys){0};
	return list != LIST_CLIENT || a->m->client_name.n == 0 ||
	       table_keys_make(TABLE_ORDER_NAME, a->m->client_name, delimiters, false,
			       arena, &a->names);
}

/* As Postfix's check_client_access: the name and its parents, then the address. */
static enum table_result
table_ask_keys(struct access *x, struct asking *a, struct span table,
	       struct span *value, struct span *key, struct err *err)
{
	enum table_result result = TABLE_NOT_FOUND;

	*key = a->key;
	if (a->names.n > 0 && !lookup_of_networks(x->lookup, table)) {
		a->unsure |= a->m->name_unsure;
		*key = a->m->client_name;
		result = lookup_first(x->lookup, table, &a->names, value, err);
	}
	if (result != TABLE_NOT_FOUND)
		return result;
	*key = a->key;
	return lookup_first(x->lookup, table, &a->keys, value, err);
}

/* Nothing is refused or thrown away for good while the DNS cannot say who it is. */
static enum access_verdict
doubted(struct access *x, const struct asking *a, enum access_verdict verdict)
{
	static const struct table_action later = {
	    .kind = ACTION_REFUSE,
	    .code = 450,
	    .status = "4.7.25",
	    .text = SPAN("Your host name cannot be looked up now")};

	if (a->unsure && (verdict == ACCESS_DISCARD ||
			  (verdict == ACCESS_REFUSED && x->reply.at[0] == '5'))) {
		access_refuse(x, &later);
		return ACCESS_REFUSED;
	}
	return verdict;
}

static enum access_verdict
list_judge(struct access *x, enum list list, struct asking *a, struct arena *arena,
	   struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	const struct conf_list *tables = tables_of(s, list);
	enum access_verdict verdict = ACCESS_NOTHING;
	struct span value, key;
	bool over = false;

	if (!asking_make(a, list, x, arena))
		return (enum access_verdict)err_set(err, "too many keys");
	for (size_t i = 0; i < tables->n && verdict == ACCESS_NOTHING && !over; i++)
		switch (
		    table_ask_keys(x, a, span_str(tables->at[i]), &value, &key, err)) {
		case TABLE_FAULT:
			return ACCESS_FAULT;
		case TABLE_WAIT:
			return ACCESS_WAITS;
		case TABLE_NOT_FOUND:
			break;
		case TABLE_FOUND:
			verdict =
			    access_act(x, tables->at[i], key, value, a->m, &over, err);
			break;
		}
	return doubted(x, a, verdict);
}

enum access_verdict
access_judge(struct access *x, const struct ipc_resolve *m, struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	enum access_verdict verdict = ACCESS_NOTHING;
	char text[INET6_ADDRSTRLEN];
	struct asking a = {.m = m};
	struct arena arena;

	x->n_actions = 0;
	buf_reset(&x->demands);
	buf_reset(&x->if_permit);
	buf_reset(&x->if_reject);
	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	for (unsigned i = 0; i < LISTS && verdict == ACCESS_NOTHING; i++)
		if (tables_of(s, (enum list)i)->n > 0 &&
		    list_key((enum list)i, m, text, &a.key)) {
			a.unsure = false;
			verdict = list_judge(x, (enum list)i, &a, &arena, err);
		}
	arena_release(&arena);
	return verdict;
}

const char *
access_check(void *authd, const char *table, struct span value)
{
	const struct authd *a = authd;

	return lookup_value_fault(proc_settings(a->proc), table, value);
}
