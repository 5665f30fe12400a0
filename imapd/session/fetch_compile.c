/* the items of a FETCH made into ops */
#include "imapd/session/fetch.h"

#define LINE_BYTES 64 /* "* 4294967295 FETCH ()" and its CRLF */

/* What needs more than the record. */
static const struct {
	const char *name;
	fetch_put_item *put;
} kinds[IMAP_FETCH_RFC822_TEXT + 1] = {
    [IMAP_FETCH_ENVELOPE] = {"ENVELOPE ",      put_text       },
    [IMAP_FETCH_BODY] = {"BODY ",          put_text       },
    [IMAP_FETCH_BODYSTRUCTURE] = {"BODYSTRUCTURE ", put_text       },
    [IMAP_FETCH_PREVIEW] = {"PREVIEW ",       put_preview    },
    [IMAP_FETCH_SECTION] = {"BODY",           put_section    },
    [IMAP_FETCH_BINARY] = {"BINARY",         put_binary     },
    [IMAP_FETCH_BINARY_SIZE] = {"BINARY.SIZE",    put_binary_size},
    [IMAP_FETCH_RFC822] = {"RFC822 ",        put_section    },
    [IMAP_FETCH_RFC822_HEADER] = {"RFC822.HEADER ", put_section    },
    [IMAP_FETCH_RFC822_TEXT] = {"RFC822.TEXT ",   put_section    },
};

/* RFC822 and its kin are sections by other names [RFC3501 6.4.5]. */
static struct imap_fetch_item
item_plain(const struct imap_fetch_item *item)
{
	struct imap_fetch_item plain = *item;

	if (item->kind == IMAP_FETCH_RFC822_HEADER)
		plain.section.text = IMAP_SECTION_HEADER;
	else if (item->kind == IMAP_FETCH_RFC822_TEXT)
		plain.section.text = IMAP_SECTION_TEXT;
	return plain;
}

static bool
has_section(enum imap_fetch_kind kind)
{
	return kind == IMAP_FETCH_SECTION || kind == IMAP_FETCH_BINARY ||
	       kind == IMAP_FETCH_BINARY_SIZE;
}

/* "BODY[1.TEXT]<0> " */
static bool
label_make(const struct imap_fetch_item *item, struct arena *arena, struct span *out)
{
	struct span echo = item->section.echo;
	size_t room = echo.n + 64;
	char *text = arena_new(arena, room, 1), *at = text;
	const char *name = kinds[item->kind].name;

	if (!text)
		return false;
	memcpy(at, name, strlen(name));
	at += strlen(name);
	*at++ = '[';
	if (echo.n > 0)
		memcpy(at, echo.at, echo.n);
	at += echo.n;
	*at++ = ']';
	if (item->partial && item->kind != IMAP_FETCH_BINARY_SIZE) {
		*at++ = '<';
		at = digits_put(at, item->offset);
		*at++ = '>';
	}
	*at++ = ' ';
	*out = span_make(text, (size_t)(at - text));
	return true;
}

static bool
is_fields(const struct imap_fetch_item *item)
{
	return item->kind == IMAP_FETCH_SECTION &&
	       (item->section.text == IMAP_SECTION_HEADER_FIELDS ||
		item->section.text == IMAP_SECTION_HEADER_FIELDS_NOT);
}

static bool
op_compile(struct fetch *f, const struct imap_fetch_item *item, struct fetch_op *op)
{
	const struct fetch_record_kind *of_record = &fetch_record_kinds[item->kind];
	struct arena *arena = &f->session->arena;

	op->item = item;
	f->kinds |= 1u << item->kind;
	if (item->kind == IMAP_FETCH_FLAGS) {
		op->label = SPAN("FLAGS ");
		return true;
	}
	if (of_record->put) {
		op->record = of_record->put;
		op->label = span_str(of_record->name);
		f->bound += of_record->bytes_max;
		return true;
	}
	f->lines = false;
	op->put = is_fields(item) ? put_fields : kinds[item->kind].put;
	op->label = span_str(kinds[item->kind].name);
	if (has_section(item->kind) && !label_make(item, arena, &op->label))
		return false;
	return !is_fields(item) || names_compile(&item->section, arena, &op->names);
}

/* Which items there are: those the client named, and those that come with them. */
static bool
ops_compile(struct fetch *f, const struct imap_fetch_item *const *items, size_t n)
{
	struct arena *arena = &f->session->arena;

	f->ops = arena_new(arena, n, sizeof(*f->ops));
	if (!f->ops)
		return false;
	f->lines = true;
	f->bound = LINE_BYTES;
	for (size_t i = 0; i < n; i++) {
		struct imap_fetch_item *item = arena_new(arena, 1, sizeof(*item));

		if (!item)
			return false;
		*item = item_plain(items[i]);
		if (!op_compile(f, item, &f->ops[i]))
			return false;
		f->bound += f->ops[i].label.n + 1;
	}
	f->n_ops = n;
	return true;
}

static bool
has_kind(const struct imap_fetch *what, enum imap_fetch_kind kind)
{
	for (size_t i = 0; i < what->n_items; i++)
		if (what->items[i].kind == kind)
			return true;
	return false;
}

static const struct imap_fetch_item item_uid = {.kind = IMAP_FETCH_UID};
static const struct imap_fetch_item item_flags = {.kind = IMAP_FETCH_FLAGS};
static const struct imap_fetch_item item_modseq = {.kind = IMAP_FETCH_MODSEQ};

/* Does it set \Seen? [RFC3501 6.4.5] */
static bool
item_marks(const struct imap_fetch_item *item)
{
	switch (item->kind) {
	case IMAP_FETCH_SECTION:
	case IMAP_FETCH_BINARY:
		return !item->peek;
	case IMAP_FETCH_RFC822:
	case IMAP_FETCH_RFC822_TEXT:
		return true;
	default:
		return false;
	}
}

bool
fetch_compile(struct fetch *f, const struct imap_fetch *what, bool uid)
{
	const struct imap_fetch_item **items = arena_new(
	    &f->session->arena, what->n_items + 3, sizeof(struct imap_fetch_item *));
	size_t n = 0;

	if (!items)
		return false;
	if (uid && !has_kind(what, IMAP_FETCH_UID))
		items[n++] = &item_uid;
	for (size_t i = 0; i < what->n_items; i++) {
		f->marks = f->marks || item_marks(&what->items[i]);
		items[n++] = &what->items[i];
	}
	if (what->changed && !has_kind(what, IMAP_FETCH_MODSEQ))
		items[n++] = &item_modseq;
	f->marks = f->marks && !f->session->view.read_only;
	f->changed = what->changed;
	f->changed_since = what->changed_since;
	return ops_compile(f, items, n);
}

bool
fetch_compile_report(struct fetch *f, bool uid, bool flags, bool modseq)
{
	const struct imap_fetch_item *items[3];
	size_t n = 0;

	if (uid)
		items[n++] = &item_uid;
	if (flags)
		items[n++] = &item_flags;
	if (modseq)
		items[n++] = &item_modseq;
	return ops_compile(f, items, n);
}
