#include "common/maildir/maildir_internal.h"

static uint64_t
name_hash(struct span name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.at[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static struct span
base_of(struct span file)
{
	struct mail_name name;

	mail_name_parse(file, 0, &name);
	return name.base;
}

/* Of two rows for one file the later counts. */
static void
places_fill(struct listed *l)
{
	l->n_places = 64;
	while (l->n_places < 2 * l->n)
		l->n_places *= 2;
	l->places = memory_new(l->n_places, sizeof(*l->places));
	for (size_t i = 0; i < l->n; i++) {
		struct span base = base_of(l->rows[i].file);
		size_t at = name_hash(base) & (l->n_places - 1);

		l->rows[i].file = base;
		while (l->places[at] > 0 &&
		       !span_equal(l->rows[l->places[at] - 1].file, base))
			at = (at + 1) & (l->n_places - 1);
		l->places[at] = (uint32_t)i + 1;
	}
}

static bool
listed_parse(struct listed *l)
{
	struct span rest = buf_span(&l->text);
	struct uidlist_row row;

	if (!uidlist_head_next(&rest, &l->head))
		return false;
	while (l->n < SOURCE_MESSAGES_MAX &&
	       uidlist_row_next(&rest, l->head.version, &row)) {
		if (l->n == l->size) {
			l->size = l->size ? 2 * l->size : 256;
			l->rows = memory_resize(l->rows, l->size, sizeof(*l->rows));
		}
		l->rows[l->n++] = row;
		if (row.uid >= l->head.uidnext)
			l->head.uidnext = row.uid + 1;
	}
	places_fill(l);
	return true;
}

void
listed_read(struct mail_source *s, const char *folder, const char *const *files,
	    size_t n, struct listed *out)
{
	*out = (struct listed){.text = buf_make(SOURCE_LIST_MAX)};
	for (size_t i = 0; i < n; i++) {
		buf_reset(&out->text);
		if (source_read_control(s, folder, files[i], &out->text) == 0 &&
		    listed_parse(out))
			return;
	}
	out->head = (struct uidlist_head){0};
}

const struct uidlist_row *
listed_find(const struct listed *l, struct span base)
{
	size_t at;

	if (l->n == 0)
		return NULL;
	for (at = name_hash(base) & (l->n_places - 1); l->places[at] > 0;
	     at = (at + 1) & (l->n_places - 1))
		if (span_equal(l->rows[l->places[at] - 1].file, base))
			return &l->rows[l->places[at] - 1];
	return NULL;
}

void
listed_release(struct listed *l)
{
	free(l->rows);
	free(l->places);
	buf_release(&l->text);
}

static bool
uidl_good(struct span uidl)
{
	for (size_t i = 0; i < uidl.n; i++)
		if (uidl.at[i] < '!' || uidl.at[i] > '~')
			return false;
	return uidl.n <= MAIL_UIDL_MAX;
}

void
listed_apply(struct source_box *b, const struct uidlist_row *row,
	     struct mail_message *m)
{
	m->uid = row->uid;
	m->has_guid = hex_parse(row->guid, m->guid, sizeof(m->guid));
	if (uidl_good(row->uidl))
		m->uidl = source_keep(b, row->uidl);
	if (row->saved_us > 0)
		m->saved_us = row->saved_us;
	if (row->internal_us > 0)
		m->internal_us = row->internal_us;
	m->keywords |= row->keywords;
}

/* Damage may give two messages one UID: the later is as one that came since. */
static void
twice_forget(struct source_box *b)
{
	uint32_t last = 0;

	source_sort(b);
	for (size_t i = 0; i < b->box.n && b->box.messages[i].uid > 0; i++) {
		if (b->box.messages[i].uid == last)
			b->box.messages[i].uid = 0;
		else
			last = b->box.messages[i].uid;
	}
	source_sort(b);
}

void
listed_finish(struct source_box *b, const struct listed *l)
{
	twice_forget(b);
	b->box.uidvalidity = l->head.uidvalidity;
	b->box.uidnext = l->head.version > 0 ? l->head.uidnext : 0;
	for (size_t i = 0; i < b->box.n && l->head.version > 0; i++)
		if (b->box.messages[i].uid == 0 && b->box.uidnext < UINT32_MAX - 1)
			b->box.messages[i].uid = b->box.uidnext++;
}

void
keywords_read(struct mail_source *s, const char *folder, const char *file,
	      unsigned most, struct source_box *b)
{
	struct buf text = buf_make(1u << 20);
	struct span rest, name;
	unsigned letter;

	if (source_read_control(s, folder, file, &text) == 0) {
		rest = buf_span(&text);
		while (mail_keyword_next(&rest, most, &letter, &name)) {
			b->box.keywords[letter] = source_keep(b, name);
			if (letter >= b->box.n_keywords)
				b->box.n_keywords = letter + 1;
		}
	}
	buf_release(&text);
}
