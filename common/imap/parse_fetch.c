/* FETCH [RFC9051 6.4.5] [RFC3516] [RFC7162 3.1.4] [RFC8474] [RFC8514] [RFC8970]
 * [RFC9394 3.3] */
#include "common/imap/cursor.h"

#define ITEMS_MAX  1000
#define FIELDS_MAX 1000

/* What follows the name of an item. */
enum tail {
	TAIL_NONE,
	TAIL_SECTION, /* BODY[...]<...>; of BODY alone, there may be none */
	TAIL_PATH,    /* BINARY[1.2]<...> */
	TAIL_SIZE,    /* BINARY.SIZE[1.2] */
	TAIL_PREVIEW, /* (LAZY) */
};

static const struct item_row {
	struct span name;
	enum imap_fetch_kind kind;
	enum tail tail;
	bool peek;
} rows[] = {
    {SPAN("UID"),           IMAP_FETCH_UID,           TAIL_NONE,    true },
    {SPAN("FLAGS"),         IMAP_FETCH_FLAGS,         TAIL_NONE,    true },
    {SPAN("RFC822.SIZE"),   IMAP_FETCH_RFC822_SIZE,   TAIL_NONE,    true },
    {SPAN("BODY.PEEK"),     IMAP_FETCH_SECTION,       TAIL_SECTION, true },
    {SPAN("INTERNALDATE"),  IMAP_FETCH_INTERNALDATE,  TAIL_NONE,    true },
    {SPAN("ENVELOPE"),      IMAP_FETCH_ENVELOPE,      TAIL_NONE,    true },
    {SPAN("BODYSTRUCTURE"), IMAP_FETCH_BODYSTRUCTURE, TAIL_NONE,    true },
    {SPAN("BODY"),          IMAP_FETCH_BODY,          TAIL_SECTION, true },
    {SPAN("MODSEQ"),        IMAP_FETCH_MODSEQ,        TAIL_NONE,    true },
    {SPAN("PREVIEW"),       IMAP_FETCH_PREVIEW,       TAIL_PREVIEW, true },
    {SPAN("EMAILID"),       IMAP_FETCH_EMAILID,       TAIL_NONE,    true },
    {SPAN("THREADID"),      IMAP_FETCH_THREADID,      TAIL_NONE,    true },
    {SPAN("SAVEDATE"),      IMAP_FETCH_SAVEDATE,      TAIL_NONE,    true },
    {SPAN("BINARY"),        IMAP_FETCH_BINARY,        TAIL_PATH,    false},
    {SPAN("BINARY.PEEK"),   IMAP_FETCH_BINARY,        TAIL_PATH,    true },
    {SPAN("BINARY.SIZE"),   IMAP_FETCH_BINARY_SIZE,   TAIL_SIZE,    true },
    {SPAN("RFC822"),        IMAP_FETCH_RFC822,        TAIL_NONE,    false},
    {SPAN("RFC822.HEADER"), IMAP_FETCH_RFC822_HEADER, TAIL_NONE,    true },
    {SPAN("RFC822.TEXT"),   IMAP_FETCH_RFC822_TEXT,   TAIL_NONE,    false},
};

static const struct macro {
	struct span name;
	enum imap_fetch_kind kinds[6];
	size_t n;
} macros[] = {
    {SPAN("FAST"),
     {IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_RFC822_SIZE},
     3},
    {SPAN("ALL"),
     {IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_RFC822_SIZE,
      IMAP_FETCH_ENVELOPE},
     4},
    {SPAN("FULL"),
     {IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_RFC822_SIZE,
      IMAP_FETCH_ENVELOPE, IMAP_FETCH_BODY},
     5},
};

struct items {
	struct imap_fetch_item *at;
	size_t n;
	uint32_t seen; /* bits of kinds that are asked for once */
};

static struct imap_fetch_item *
item_add(struct imap_cursor *c, struct items *items, enum imap_fetch_kind kind)
{
	struct imap_fetch_item *item;

	if (items->n == ITEMS_MAX) {
		imap_fail_limit(c, "FETCH: too many items");
		return NULL;
	}
	if (!imap_grow(c, &items->at, items->n, sizeof(*items->at)))
		return NULL;
	item = &items->at[items->n++];
	*item = (struct imap_fetch_item){.kind = kind, .peek = true};
	return item;
}

/* --- sections ------------------------------------------------------------- */

static const struct imap_word texts[] = {
    {SPAN("HEADER"),            IMAP_SECTION_HEADER           },
    {SPAN("HEADER.FIELDS"),     IMAP_SECTION_HEADER_FIELDS    },
    {SPAN("HEADER.FIELDS.NOT"), IMAP_SECTION_HEADER_FIELDS_NOT},
    {SPAN("TEXT"),              IMAP_SECTION_TEXT             },
    {SPAN("MIME"),              IMAP_SECTION_MIME             },
};

/* "1.2.3", up to the dot before a text. */
static void
section_path(struct imap_cursor *c, struct imap_section *section)
{
	uint32_t *path = NULL;

	while (c->at < c->end && ascii_digit(*c->at)) {
		if (section->depth == IMAP_SECTION_DEPTH_MAX) {
			imap_fail_limit(c, "FETCH: a section is too deep");
			return;
		}
		if (!imap_grow(c, &path, section->depth, sizeof(*path)))
			return;
		path[section->depth++] = (uint32_t)imap_number(
		    c, 1, UINT32_MAX, "FETCH: a part's number is out of range");
		if (c->end - c->at < 2 || c->at[0] != '.' || !ascii_digit(c->at[1]))
			break;
		c->at++;
	}
	section->path = path;
}

/* "(FROM "x y")" */
static void
section_fields(struct imap_cursor *c, struct imap_section *section)
{
	struct span *fields = NULL;
	bool first = true;

	imap_space(c, "FETCH: a list of header fields was expected");
	if (!imap_list_open(c, "FETCH: a list of header fields was expected"))
		return;
	while (imap_list_next(c, &first)) {
		struct span field = imap_astring(c, "FETCH: a header field was "
						    "expected");

		for (size_t i = 0; i < field.n; i++)
			if (!imap_is(field.at[i], IMAP_C_FIELD))
				imap_fail(c, "FETCH: no header field has such a name");
		if (imap_ok(c) && field.n == 0)
			imap_fail(c, "FETCH: a header field was expected");
		if (section->n_fields == FIELDS_MAX)
			imap_fail_limit(c, "FETCH: too many header fields");
		if (!imap_grow(c, &fields, section->n_fields, sizeof(*fields)))
			return;
		fields[section->n_fields++] = field;
	}
	if (section->n_fields == 0)
		imap_fail(c, "FETCH: a header field was expected");
	section->fields = fields;
}

/* Appends an astring of visible ASCII at `at`. */
static char *
write_field(char *at, struct span field)
{
	bool atom = !span_equal_nocase(field, SPAN("NIL"));

	for (size_t i = 0; i < field.n; i++)
		atom &= imap_is(field.at[i], IMAP_C_ASTRING);
	if (!atom)
		*at++ = '"';
	for (size_t i = 0; i < field.n; i++) {
		if (field.at[i] == '"' || field.at[i] == '\\')
			*at++ = '\\';
		*at++ = field.at[i];
	}
	if (!atom)
		*at++ = '"';
	return at;
}

/* As the client wrote it, but single spaces and no literals. `head` ends before the
 * fields, `bytes` is all of it. */
static void
section_echo(struct imap_cursor *c, struct imap_section *section, struct span head,
	     size_t bytes)
{
	/* A field takes at most as much again for its backslashes, and two quotes. */
	char *start, *at;

	section->echo = head;
	if (section->n_fields == 0)
		return;
	start = at = imap_new(c, 2 * bytes + 2 * section->n_fields, 1);
	if (!start)
		return;
	memcpy(at, head.at, head.n);
	at += head.n;
	for (size_t i = 0; i < section->n_fields; i++) {
		*at++ = i > 0 ? ' ' : '(';
		at = write_field(at, section->fields[i]);
	}
	*at++ = ')';
	section->echo = span_make(start, (size_t)(at - start));
}

static void
section_text(struct imap_cursor *c, struct imap_section *section)
{
	const char *start = c->at;
	unsigned text = IMAP_SECTION_ALL;
	bool fields;

	section_path(c, section);
	if (section->depth > 0 ? imap_take(c, '.') : !imap_next_is(c, ']'))
		text = imap_word(c, texts, N_ELEMS(texts), "FETCH: unknown section");
	if (text == IMAP_SECTION_MIME && section->depth == 0)
		imap_fail(c, "FETCH: MIME needs a part");
	section->text = text;
	fields = text == IMAP_SECTION_HEADER_FIELDS ||
		 text == IMAP_SECTION_HEADER_FIELDS_NOT;
	if (fields && imap_ok(c)) {
		struct span head = span_make(start, (size_t)(c->at - start) + 1);

		section_fields(c, section);
		if (imap_ok(c))
			section_echo(c, section, head, (size_t)(c->at - start));
	} else if (imap_ok(c)) {
		section->echo = span_make(start, (size_t)(c->at - start));
	}
}

/* "[...]" of BODY. */
static void
section(struct imap_cursor *c, struct imap_section *out)
{
	imap_expect(c, '[', "FETCH: '[' was expected");
	section_text(c, out);
	imap_expect(c, ']', "FETCH: ']' was expected");
}

/* "[1.2]" of BINARY. */
static void
section_binary(struct imap_cursor *c, struct imap_section *out)
{
	const char *start;

	imap_expect(c, '[', "FETCH: '[' was expected");
	start = c->at;
	section_path(c, out);
	out->echo = span_make(start, (size_t)(c->at - start));
	imap_expect(c, ']', "FETCH: a part's number and ']' were expected");
}

/* "<0.1000>" */
static void
partial(struct imap_cursor *c, struct imap_fetch_item *item)
{
	if (!imap_take(c, '<'))
		return;
	item->partial = true;
	item->offset =
	    imap_number(c, 0, IMAP_NUMBER64_MAX, "FETCH: an offset was expected");
	imap_expect(c, '.', "FETCH: '.' was expected");
	item->count =
	    imap_number(c, 1, IMAP_NUMBER64_MAX, "FETCH: a count was expected");
	imap_expect(c, '>', "FETCH: '>' was expected");
}

/* --- items ---------------------------------------------------------------- */

/* "PREVIEW (LAZY)": [RFC8970 3.1]. A '(' behind a space may also be the modifiers of a
 * FETCH without parentheses, which no word LAZY begins. */
static void
preview(struct imap_cursor *c, struct imap_fetch_item *item)
{
	struct imap_cursor ahead = *c;

	if (!imap_more(&ahead) || !imap_take(&ahead, '('))
		return;
	while (imap_take(&ahead, ' '))
		;
	if (!imap_take_word(&ahead, SPAN("LAZY")))
		return;
	*c = ahead;
	item->lazy = true;
	imap_take(c, ' ');
	imap_expect(c, ')', "FETCH: LAZY is the only modifier of PREVIEW");
}

static void
item_tail(struct imap_cursor *c, const struct item_row *row,
	  struct imap_fetch_item *item)
{
	switch (row->tail) {
	case TAIL_NONE:
		break;
	case TAIL_SECTION:
		if (row->kind == IMAP_FETCH_BODY && !imap_next_is(c, '['))
			break;
		item->peek = row->kind == IMAP_FETCH_SECTION;
		item->kind = IMAP_FETCH_SECTION;
		section(c, &item->section);
		partial(c, item);
		break;
	case TAIL_PATH:
		section_binary(c, &item->section);
		partial(c, item);
		break;
	case TAIL_SIZE:
		section_binary(c, &item->section);
		break;
	case TAIL_PREVIEW:
		preview(c, item);
		break;
	}
}

static const struct item_row *
row_find(struct span name)
{
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (imap_same_word(name, rows[i].name))
			return &rows[i];
	return NULL;
}

/* The name of an item: an atom but for '[', which begins its section. */
static struct span
item_name(struct imap_cursor *c)
{
	const char *start = c->at;

	while (c->at < c->end && (ascii_alnum(*c->at) || *c->at == '.'))
		c->at++;
	return span_make(start, (size_t)(c->at - start));
}

/* Asked for twice, and nothing tells the two apart: once will do. */
static bool
is_repeated(struct items *items, const struct item_row *row)
{
	uint32_t bit = (uint32_t)1 << row->kind;
	bool again = row->tail == TAIL_NONE && (items->seen & bit);

	items->seen |= bit;
	return again;
}

static void
item_named(struct imap_cursor *c, struct items *items, struct span name)
{
	const struct item_row *row = row_find(name);
	struct imap_fetch_item *item;

	if (!row) {
		imap_fail(c, "FETCH: unknown item");
		return;
	}
	if (is_repeated(items, row))
		return;
	item = item_add(c, items, row->kind);
	if (!item)
		return;
	item->peek = row->peek;
	item_tail(c, row, item);
}

static bool
macro(struct imap_cursor *c, struct items *items, struct span name)
{
	for (size_t i = 0; i < N_ELEMS(macros); i++) {
		if (!imap_same_word(name, macros[i].name))
			continue;
		for (size_t k = 0; k < macros[i].n; k++)
			(void)item_add(c, items, macros[i].kinds[k]);
		return true;
	}
	return false;
}

static void
items_parse(struct imap_cursor *c, struct items *items)
{
	bool first = true;
	struct span name;

	if (!imap_next_is(c, '(')) {
		name = item_name(c);
		if (!macro(c, items, name))
			item_named(c, items, name);
		return;
	}
	if (!imap_list_open(c, "FETCH: items were expected"))
		return;
	while (imap_list_next(c, &first))
		item_named(c, items, item_name(c));
	if (items->n == 0)
		imap_fail(c, "FETCH: items were expected");
}

/* --- modifiers ------------------------------------------------------------ */

static void
modifier(struct imap_cursor *c, struct imap_fetch *fetch)
{
	struct span word = imap_run(c, IMAP_C_ATOM);

	if (imap_same_word(word, SPAN("CHANGEDSINCE"))) {
		imap_space(c, "FETCH: a mod-sequence was expected");
		/* 0 is not allowed, but means something clear: every change. */
		fetch->changed = true;
		fetch->changed_since = imap_number(
		    c, 0, IMAP_NUMBER64_MAX, "FETCH: a mod-sequence was expected");
	} else if (imap_same_word(word, SPAN("VANISHED"))) {
		fetch->vanished = true;
	} else if (imap_same_word(word, SPAN("PARTIAL"))) {
		imap_space(c, "FETCH: a range was expected");
		fetch->partial = true;
		imap_partial_range(c, &fetch->partial_first, &fetch->partial_last);
	} else {
		imap_fail(c, "FETCH: unknown modifier");
	}
}

static void
modifiers(struct imap_cursor *c, struct imap_fetch *fetch, bool uid)
{
	bool first = true;

	if (!imap_list_open(c, "FETCH: '(' was expected"))
		return;
	while (imap_list_next(c, &first))
		modifier(c, fetch);
	if (fetch->vanished && !(uid && fetch->changed))
		imap_fail(c, "FETCH: VANISHED stands in UID FETCH with CHANGEDSINCE");
	if (fetch->partial && !uid)
		imap_fail(c, "FETCH: PARTIAL stands in UID FETCH");
}

void
imap_parse_fetch(struct imap_cursor *c, struct imap_command *out)
{
	struct imap_fetch *fetch = &out->fetch;
	struct items items = {0};

	imap_space(c, "a set was expected");
	imap_set(c, &fetch->set);
	imap_space(c, "FETCH: items were expected");
	items_parse(c, &items);
	fetch->items = items.at;
	fetch->n_items = items.n;
	if (imap_more(c))
		modifiers(c, fetch, out->uid);
}
