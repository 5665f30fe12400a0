/* LIST and LSUB [RFC9051 6.3.9] [RFC5258] [RFC5819] [RFC6154 4] */
#include "common/imap/cursor.h"

#define PATTERNS_MAX 1000

static void
select_options(struct imap_cursor *c, struct imap_list *list)
{
	static const struct imap_word words[] = {
	    {SPAN("SUBSCRIBED"),     IMAP_LIST_SUBSCRIBED    },
	    {SPAN("REMOTE"),         IMAP_LIST_REMOTE        },
	    {SPAN("RECURSIVEMATCH"), IMAP_LIST_RECURSIVEMATCH},
	    {SPAN("SPECIAL-USE"),    IMAP_LIST_SPECIAL_USE   },
	};
	const uint32_t base = IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE;
	bool first = true;

	list->extended = imap_list_open(c, "LIST: '(' was expected");
	while (imap_ok(c) && imap_list_next(c, &first))
		list->select |= imap_word(c, words, N_ELEMS(words),
					  "LIST: unknown selection option");
	if ((list->select & IMAP_LIST_RECURSIVEMATCH) && !(list->select & base))
		imap_fail(c, "LIST: RECURSIVEMATCH needs something to match");
	imap_space(c, "LIST: a reference was expected");
}

static void
pattern_add(struct imap_cursor *c, struct imap_list *list, struct span **patterns)
{
	if (list->n_patterns == PATTERNS_MAX) {
		imap_fail_limit(c, "LIST: too many patterns");
		return;
	}
	if (imap_grow(c, patterns, list->n_patterns, sizeof(**patterns)))
		(*patterns)[list->n_patterns++] = imap_pattern(c);
}

static void
list_patterns(struct imap_cursor *c, struct imap_list *list)
{
	struct span *patterns = NULL;
	bool first = true;

	imap_space(c, "LIST: a pattern was expected");
	if (!imap_next_is(c, '(')) {
		pattern_add(c, list, &patterns);
	} else if (imap_list_open(c, "LIST: a pattern was expected")) {
		list->extended = true;
		while (imap_list_next(c, &first))
			pattern_add(c, list, &patterns);
		if (list->n_patterns == 0)
			imap_fail(c, "LIST: a pattern was expected");
	}
	list->patterns = patterns;
}

static void
return_options(struct imap_cursor *c, struct imap_list *list)
{
	static const struct imap_word words[] = {
	    {SPAN("SUBSCRIBED"),  IMAP_RETURN_SUBSCRIBED },
	    {SPAN("CHILDREN"),    IMAP_RETURN_CHILDREN   },
	    {SPAN("SPECIAL-USE"), IMAP_RETURN_SPECIAL_USE},
	    {SPAN("STATUS"),      IMAP_RETURN_STATUS     },
	};
	bool first = true;

	list->extended = true;
	if (!imap_take_word(c, SPAN("RETURN")))
		imap_fail(c, "LIST: RETURN was expected");
	imap_space(c, "LIST: '(' was expected");
	if (!imap_list_open(c, "LIST: '(' was expected"))
		return;
	while (imap_list_next(c, &first)) {
		unsigned option =
		    imap_word(c, words, N_ELEMS(words), "LIST: unknown return option");

		list->returns |= option;
		if (option != IMAP_RETURN_STATUS)
			continue;
		imap_space(c, "STATUS: '(' was expected");
		list->status_items |= imap_status_items(c);
	}
}

void
imap_parse_list(struct imap_cursor *c, struct imap_command *out)
{
	imap_space(c, "LIST: a reference was expected");
	if (imap_next_is(c, '('))
		select_options(c, &out->list);
	out->list.reference = imap_mailbox(c);
	list_patterns(c, &out->list);
	if (imap_more(c))
		return_options(c, &out->list);
}

void
imap_parse_lsub(struct imap_cursor *c, struct imap_command *out)
{
	struct span *pattern = imap_new(c, 1, sizeof(*pattern));

	imap_space(c, "LSUB: a reference was expected");
	out->list.reference = imap_mailbox(c);
	imap_space(c, "LSUB: a pattern was expected");
	if (pattern)
		*pattern = imap_pattern(c);
	out->list.patterns = pattern;
	out->list.n_patterns = 1;
}
