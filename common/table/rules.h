/* common/table/rules.h - lists of rules with if ... endif
 *
 * Private to this room. What patterns and networks have in common: rules are tried in
 * order, the first that matches gives the result; `if` blocks nest.
 */
#pragma once

#include "common/table/line.h"
#include "common/table/map.h"

#define TABLE_GROUPS_MAX 100

/* What all patterns of one lookup may do together beyond what grows with the length of
 * the key alone; a step is some 10 ns. Then the lookup is a fault, and not a "no". */
#define RULES_STEPS_MAX 2000000

enum rule_kind {
	RULE_MATCH,
	RULE_IF,
	RULE_ENDIF,
};

struct rule {
	enum rule_kind kind;
	bool negated;
	unsigned line;
	size_t end;   /* of RULE_IF: its RULE_ENDIF */
	char *result; /* of RULE_MATCH */
	bool expands; /* the result has a $ in it */
	void *what;   /* the compiled pattern, or the network; null in an endif */
};

/* Where groups of a pattern matched; [0] is the whole. Equal ends: an empty one. */
struct rule_groups {
	struct {
		size_t start, end;
	} at[TABLE_GROUPS_MAX];
	size_t n;
};

enum rule_match {
	RULE_FAULT = -1, /* err says why */
	RULE_NO,
	RULE_YES,
	RULE_OTHER, /* it is for other keys, negated or not */
};

/* What a kind of rule brings. */
struct rule_class {
	/* Reads one pattern, and its "!", off the front of *text. Null after a
	 * complaint. */
	void *(*compile)(struct span *text, bool *negated, unsigned *groups,
			 unsigned line, struct table_problems *problems);
	void (*discard)(void *what);
	/* Takes what it spends off *steps, as RULES_STEPS_MAX says. */
	enum rule_match (*match)(const void *what, struct span key,
				 struct rule_groups *groups, uint64_t *steps,
				 struct err *err);
	bool words;     /* a rule may start with a letter; a result must be there */
	bool templates; /* $1 in results */
};

extern const struct rule_class rule_class_regexp, rule_class_pcre, rule_class_cidr;

struct rules {
	const struct rule_class *class;
	struct rule *at;
	size_t n, size;
};

void rules_parse(struct rules *r, const struct rule_class *class, struct span text,
		 struct table_problems *problems);
void rules_release(struct rules *r);
MUST_USE enum table_result
rules_get(const struct rules *r, struct span key, struct buf *value, struct err *err);

/* A /pattern/flags off the front of *text, for regexp and pcre: any delimiter, "!"
 * before it. The pattern is a new C string in *pattern. False after a complaint. */
MUST_USE bool
rule_pattern_take(struct span *text, bool *negated, char **pattern, struct span *flags,
		  unsigned line, struct table_problems *problems);

/* template.c: $1, ${1}, $(1) and $$ in a result. */
MUST_USE bool
template_check(struct span text, unsigned groups, bool negated, bool *expands,
	       unsigned line, struct table_problems *problems);
void template_put(struct span text, struct span key, const struct rule_groups *groups,
		  struct buf *out);
