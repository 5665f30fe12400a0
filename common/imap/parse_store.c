/* flags; STORE, COPY, MOVE, EXPUNGE */
#include "common/imap/cursor.h"

#define FLAGS_MAX 1000 /* in one command */

/* --- flags ---------------------------------------------------------------- */

static const struct imap_word system_flags[] = {
    {SPAN("Seen"),     IMAP_FLAG_SEEN    },
    {SPAN("Answered"), IMAP_FLAG_ANSWERED},
    {SPAN("Flagged"),  IMAP_FLAG_FLAGGED },
    {SPAN("Deleted"),  IMAP_FLAG_DELETED },
    {SPAN("Draft"),    IMAP_FLAG_DRAFT   },
    {SPAN("Recent"),   0                 }, /* the server's alone; some clients send back what they got */
};

static void
flag(struct imap_cursor *c, struct imap_flags *out, struct span **keywords)
{
	if (imap_take(c, '\\')) {
		out->system |= imap_word(c, system_flags, N_ELEMS(system_flags),
					 "no such system flag");
		return;
	}
	if (out->n_keywords == FLAGS_MAX) {
		imap_fail_limit(c, "too many flags");
		return;
	}
	if (imap_grow(c, keywords, out->n_keywords, sizeof(**keywords)))
		(*keywords)[out->n_keywords++] =
		    imap_kept(c, imap_atom(c, "a flag was expected"));
}

void
imap_flags(struct imap_cursor *c, bool bare, struct imap_flags *out)
{
	struct span *keywords = NULL;
	bool first = true;

	*out = (struct imap_flags){0};
	if (bare && !imap_next_is(c, '(')) {
		do
			flag(c, out, &keywords);
		while (imap_more(c));
	} else if (imap_list_open(c, "a list of flags was expected")) {
		while (imap_list_next(c, &first))
			flag(c, out, &keywords);
	}
	out->keywords = keywords;
}

/* --- STORE ---------------------------------------------------------------- */

/* "(UNCHANGEDSINCE 12345)" [RFC7162 3.1.3] */
static void
store_modifiers(struct imap_cursor *c, struct imap_store *store)
{
	bool first = true;

	imap_list_open(c, "STORE: '(' was expected");
	while (imap_ok(c) && imap_list_next(c, &first)) {
		if (!imap_take_word(c, SPAN("UNCHANGEDSINCE")))
			imap_fail(c, "STORE: unknown modifier");
		imap_space(c, "STORE: a mod-sequence was expected");
		store->conditional = true;
		store->unchanged_since = imap_number(
		    c, 0, IMAP_NUMBER64_MAX, "STORE: a mod-sequence was expected");
	}
	imap_space(c, "STORE: FLAGS was expected");
}

void
imap_parse_store(struct imap_cursor *c, struct imap_command *out)
{
	struct imap_store *store = &out->store;
	struct span word;

	imap_space(c, "a set was expected");
	imap_set(c, &store->set);
	imap_space(c, "STORE: FLAGS was expected");
	if (imap_next_is(c, '('))
		store_modifiers(c, store);
	store->verb = IMAP_STORE_REPLACE;
	if (imap_take(c, '+'))
		store->verb = IMAP_STORE_ADD;
	else if (imap_take(c, '-'))
		store->verb = IMAP_STORE_REMOVE;
	word = imap_run(c, IMAP_C_ATOM);
	store->silent = imap_same_word(word, SPAN("FLAGS.SILENT"));
	if (!store->silent && !imap_same_word(word, SPAN("FLAGS")))
		imap_fail(c, "STORE: FLAGS was expected");
	imap_space(c, "STORE: flags were expected");
	imap_flags(c, true, &store->flags);
}

/* --- COPY, MOVE, EXPUNGE -------------------------------------------------- */

void
imap_parse_copy(struct imap_cursor *c, struct imap_command *out)
{
	imap_space(c, "a set was expected");
	imap_set(c, &out->copy.set);
	imap_space(c, "a mailbox name was expected");
	out->copy.mailbox = imap_mailbox(c);
}

/* [RFC4315 2.1] */
void
imap_parse_expunge(struct imap_cursor *c, struct imap_command *out)
{
	if (!out->uid)
		return;
	imap_space(c, "a set was expected");
	imap_set(c, &out->expunge);
}
