/* SELECT, EXAMINE, CREATE, RENAME, STATUS, and those that name a mailbox alone */
#include "common/imap/cursor.h"

void
imap_parse_mailbox(struct imap_cursor *c, struct imap_command *out)
{
	imap_space(c, "a mailbox name was expected");
	out->mailbox = imap_mailbox(c);
}

void
imap_parse_rename(struct imap_cursor *c, struct imap_command *out)
{
	imap_space(c, "a mailbox name was expected");
	out->rename.from = imap_mailbox(c);
	imap_space(c, "RENAME: the new name was expected");
	out->rename.to = imap_mailbox(c);
}

/* --- SELECT [RFC7162 3.1.8, 3.2.5] ---------------------------------------- */

/* What a client may say it knows: neither "*" nor "$". */
static void
known_set(struct imap_cursor *c, struct imap_set *out)
{
	imap_set(c, out);
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i].first == 0 || out->at[i].last == 0)
			imap_fail(c, "QRESYNC: * in a known set");
	if (out->saved)
		imap_fail(c, "QRESYNC: $ in a known set");
}

/* How many numbers the client has written down. */
static uint64_t
set_numbers(const struct imap_set *set)
{
	uint64_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		uint32_t a = set->at[i].first, b = set->at[i].last;

		n += (uint64_t)(a < b ? b - a : a - b) + 1;
	}
	return n;
}

static void
qresync_match(struct imap_cursor *c, struct imap_qresync *q)
{
	imap_expect(c, '(', "QRESYNC: '(' was expected");
	known_set(c, &q->match_numbers);
	imap_space(c, "QRESYNC: the UIDs were expected");
	known_set(c, &q->match_uids);
	imap_take(c, ' ');
	imap_expect(c, ')', "QRESYNC: ')' was expected");
	if (set_numbers(&q->match_numbers) != set_numbers(&q->match_uids))
		imap_fail(c, "QRESYNC: as many message numbers as UIDs were expected");
}

static void
qresync(struct imap_cursor *c, struct imap_qresync *q)
{
	imap_space(c, "QRESYNC: '(' was expected");
	imap_expect(c, '(', "QRESYNC: '(' was expected");
	q->uidvalidity = (uint32_t)imap_number(c, 1, UINT32_MAX,
					       "QRESYNC: UIDVALIDITY was expected");
	imap_space(c, "QRESYNC: a mod-sequence was expected");
	/* 0 is not allowed, but means something clear: everything. */
	q->modseq = imap_number(c, 0, IMAP_NUMBER64_MAX,
				"QRESYNC: a mod-sequence was expected");
	if (imap_more(c) && !imap_next_is(c, '(')) {
		known_set(c, &q->known_uids);
		imap_more(c);
	}
	if (imap_next_is(c, '('))
		qresync_match(c, q);
	imap_take(c, ' ');
	imap_expect(c, ')', "QRESYNC: ')' was expected");
}

void
imap_parse_select(struct imap_cursor *c, struct imap_command *out)
{
	struct imap_select *select = &out->select;
	bool first = true;

	imap_space(c, "a mailbox name was expected");
	select->mailbox = imap_mailbox(c);
	if (!imap_more(c) || !imap_list_open(c, "SELECT: '(' was expected"))
		return;
	while (imap_list_next(c, &first)) {
		struct span word = imap_run(c, IMAP_C_ATOM);

		if (imap_same_word(word, SPAN("CONDSTORE")))
			select->condstore = true;
		else if (imap_same_word(word, SPAN("QRESYNC")))
			qresync(c, &select->qresync);
		else
			imap_fail(c, "SELECT: unknown parameter");
	}
}

/* --- CREATE [RFC6154 3] --------------------------------------------------- */

/* The order of enum store_special_use. */
static const struct imap_word uses[] = {
    {SPAN("All"),     1 << 1},
    {SPAN("Archive"), 1 << 2},
    {SPAN("Drafts"),  1 << 3},
    {SPAN("Flagged"), 1 << 4},
    {SPAN("Junk"),    1 << 5},
    {SPAN("Sent"),    1 << 6},
    {SPAN("Trash"),   1 << 7},
};

static void
create_uses(struct imap_cursor *c, struct imap_create *create)
{
	bool first = true;
	unsigned use;

	imap_space(c, "CREATE: '(' was expected");
	if (!imap_list_open(c, "CREATE: '(' was expected"))
		return;
	while (imap_list_next(c, &first)) {
		imap_expect(c, '\\', "CREATE: a special use was expected");
		if (imap_word_find(imap_atom(c, "CREATE: a special use was expected"),
				   uses, N_ELEMS(uses), &use))
			create->special_use |= use;
		else
			create->special_use_bad = true;
	}
}

void
imap_parse_create(struct imap_cursor *c, struct imap_command *out)
{
	struct imap_create *create = &out->create;
	bool first = true;

	imap_space(c, "a mailbox name was expected");
	create->mailbox = imap_mailbox(c);
	if (!imap_more(c) || !imap_list_open(c, "CREATE: '(' was expected"))
		return;
	while (imap_list_next(c, &first)) {
		if (imap_take_word(c, SPAN("USE")))
			create_uses(c, create);
		else
			imap_fail(c, "CREATE: unknown parameter");
	}
}

/* --- STATUS --------------------------------------------------------------- */

static const struct imap_word items[] = {
    {SPAN("MESSAGES"),        IMAP_STATUS_MESSAGES       },
    {SPAN("RECENT"),          IMAP_STATUS_RECENT         },
    {SPAN("UIDNEXT"),         IMAP_STATUS_UIDNEXT        },
    {SPAN("UIDVALIDITY"),     IMAP_STATUS_UIDVALIDITY    },
    {SPAN("UNSEEN"),          IMAP_STATUS_UNSEEN         },
    {SPAN("DELETED"),         IMAP_STATUS_DELETED        },
    {SPAN("SIZE"),            IMAP_STATUS_SIZE           },
    {SPAN("HIGHESTMODSEQ"),   IMAP_STATUS_HIGHESTMODSEQ  },
    {SPAN("MAILBOXID"),       IMAP_STATUS_MAILBOXID      },
    {SPAN("APPENDLIMIT"),     IMAP_STATUS_APPENDLIMIT    },
    {SPAN("DELETED-STORAGE"), IMAP_STATUS_DELETED_STORAGE},
};

uint32_t
imap_status_items(struct imap_cursor *c)
{
	uint32_t all = 0;
	bool first = true;

	if (!imap_list_open(c, "STATUS: '(' was expected"))
		return 0;
	while (imap_list_next(c, &first))
		all |= imap_word(c, items, N_ELEMS(items), "STATUS: unknown item");
	if (all == 0)
		imap_fail(c, "STATUS: an item was expected");
	return all;
}

void
imap_parse_status(struct imap_cursor *c, struct imap_command *out)
{
	imap_space(c, "a mailbox name was expected");
	out->status.mailbox = imap_mailbox(c);
	imap_space(c, "STATUS: '(' was expected");
	out->status.items = imap_status_items(c);
}
