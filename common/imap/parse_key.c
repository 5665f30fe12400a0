#include "common/imap/key.h"

#include "common/imap/date.h"

struct keys {
	struct imap_cursor *c;
	unsigned n;     /* in all */
	unsigned depth; /* of parentheses */
	bool uses_modseq;
};

/* What follows the word of a key. */
enum tail {
	TAIL_NONE,
	TAIL_TEXT,   /* an astring */
	TAIL_HEADER, /* two */
	TAIL_FIELD,  /* one, of the field that is named as the key */
	TAIL_KEYWORD,
	TAIL_OBJECT, /* an id of [RFC8474] */
	TAIL_DATE,
	TAIL_SIZE,
	TAIL_SECONDS,
	TAIL_MODSEQ,
	TAIL_SET,
	TAIL_ONE_KEY,
	TAIL_TWO_KEYS,
};

static const struct key_row {
	struct span name;
	enum imap_key_kind kind;
	enum tail tail;
	uint32_t flag; /* of IMAP_KEY_FLAG */
	bool negated;
} rows[] = {
    {SPAN("ALL"),               IMAP_KEY_ALL,               TAIL_NONE,     0,                  false},
    {SPAN("UNSEEN"),            IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_SEEN,     true },
    {SPAN("SEEN"),              IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_SEEN,     false},
    {SPAN("UID"),               IMAP_KEY_UID,               TAIL_SET,      0,                  false},
    {SPAN("DELETED"),           IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_DELETED,  false},
    {SPAN("UNDELETED"),         IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_DELETED,  true },
    {SPAN("ANSWERED"),          IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_ANSWERED, false},
    {SPAN("UNANSWERED"),        IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_ANSWERED, true },
    {SPAN("FLAGGED"),           IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_FLAGGED,  false},
    {SPAN("UNFLAGGED"),         IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_FLAGGED,  true },
    {SPAN("DRAFT"),             IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_DRAFT,    false},
    {SPAN("UNDRAFT"),           IMAP_KEY_FLAG,              TAIL_NONE,     IMAP_FLAG_DRAFT,    true },
    {SPAN("KEYWORD"),           IMAP_KEY_KEYWORD,           TAIL_KEYWORD,  0,                  false},
    {SPAN("UNKEYWORD"),         IMAP_KEY_KEYWORD,           TAIL_KEYWORD,  0,                  true },
    {SPAN("NEW"),               IMAP_KEY_NEW,               TAIL_NONE,     0,                  false},
    {SPAN("OLD"),               IMAP_KEY_OLD,               TAIL_NONE,     0,                  false},
    {SPAN("RECENT"),            IMAP_KEY_RECENT,            TAIL_NONE,     0,                  false},
    {SPAN("NOT"),               IMAP_KEY_NOT,               TAIL_ONE_KEY,  0,                  false},
    {SPAN("OR"),                IMAP_KEY_OR,                TAIL_TWO_KEYS, 0,                  false},
    {SPAN("FROM"),              IMAP_KEY_HEADER,            TAIL_FIELD,    0,                  false},
    {SPAN("TO"),                IMAP_KEY_HEADER,            TAIL_FIELD,    0,                  false},
    {SPAN("CC"),                IMAP_KEY_HEADER,            TAIL_FIELD,    0,                  false},
    {SPAN("BCC"),               IMAP_KEY_HEADER,            TAIL_FIELD,    0,                  false},
    {SPAN("SUBJECT"),           IMAP_KEY_HEADER,            TAIL_FIELD,    0,                  false},
    {SPAN("HEADER"),            IMAP_KEY_HEADER,            TAIL_HEADER,   0,                  false},
    {SPAN("BODY"),              IMAP_KEY_BODY,              TAIL_TEXT,     0,                  false},
    {SPAN("TEXT"),              IMAP_KEY_TEXT,              TAIL_TEXT,     0,                  false},
    {SPAN("BEFORE"),            IMAP_KEY_BEFORE,            TAIL_DATE,     0,                  false},
    {SPAN("ON"),                IMAP_KEY_ON,                TAIL_DATE,     0,                  false},
    {SPAN("SINCE"),             IMAP_KEY_SINCE,             TAIL_DATE,     0,                  false},
    {SPAN("SENTBEFORE"),        IMAP_KEY_SENTBEFORE,        TAIL_DATE,     0,                  false},
    {SPAN("SENTON"),            IMAP_KEY_SENTON,            TAIL_DATE,     0,                  false},
    {SPAN("SENTSINCE"),         IMAP_KEY_SENTSINCE,         TAIL_DATE,     0,                  false},
    {SPAN("SAVEDBEFORE"),       IMAP_KEY_SAVEDBEFORE,       TAIL_DATE,     0,                  false},
    {SPAN("SAVEDON"),           IMAP_KEY_SAVEDON,           TAIL_DATE,     0,                  false},
    {SPAN("SAVEDSINCE"),        IMAP_KEY_SAVEDSINCE,        TAIL_DATE,     0,                  false},
    {SPAN("SAVEDATESUPPORTED"), IMAP_KEY_SAVEDATESUPPORTED, TAIL_NONE,     0,                  false},
    {SPAN("OLDER"),             IMAP_KEY_OLDER,             TAIL_SECONDS,  0,                  false},
    {SPAN("YOUNGER"),           IMAP_KEY_YOUNGER,           TAIL_SECONDS,  0,                  false},
    {SPAN("LARGER"),            IMAP_KEY_LARGER,            TAIL_SIZE,     0,                  false},
    {SPAN("SMALLER"),           IMAP_KEY_SMALLER,           TAIL_SIZE,     0,                  false},
    {SPAN("MODSEQ"),            IMAP_KEY_MODSEQ,            TAIL_MODSEQ,   0,                  false},
    {SPAN("EMAILID"),           IMAP_KEY_EMAILID,           TAIL_OBJECT,   0,                  false},
    {SPAN("THREADID"),          IMAP_KEY_THREADID,          TAIL_OBJECT,   0,                  false},
};

static const struct imap_key *key_parse(struct keys *k);

static struct imap_key *
key_new(struct keys *k, enum imap_key_kind kind)
{
	struct imap_key *key;

	if (k->n == IMAP_KEYS_MAX) {
		imap_fail_limit(k->c, "SEARCH: too many keys");
		return NULL;
	}
	key = imap_new(k->c, 1, sizeof(*key));
	if (!key)
		return NULL;
	k->n++;
	key->kind = kind;
	return key;
}

/* --- what follows --------------------------------------------------------- */

static int32_t
key_date(struct imap_cursor *c)
{
	struct span s = imap_next_is(c, '"') ? imap_string(c, "a date was expected")
					     : imap_run(c, IMAP_C_ATOM);
	int32_t day = 0;

	if (imap_ok(c) && !imap_date_parse(s, &day))
		imap_fail(c, "SEARCH: a date such as 1-Feb-1994 was expected");
	return day;
}

/* "MODSEQ "/flags/\\Draft" all 12345"; the entry makes no difference here. */
static uint64_t
key_modseq(struct keys *k)
{
	static const struct imap_word types[] = {
	    {SPAN("priv"),   0},
	    {SPAN("shared"), 0},
	    {SPAN("all"),    0},
	};
	struct imap_cursor *c = k->c;

	k->uses_modseq = true;
	if (imap_next_is(c, '"')) {
		(void)imap_string(c, "SEARCH: an entry was expected");
		imap_space(c, "SEARCH: all, priv or shared was expected");
		(void)imap_word(c, types, N_ELEMS(types),
				"SEARCH: all, priv or shared was expected");
		imap_space(c, "SEARCH: a mod-sequence was expected");
	}
	return imap_number(c, 0, IMAP_NUMBER64_MAX,
			   "SEARCH: a mod-sequence was expected");
}

/* [RFC8474 7] */
static struct span
key_object(struct imap_cursor *c)
{
	struct span id = imap_astring(c, "SEARCH: an id was expected");

	for (size_t i = 0; i < id.n; i++)
		if (!ascii_alnum(id.at[i]) && id.at[i] != '-' && id.at[i] != '_')
			imap_fail(c, "SEARCH: an id was expected");
	if (id.n == 0 || id.n > 255)
		imap_fail(c, "SEARCH: an id was expected");
	return id;
}

static void
key_keys(struct keys *k, struct imap_key *key, size_t n)
{
	const struct imap_key **keys =
	    imap_new(k->c, n, sizeof(const struct imap_key *));

	if (!keys)
		return;
	keys[0] = key_parse(k);
	if (n > 1) {
		imap_space(k->c, "SEARCH: OR needs two keys");
		keys[1] = key_parse(k);
	}
	key->keys = keys;
	key->n_keys = n;
}

static void
key_tail(struct keys *k, const struct key_row *row, struct imap_key *key)
{
	struct imap_cursor *c = k->c;

	if (row->tail != TAIL_NONE)
		imap_space(c, "SEARCH: a key has no argument");
	switch (row->tail) {
	case TAIL_NONE:
		break;
	case TAIL_FIELD:
		key->text[0] = row->name;
		key->text[1] = imap_astring(c, "SEARCH: a string was expected");
		break;
	case TAIL_HEADER:
		key->text[0] = imap_astring(c, "SEARCH: a header field was expected");
		imap_space(c, "SEARCH: a string was expected");
		key->text[1] = imap_astring(c, "SEARCH: a string was expected");
		break;
	case TAIL_TEXT:
		key->text[0] = imap_astring(c, "SEARCH: a string was expected");
		break;
	case TAIL_KEYWORD:
		key->text[0] = imap_atom(c, "SEARCH: a keyword was expected");
		break;
	case TAIL_OBJECT:
		key->text[0] = key_object(c);
		break;
	case TAIL_DATE:
		key->day = key_date(c);
		break;
	case TAIL_SIZE:
		key->number =
		    imap_number(c, 0, IMAP_NUMBER64_MAX, "SEARCH: a size was expected");
		break;
	case TAIL_SECONDS:
		key->number = imap_number(c, 1, UINT32_MAX,
					  "SEARCH: a number of seconds was expected");
		break;
	case TAIL_MODSEQ:
		key->number = key_modseq(k);
		break;
	case TAIL_SET:
		imap_set(c, &key->set);
		break;
	case TAIL_ONE_KEY:
		key_keys(k, key, 1);
		break;
	case TAIL_TWO_KEYS:
		key_keys(k, key, 2);
		break;
	}
}

/* --- keys ----------------------------------------------------------------- */

static const struct key_row *
row_find(struct span name)
{
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (imap_same_word(name, rows[i].name))
			return &rows[i];
	return NULL;
}

static const struct imap_key *
key_set(struct keys *k)
{
	struct imap_key *key = key_new(k, IMAP_KEY_SET);

	if (key)
		imap_set(k->c, &key->set);
	return key;
}

static const struct imap_key *
key_named(struct keys *k)
{
	const struct key_row *row = row_find(imap_run(k->c, IMAP_C_ATOM));
	struct imap_key *key, *not = NULL;
	const struct imap_key **inner;

	if (!row) {
		imap_fail(k->c, "SEARCH: unknown key");
		return NULL;
	}
	key = key_new(k, row->kind);
	if (!key)
		return NULL;
	key->flag = row->flag;
	key_tail(k, row, key);
	if (!row->negated)
		return key;
	not = key_new(k, IMAP_KEY_NOT);
	inner = imap_new(k->c, 1, sizeof(const struct imap_key *));
	if (!not || !inner)
		return NULL;
	inner[0] = key;
	not ->keys = inner;
	not ->n_keys = 1;
	return not ;
}

/* Those before `close`: the ')' of a parenthesis, or the end of the line. */
static const struct imap_key *
key_list(struct keys *k, bool parenthesis)
{
	const struct imap_key **keys = NULL;
	struct imap_key *all;
	bool first = true;
	size_t n = 0;

	while (parenthesis ? imap_list_next(k->c, &first) : n == 0 || imap_more(k->c)) {
		const struct imap_key *key = key_parse(k);

		if (!key || !imap_grow(k->c, &keys, n, sizeof(*keys)))
			return NULL;
		keys[n++] = key;
	}
	if (n == 0) {
		imap_fail(k->c, "SEARCH: a key was expected");
		return NULL;
	}
	if (n == 1)
		return keys[0];
	all = key_new(k, IMAP_KEY_AND);
	if (!all)
		return NULL;
	all->keys = keys;
	all->n_keys = n;
	return all;
}

static const struct imap_key *
key_parse(struct keys *k)
{
	const struct imap_key *key;
	struct imap_cursor *c = k->c;

	if (!imap_ok(c))
		return NULL;
	if (!imap_take(c, '('))
		return c->at < c->end && (imap_is(*c->at, IMAP_C_SET) || *c->at == '$')
			   ? key_set(k)
			   : key_named(k);
	if (k->depth == IMAP_LIST_DEPTH_MAX) {
		imap_fail_limit(c, "SEARCH: parentheses are too deep");
		return NULL;
	}
	k->depth++;
	key = key_list(k, true);
	k->depth--;
	return key;
}

const struct imap_key *
imap_keys(struct imap_cursor *c, bool *uses_modseq)
{
	struct keys k = {.c = c};
	const struct imap_key *key = key_list(&k, false);

	*uses_modseq = k.uses_modseq;
	return imap_ok(c) ? key : NULL;
}
