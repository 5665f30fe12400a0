/* tests/fuzz/fuzz_table.c - whatever stands in a table's file, a query or a result
 *
 * The first byte says what it is; patterns are compiled by libraries, so those of a
 * table of patterns are only taken when they are short.
 */
#include "common/table/table.h"

#define PATTERNS_BYTES_MAX 200

static const char *
nothing(void *context, struct span value)
{
	(void)context, (void)value;
	return NULL;
}

static void
map(enum table_kind kind, struct span text)
{
	struct buf value = buf_make(TABLE_VALUE_BYTES_MAX);
	struct table_problems problems = {0};
	struct table_map *m = table_map_parse(kind, text, &problems);
	struct err err;

	if (m) {
		(void)!table_map_get(m, span_first(text, 40), &value, &err);
		(void)!table_map_get(m, SPAN("you+box@mail.example.org"), &value, &err);
		(void)!table_map_get(m, SPAN("192.0.2.1"), &value, &err);
		ASSERT(table_map_check(m, nothing, NULL, &problems));
	}
	table_map_free(&m);
	table_problems_release(&problems);
	buf_release(&value);
}

static void
query(struct span text)
{
	struct buf out = buf_make(1 << 20);
	struct table_query q;
	struct err err;

	if (table_query_parse(text, &q, &err) == 0) {
		for (size_t i = 0; i < q.n; i++)
			(void)!table_expand(span_str(q.parameters[i]), text,
					    SPAN("you@mail.example.org"), &out);
		table_query_release(&q);
	}
	buf_release(&out);
}

static void
config(struct span text)
{
	struct table_problems problems = {0};
	struct table_config c;

	if (table_config_parse(text, &c, &problems)) {
		(void)!table_config_wants(&c, SPAN("you@mail.example.org"));
		table_config_release(&c);
	}
	table_problems_release(&problems);
}

/* What goes into a reply, an envelope or a header is one line of printable ASCII. */
static void
action_holds(const struct table_action *a)
{
	if (a->kind == ACTION_OK || a->kind == ACTION_DUNNO || a->kind == ACTION_WARN ||
	    a->kind == ACTION_INFO || a->kind == ACTION_HOLD ||
	    a->kind == ACTION_DISCARD)
		return;
	ASSERT(a->text.n > 0 && a->text.n <= TABLE_HEADER_BYTES_MAX);
	for (size_t i = 0; i < a->text.n; i++)
		ASSERT(a->text.at[i] >= ' ' && a->text.at[i] <= '~');
	if (a->kind == ACTION_REDIRECT || a->kind == ACTION_BCC)
		ASSERT(span_find(a->text, '@') < a->text.n);
	if (a->kind == ACTION_PREPEND)
		ASSERT(span_find(a->text, ':') < a->text.n);
}

static void
result(struct span text)
{
	struct buf to = buf_make(TABLE_VALUE_BYTES_MAX);
	struct table_action action;
	struct span word;

	if (!table_action_parse(text, &action))
		action_holds(&action);
	(void)!table_hop_parse(text, &to, &action);
	while (table_word_next(&text, &word))
		ASSERT(word.n > 0);
	buf_release(&to);
}

static void
keys(struct span text)
{
	for (unsigned order = 0; order <= TABLE_ORDER_CLIENT; order++) {
		struct table_keys k;
		struct arena arena;

		arena_init(&arena, 1 << 20);
		(void)!table_keys_make((enum table_order)order, text, SPAN("+"), true,
				       &arena, &k);
		arena_release(&arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_after(span_make(data, size), 1);

	if (size == 0)
		return 0;
	switch (data[0] % 8) {
	case 0:
		map(TABLE_TEXT, text);
		break;
	case 1:
		map(TABLE_CIDR, text);
		break;
	case 2:
		map(TABLE_PCRE, span_first(text, PATTERNS_BYTES_MAX));
		break;
	case 3:
		map(TABLE_REGEXP, span_first(text, PATTERNS_BYTES_MAX));
		break;
	case 4:
		query(text);
		break;
	case 5:
		config(text);
		break;
	case 6:
		result(text);
		break;
	default:
		keys(text);
	}
	return 0;
}
