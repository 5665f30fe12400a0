#include "authd/access.h"

static enum access_verdict
hop_take(struct access *x, struct span value, struct arena *arena,
	 struct span *next_hop, struct err *err)
{
	struct buf to = buf_make(TABLE_VALUE_BYTES_MAX);
	enum access_verdict verdict = ACCESS_NOTHING;
	struct table_action refusal;

	switch (table_hop_parse(value, &to, &refusal)) {
	case TABLE_HOP_NONE:
		break;
	case TABLE_HOP_ROUTE:
		if (!arena_copy(arena, buf_span(&to), next_hop))
			verdict = (enum access_verdict)err_set(err, "too many routes");
		break;
	case TABLE_HOP_REFUSE:
		access_refuse(x, &refusal);
		verdict = ACCESS_REFUSED;
		break;
	case TABLE_HOP_WRONG:
		verdict = (enum access_verdict)err_set(
		    err, "\"%.*s\" %s", (int)(value.n < 60 ? value.n : 60), value.at,
		    table_hop_fault(value));
		break;
	}
	buf_release(&to);
	return verdict;
}

/* The value for an address, and in *found whether there is one. */
static enum access_verdict
find(struct access *x, const struct conf_list *tables, enum table_order order,
     struct span address, bool ours, struct arena *arena, struct span *value,
     bool *found, struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	struct table_keys keys;
	size_t which;

	*found = false;
	if (tables->n == 0)
		return ACCESS_NOTHING;
	if (!table_keys_make(order, address, span_str(s->recipient_delimiter), ours,
			     arena, &keys))
		return (enum access_verdict)err_set(err, "too many keys");
	switch (access_find(x, tables, &keys, value, &which, err)) {
	case TABLE_FAULT:
		return ACCESS_FAULT;
	case TABLE_WAIT:
		return ACCESS_WAITS;
	case TABLE_FOUND:
		*found = true;
		break;
	case TABLE_NOT_FOUND:
		break;
	}
	return ACCESS_NOTHING;
}

enum access_verdict
access_route(struct access *x, struct span address, struct arena *arena,
	     struct span *next_hop, struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	struct span value;
	bool found;
	enum access_verdict verdict = find(x, &s->route_tables, TABLE_ORDER_ROUTE,
					   address, false, arena, &value, &found, err);

	*next_hop = (struct span){0};
	if (verdict == ACCESS_NOTHING && found)
		verdict = hop_take(x, value, arena, next_hop, err);
	return verdict;
}

enum access_verdict
access_sender(struct access *x, struct span login, struct span address, bool *known,
	      bool *may, struct err *err)
{
	const struct settings *s = proc_settings(x->authd->proc);
	struct span value = {0}, word;
	enum access_verdict verdict;
	struct arena arena;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	verdict = find(x, &s->sender_tables, TABLE_ORDER_ALIAS, address, true, &arena,
		       &value, known, err);
	*may = false;
	while (verdict == ACCESS_NOTHING && table_word_next(&value, &word))
		*may |= span_equal_nocase(word, login);
	arena_release(&arena);
	return verdict;
}
