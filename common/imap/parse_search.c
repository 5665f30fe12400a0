/* SEARCH [RFC9051 6.4.4], SORT and THREAD [RFC5256]: what stands before the keys, and
 * the keys in parse_key.c */
#include "common/imap/cursor.h"
#include "common/imap/key.h"

#define SORT_KEYS_MAX 100

/* [RFC4731 3.1] [RFC5182 2] [RFC9394 3.1] */
static const struct imap_word returns[] = {
    {SPAN("MIN"),     IMAP_SEARCH_MIN    },
    {SPAN("MAX"),     IMAP_SEARCH_MAX    },
    {SPAN("ALL"),     IMAP_SEARCH_ALL    },
    {SPAN("COUNT"),   IMAP_SEARCH_COUNT  },
    {SPAN("SAVE"),    IMAP_SEARCH_SAVE   },
    {SPAN("PARTIAL"), IMAP_SEARCH_PARTIAL},
};

static void
return_options(struct imap_cursor *c, struct imap_search *search)
{
	bool first = true;

	imap_space(c, "RETURN: '(' was expected");
	search->extended = true;
	if (!imap_list_open(c, "RETURN: '(' was expected"))
		return;
	while (imap_list_next(c, &first)) {
		unsigned option =
		    imap_word(c, returns, N_ELEMS(returns), "RETURN: unknown option");

		if (option == IMAP_SEARCH_PARTIAL) {
			if (search->returns & IMAP_SEARCH_PARTIAL)
				imap_fail(c, "RETURN: PARTIAL stands once");
			imap_space(c, "RETURN: a range was expected");
			imap_partial_range(c, &search->partial_first,
					   &search->partial_last);
		}
		search->returns |= option;
	}
	if (search->returns == 0)
		search->returns = IMAP_SEARCH_ALL;
	if ((search->returns & IMAP_SEARCH_PARTIAL) &&
	    (search->returns & IMAP_SEARCH_ALL))
		imap_fail(c, "RETURN: PARTIAL and ALL exclude each other");
}

/* What is sorted by already decides nothing any more. */
static void
sort_key_add(struct imap_cursor *c, struct imap_search *search,
	     struct imap_sort_key **keys, struct imap_sort_key key)
{
	for (size_t i = 0; i < search->n_sort; i++)
		if ((*keys)[i].field == key.field)
			return;
	if (imap_grow(c, keys, search->n_sort, sizeof(**keys)))
		(*keys)[search->n_sort++] = key;
}

static void
sort_criteria(struct imap_cursor *c, struct imap_search *search)
{
	static const struct imap_word fields[] = {
	    {SPAN("ARRIVAL"),     IMAP_SORT_ARRIVAL    },
	    {SPAN("CC"),          IMAP_SORT_CC         },
	    {SPAN("DATE"),        IMAP_SORT_DATE       },
	    {SPAN("FROM"),        IMAP_SORT_FROM       },
	    {SPAN("SIZE"),        IMAP_SORT_SIZE       },
	    {SPAN("SUBJECT"),     IMAP_SORT_SUBJECT    },
	    {SPAN("TO"),          IMAP_SORT_TO         },
	    {SPAN("DISPLAYFROM"), IMAP_SORT_DISPLAYFROM},
	    {SPAN("DISPLAYTO"),   IMAP_SORT_DISPLAYTO  },
	};
	struct imap_sort_key *keys = NULL, key;
	bool first = true;
	size_t n = 0;

	if (!imap_list_open(c, "SORT: '(' was expected"))
		return;
	while (imap_list_next(c, &first)) {
		if (n++ == SORT_KEYS_MAX)
			imap_fail_limit(c, "SORT: too many keys");
		key.reverse = imap_take_word(c, SPAN("REVERSE"));
		if (key.reverse)
			imap_space(c, "SORT: REVERSE of what was expected");
		key.field =
		    imap_word(c, fields, N_ELEMS(fields), "SORT: unknown sort key");
		sort_key_add(c, search, &keys, key);
	}
	if (search->n_sort == 0)
		imap_fail(c, "SORT: a sort key was expected");
	search->sort = keys;
	imap_space(c, "SORT: a charset was expected");
}

static void
thread_algorithm(struct imap_cursor *c, struct imap_search *search)
{
	static const struct imap_word algorithms[] = {
	    {SPAN("REFERENCES"),     IMAP_THREAD_REFERENCES    },
	    {SPAN("ORDEREDSUBJECT"), IMAP_THREAD_ORDEREDSUBJECT},
	};

	search->algorithm =
	    imap_word(c, algorithms, N_ELEMS(algorithms), "THREAD: unknown algorithm");
	imap_space(c, "THREAD: a charset was expected");
}

static void
charset(struct imap_cursor *c, struct imap_search *search)
{
	search->charset = imap_astring(c, "a charset was expected");
	if (search->charset.n == 0)
		imap_fail(c, "a charset was expected");
	imap_space(c, "a search key was expected");
}

void
imap_parse_search(struct imap_cursor *c, struct imap_command *out)
{
	struct imap_search *search = &out->search;

	imap_space(c, "a search key was expected");
	if (out->id != IMAP_THREAD && imap_take_word(c, SPAN("RETURN"))) {
		return_options(c, search);
		imap_space(c, "a search key was expected");
	}
	if (out->id == IMAP_SORT)
		sort_criteria(c, search);
	if (out->id == IMAP_THREAD)
		thread_algorithm(c, search);
	if (out->id == IMAP_SEARCH && imap_take_word(c, SPAN("CHARSET"))) {
		imap_space(c, "a charset was expected");
		charset(c, search);
	} else if (out->id != IMAP_SEARCH) {
		charset(c, search);
	}
	search->key = imap_keys(c, &search->uses_modseq);
}
