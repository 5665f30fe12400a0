/* the keys of a SEARCH as a program of tests, the cheap ones first */
#include "imapd/session/objectid.h"
#include "imapd/session/search.h"

#define DAY_US     INT64_C(86400000000)
#define DAY_MAX    3000000 /* after the year 9999 */
#define SECOND_US  INT64_C(1000000)
#define WITHIN_MAX INT64_C(1000000000000) /* seconds; before any mail */

/* What a test has to read. */
enum cost {
	COST_NOTHING,
	COST_RECORD,
	COST_SET,
	COST_SUMMARY,
	COST_HEADER,
	COST_TEXT,
};

struct compiler {
	struct session *s;
	struct search *w;
	size_t size;      /* of the array of tests */
	const char *text; /* why it cannot be done; null: it can */
};

/* --- texts ---------------------------------------------------------------- */

static bool
charset_is_own(struct span name)
{
	return name.n == 0 || span_equal_nocase(name, SPAN("UTF-8")) ||
	       span_equal_nocase(name, SPAN("US-ASCII"));
}

static bool
charset_known(const struct session *s, struct span name)
{
	const struct mime_charsets *charsets = s->account->charsets;
	struct buf nothing = buf_make(16);
	bool known;

	if (charset_is_own(name))
		return true;
	if (!charsets || !charsets->convert || name.n > MIME_CHARSET_NAME_MAX)
		return false;
	known = charsets->convert(charsets->context, name, SPAN(""), &nothing);
	buf_release(&nothing);
	return known;
}

static void
set_needle(struct compiler *c, struct search_test *t, struct span text)
{
	struct buf *out = &c->w->scratch, utf8 = buf_make(SEARCH_CHARSET_BYTES);

	buf_reset(out);
	mime_charset_put(c->s->account->charsets, c->s->command.search.charset, text,
			 &utf8);
	text_fold(buf_span(&utf8), out);
	if (utf8.full || out->full ||
	    !arena_copy(&c->s->arena, buf_span(out), &t->needle))
		c->text = "A text is too long";
	buf_release(&utf8);
}

static void
build_text(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	set_needle(c, t, key->text[0]);
	t->cost = COST_TEXT;
	if (t->needle.n == 0) /* stands in all of them */
		*t = (struct search_test){.kind = IMAP_KEY_ALL, .negate = t->negate};
}

static void
build_header(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	t->name = key->text[0];
	set_needle(c, t, key->text[1]);
	t->cost = COST_HEADER;
}

/* --- numbers, flags, dates, ids ------------------------------------------- */

/* "$" can be long, and stand there often. */
static const struct imap_ranges *
saved_numbers(struct compiler *c)
{
	struct search *w = c->w;

	if (!w->saved_known)
		view_numbers(&c->s->view, &c->s->saved, &w->saved);
	w->saved_known = true;
	return &w->saved;
}

/* In an empty mailbox nothing is meant by 1:*, which clients send all the same. */
static void
build_set(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	t->cost = COST_SET;
	t->numbers = key->set.saved ? saved_numbers(c) : &t->own;
	if (c->s->view.n > 0 && !key->set.saved &&
	    !view_resolve(c->s, &key->set, key->kind == IMAP_KEY_UID, &t->own))
		c->text = "There is no message of that number";
}

static void
build_flag(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	(void)c;
	t->bits = key->flag;
}

static void
build_keyword(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	int bit = store_keyword_find(c->s->account->mail, key->text[0]);

	t->bits = bit < 0 ? 0 : UINT64_C(1) << bit;
}

static void
build_number(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	(void)c;
	t->number = key->number;
}

/* Which of "before, on, since" it is. */
static int
relation(enum imap_key_kind kind)
{
	switch (kind) {
	case IMAP_KEY_BEFORE:
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SAVEDBEFORE:
		return -1;
	case IMAP_KEY_ON:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SAVEDON:
		return 0;
	default:
		return 1;
	}
}

static void
build_date(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	int32_t day = key->day < -DAY_MAX  ? -DAY_MAX
		      : key->day > DAY_MAX ? DAY_MAX
					   : key->day;
	int which = relation(key->kind);

	(void)c;
	t->from_day = which < 0 ? -2 * DAY_MAX : day;
	t->to_day = which > 0 ? 2 * DAY_MAX : which < 0 ? day : day + 1;
	t->from_us = t->from_day * DAY_US;
	t->to_us = t->to_day * DAY_US;
}

static void
build_sent(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	build_date(c, key, t);
	t->cost = COST_SUMMARY;
}

/* [RFC5032]: no message is both, none is neither. */
static void
build_within(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	int64_t ago =
	    key->number > (uint64_t)WITHIN_MAX ? WITHIN_MAX : (int64_t)key->number;
	int64_t edge = (c->w->now_us / SECOND_US - ago) * SECOND_US;

	t->from_us = key->kind == IMAP_KEY_YOUNGER ? edge : INT64_MIN;
	t->to_us = key->kind == IMAP_KEY_YOUNGER ? INT64_MAX : edge;
}

/* Another text is the id of no message [RFC8474 5.3]. */
static void
build_emailid(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	(void)c;
	t->number = objectid_parse_email(key->text[0], t->guid);
}

static void
build_threadid(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	(void)c;
	if (!objectid_parse_thread(key->text[0], &t->number))
		t->number = 0;
}

static void
build_nothing(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	(void)c;
	(void)key;
	t->cost = COST_NOTHING;
}

/* --- the tree ------------------------------------------------------------- */

static struct search_test *build(struct compiler *c, const struct imap_key *key);

/* Behind those that cost as much. */
static void
add_child(struct search_test *t, struct search_test *child)
{
	struct search_test **at = &t->first;

	while (*at && (*at)->cost <= child->cost)
		at = &(*at)->next;
	child->next = *at;
	*at = child;
	if (child->cost > t->cost)
		t->cost = child->cost;
}

static void
build_joined(struct compiler *c, const struct imap_key *key, struct search_test *t)
{
	t->cost = COST_NOTHING;
	for (size_t i = 0; i < key->n_keys; i++)
		add_child(t, build(c, key->keys[i]));
}

typedef void
builder(struct compiler *c, const struct imap_key *key, struct search_test *t);

static builder *const builders[] = {
    [IMAP_KEY_ALL] = build_nothing,      [IMAP_KEY_AND] = build_joined,
    [IMAP_KEY_OR] = build_joined,        [IMAP_KEY_SET] = build_set,
    [IMAP_KEY_UID] = build_set,          [IMAP_KEY_FLAG] = build_flag,
    [IMAP_KEY_KEYWORD] = build_keyword,  [IMAP_KEY_NEW] = build_number,
    [IMAP_KEY_OLD] = build_number,       [IMAP_KEY_RECENT] = build_number,
    [IMAP_KEY_BEFORE] = build_date,      [IMAP_KEY_ON] = build_date,
    [IMAP_KEY_SINCE] = build_date,       [IMAP_KEY_SENTBEFORE] = build_sent,
    [IMAP_KEY_SENTON] = build_sent,      [IMAP_KEY_SENTSINCE] = build_sent,
    [IMAP_KEY_SAVEDBEFORE] = build_date, [IMAP_KEY_SAVEDON] = build_date,
    [IMAP_KEY_SAVEDSINCE] = build_date,  [IMAP_KEY_SAVEDATESUPPORTED] = build_nothing,
    [IMAP_KEY_OLDER] = build_within,     [IMAP_KEY_YOUNGER] = build_within,
    [IMAP_KEY_LARGER] = build_number,    [IMAP_KEY_SMALLER] = build_number,
    [IMAP_KEY_MODSEQ] = build_number,    [IMAP_KEY_HEADER] = build_header,
    [IMAP_KEY_BODY] = build_text,        [IMAP_KEY_TEXT] = build_text,
    [IMAP_KEY_EMAILID] = build_emailid,  [IMAP_KEY_THREADID] = build_threadid,
};

static struct search_test *
build(struct compiler *c, const struct imap_key *key)
{
	bool negate = false;
	struct search_test *t;

	for (; key->kind == IMAP_KEY_NOT; key = key->keys[0])
		negate = !negate;
	ASSERT(key->kind < N_ELEMS(builders) && c->w->program.n < c->size);
	t = &c->w->program.tests[c->w->program.n++];
	*t = (struct search_test){
	    .kind = key->kind, .negate = negate, .cost = COST_RECORD};
	builders[key->kind](c, key, t);
	return t;
}

static size_t
count_keys(const struct imap_key *key)
{
	size_t n = 1;

	for (size_t i = 0; i < key->n_keys; i++)
		n += count_keys(key->keys[i]);
	return n;
}

static bool
is_set(const struct search_test *t)
{
	return !t->negate && (t->kind == IMAP_KEY_SET || t->kind == IMAP_KEY_UID);
}

/* The set that all matches are in, if there is one. */
static const struct imap_ranges *
program_numbers(const struct search_program *program)
{
	const struct search_test *t = &program->tests[0];

	if (!t->negate && t->kind == IMAP_KEY_AND)
		t = t->first;
	while (t && !is_set(t))
		t = t->next;
	return t ? t->numbers : NULL;
}

void
search_program_release(struct search_program *program)
{
	for (size_t i = 0; i < program->n; i++)
		imap_ranges_release(&program->tests[i].own);
	*program = (struct search_program){0};
}

static bool
build_program(struct compiler *c, const struct imap_key *key)
{
	c->size = count_keys(key);
	c->w->program.tests =
	    arena_new(&c->s->arena, c->size, sizeof(*c->w->program.tests));
	if (!c->w->program.tests) {
		c->text = "There are too many keys";
		return false;
	}
	(void)build(c, key);
	c->w->program.numbers = program_numbers(&c->w->program);
	return !c->text;
}

/* --- the phase ------------------------------------------------------------ */

static enum search_work
bad(struct session *s, const char *text)
{
	(void)done_bad(s, text);
	return SEARCH_ENDED;
}

static enum search_work
bad_charset(struct session *s)
{
	buf_reset(&s->result.code);
	buf_put_str(&s->result.code,
		    "BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-15 WINDOWS-1252 "
		    "KOI8-R ISO-2022-JP SHIFT_JIS EUC-KR GB18030 BIG5)");
	(void)done_no(s, NULL, "That charset is not known");
	return SEARCH_ENDED;
}

enum search_work
search_compile(struct session *s, struct step *step)
{
	struct search *w = s->work;
	const struct imap_search *search = &s->command.search;
	struct compiler c = {.s = s, .w = w};

	if (search->charset.n > 0 && (s->enabled & IMAP_ENABLE_UTF8) &&
	    s->command.id == IMAP_SEARCH) /* [RFC6855 3] */
		return bad(s, "CHARSET is not for use after ENABLE UTF8=ACCEPT");
	if ((search->returns & IMAP_SEARCH_PARTIAL) &&
	    (search->returns & IMAP_SEARCH_ALL)) /* [RFC9394 3.1] */
		return bad(s, "PARTIAL and ALL are not for one command");
	if (!charset_known(s, search->charset))
		return bad_charset(s);
	w->now_us = step->now_us;
	buf_init(&w->scratch, SEARCH_CHARSET_BYTES);
	if (!build_program(&c, search->key))
		return bad(s, c.text);
	if (search->uses_modseq)
		session_condstore(s, step->out);
	if (s->view.n > 0)
		imap_ranges_add(&w->all, 1, (uint32_t)s->view.n);
	return SEARCH_NEXT;
}
