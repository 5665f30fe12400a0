#include "common/table/map.h"

#include "common/table/fixed.h"
#include "common/table/rules.h"

struct table_map {
	enum table_kind kind;
	struct table_fixed fixed; /* TABLE_TEXT */
	struct rules rules;       /* the others */
};

static const struct {
	const char *name;
	bool parts;
	const struct rule_class *class;
} kinds[] = {
    [TABLE_TEXT] = {"text",       true,  NULL              },
    [TABLE_HASH] = {"hash",       true,  NULL              },
    [TABLE_BTREE] = {"btree",      true,  NULL              },
    [TABLE_REGEXP] = {"regexp",     false, &rule_class_regexp},
    [TABLE_PCRE] = {"pcre",       false, &rule_class_pcre  },
    [TABLE_CIDR] = {"cidr",       false, &rule_class_cidr  },
    [TABLE_POSTGRESQL] = {"postgresql", true,  NULL              },
};

const char *
table_kind_name(enum table_kind kind)
{
	return kinds[kind].name;
}

bool
table_kind_parse(struct span word, enum table_kind *out)
{
	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		if (span_equal(word, span_str(kinds[i].name))) {
			*out = (enum table_kind)i;
			return true;
		}
	return false;
}

bool
table_kind_parts(enum table_kind kind)
{
	return kinds[kind].parts;
}

bool
table_kind_in_memory(enum table_kind kind)
{
	return kind == TABLE_TEXT || kinds[kind].class;
}

struct table_map *
table_map_parse(enum table_kind kind, struct span text, struct table_problems *problems)
{
	struct table_map *map = memory_new(1, sizeof(*map));
	struct table_problems own = {0};

	ASSERT(table_kind_in_memory(kind));
	map->kind = kind;
	own = *problems;
	own.broken = false;
	if (kind == TABLE_TEXT)
		table_fixed_parse(&map->fixed, text, &own);
	else
		rules_parse(&map->rules, kinds[kind].class, text, &own);
	if (own.broken)
		table_map_free(&map);
	own.broken |= problems->broken;
	*problems = own;
	return map;
}

void
table_map_free(struct table_map **map)
{
	if (!*map)
		return;
	table_fixed_release(&(*map)->fixed);
	rules_release(&(*map)->rules);
	free(*map);
	*map = NULL;
}

size_t
table_map_count(const struct table_map *map)
{
	return map->kind == TABLE_TEXT ? map->fixed.n : map->rules.n;
}

static bool
value_check(struct span value, unsigned line, table_check *check, void *context,
	    struct table_problems *problems)
{
	const char *wrong = check(context, value);

	if (wrong)
		table_error(problems, line, "\"%.*s\" %s",
			    (int)(value.n < 40 ? value.n : 40), value.at, wrong);
	return !wrong;
}

bool
table_map_check(const struct table_map *map, table_check *check, void *context,
		struct table_problems *problems)
{
	struct span value;
	unsigned line;
	size_t place = 0;
	bool right = true;

	for (size_t i = 0; i < map->fixed.n; i++) {
		table_fixed_next(&map->fixed, &place, &line, &value);
		right &= value_check(value, line, check, context, problems);
	}
	for (size_t i = 0; i < map->rules.n; i++) {
		const struct rule *rule = &map->rules.at[i];

		if (rule->kind == RULE_MATCH && !rule->expands)
			right &= value_check(span_str(rule->result), rule->line, check,
					     context, problems);
	}
	return right;
}

static enum table_result
fixed_get(const struct table_map *map, struct span key, struct buf *value)
{
	struct buf folded = buf_make(4 * TABLE_KEY_MAX);
	bool found;
	struct span s;

	found = table_key_fold(key, &folded) &&
		table_fixed_get(&map->fixed, buf_span(&folded), &s);
	if (found)
		buf_put(value, s);
	buf_release(&folded);
	return found ? TABLE_FOUND : TABLE_NOT_FOUND;
}

enum table_result
table_map_get(const struct table_map *map, struct span key, struct buf *value,
	      struct err *err)
{
	if (key.n > TABLE_KEY_MAX)
		return (enum table_result)err_set(err, "the key is too long");
	if (span_find(key, '\0') < key.n || !utf8_valid(key))
		return TABLE_NOT_FOUND;
	if (map->kind == TABLE_TEXT)
		return fixed_get(map, key, value);
	return rules_get(&map->rules, key, value, err);
}
