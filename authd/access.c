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
	buf_init(&x->reply, TABLE_REPLY_TEXT_MAX + 32);
	return x;
}

void
access_free(struct access **x)
{
	if (!*x)
		return;
	lookup_free(&(*x)->lookup);
	buf_release(&(*x)->reply);
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

void
access_refuse(struct access *x, const struct table_action *action)
{
	buf_reset(&x->reply);
	buf_putf(&x->reply, "%u %s ", action->code, action->status);
	buf_put(&x->reply, action->text);
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

/* *over: this list asks no further. */
static enum access_verdict
act(struct access *x, const char *table, struct span key, struct span value,
    const struct ipc_resolve *m, bool *over, struct err *err)
{
	struct table_action action;
	const char *wrong = table_action_parse(value, &action);

	if (wrong)
		return (enum access_verdict)err_set(
		    err, "table \"%.60s\": \"%.*s\" %s", table,
		    (int)(value.n < 60 ? value.n : 60), value.at, wrong);
	if (action.kind != ACTION_OK && action.kind != ACTION_DUNNO)
		logline(LOGLINE_INFO, "access.action", L_STR("table", table),
			L_SPAN("key", key), L_SPAN("action", value),
			L_SPAN("from", m->sender), L_SPAN("rcpt", m->address));
	*over = action.kind == ACTION_OK;
	if (action.kind == ACTION_REFUSE) {
		access_refuse(x, &action);
		return ACCESS_REFUSED;
	}
	return action.kind == ACTION_DISCARD ? ACCESS_DISCARD : ACCESS_NOTHING;
}

static enum access_verdict
list_judge(struct access *x, enum list list, struct span key,
	   const struct ipc_resolve *m, struct arena *arena, struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	const struct conf_list *tables = tables_of(s, list);
	enum access_verdict verdict = ACCESS_NOTHING;
	struct table_keys keys;
	struct span value;
	bool over = false;

	if (!table_keys_make(lists[list].order, key, span_str(s->recipient_delimiter),
			     false, arena, &keys))
		return (enum access_verdict)err_set(err, "too many keys");
	for (size_t i = 0; i < tables->n && verdict == ACCESS_NOTHING && !over; i++)
		switch (lookup_first(x->lookup, span_str(tables->at[i]), &keys, &value,
				     err)) {
		case TABLE_FAULT:
			return ACCESS_FAULT;
		case TABLE_WAIT:
			return ACCESS_WAITS;
		case TABLE_NOT_FOUND:
			break;
		case TABLE_FOUND:
			verdict = act(x, tables->at[i], key, value, m, &over, err);
			break;
		}
	return verdict;
}

enum access_verdict
access_judge(struct access *x, const struct ipc_resolve *m, struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	enum access_verdict verdict = ACCESS_NOTHING;
	char text[INET6_ADDRSTRLEN];
	struct arena arena;
	struct span key;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	for (unsigned i = 0; i < LISTS && verdict == ACCESS_NOTHING; i++)
		if (tables_of(s, (enum list)i)->n > 0 &&
		    list_key((enum list)i, m, text, &key))
			verdict = list_judge(x, (enum list)i, key, m, &arena, err);
	arena_release(&arena);
	return verdict;
}

const char *
access_check(void *authd, const char *table, struct span value)
{
	const struct authd *a = authd;

	return lookup_value_fault(proc_settings(a->proc), table, value);
}
