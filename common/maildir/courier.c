/* keywords as Courier keeps them: courierimapkeywords/:list, and a file a message whose
 * keywords changed since, ".N.NAME" or "NAME", of which the highest N is the newest */
#include "common/maildir/maildir_internal.h"

#define FOLDER   "courierimapkeywords"
#define LIST_MAX (64u << 20)
#define FILE_MAX (64u << 10)

/* The messages by name, to find them. */
struct courier {
	struct mail_source *s;
	struct source_box *b;
	struct courier_row {
		struct mail_message *message;
		uint64_t number; /* of the newest file; 0: none */
		struct span file;
	} * rows;
};

static int
order_rows(const void *a, const void *b)
{
	const struct courier_row *x = a, *y = b;

	return span_compare(x->message->name, y->message->name);
}

static struct courier_row *
row_find(const struct courier *c, struct span name)
{
	struct mail_message wanted = {.name = name};
	const struct courier_row key = {.message = &wanted};

	return c->b->box.n == 0
		   ? NULL
		   : bsearch(&key, c->rows, c->b->box.n, sizeof(*c->rows), order_rows);
}

/* The bit of a keyword of the box; 0 when there is no room for it. */
static uint64_t
bit_of(struct source_box *b, struct span name)
{
	size_t i = 0;

	while (i < b->box.n_keywords && !span_equal_nocase(b->box.keywords[i], name))
		i++;
	if (i == MAIL_KEYWORDS_MAX || name.n == 0)
		return 0;
	if (i == b->box.n_keywords)
		b->box.keywords[b->box.n_keywords++] = source_keep(b, name);
	return UINT64_C(1) << i;
}

/* All keywords of a text with one a line. */
static uint64_t
bits_of(struct source_box *b, struct span text)
{
	struct span name;
	uint64_t bits = 0;

	while (mail_courier_word(&text, &name))
		bits |= bit_of(b, name);
	return bits;
}

static void
list_take(struct courier *c, struct span text)
{
	uint64_t bits[MAIL_KEYWORDS_MAX] = {0};
	struct span name, numbers;
	unsigned number;

	for (size_t n = 0; mail_courier_word(&text, &name); n++)
		if (n < MAIL_KEYWORDS_MAX)
			bits[n] = bit_of(c->b, name);
	while (mail_courier_row(&text, &name, &numbers)) {
		const struct courier_row *row = row_find(c, name);

		while (mail_courier_number(&numbers, MAIL_KEYWORDS_MAX, &number))
			if (row)
				row->message->keywords |= bits[number];
	}
}

static bool
take_file(void *context, const struct source_entry *e)
{
	struct courier *c = context;
	struct courier_row *row;
	struct span name;
	uint64_t number;

	if (!S_ISREG(e->info.st_mode) ||
	    !mail_courier_file(span_str(e->name), &name, &number))
		return true;
	row = row_find(c, name);
	if (row && number > row->number) {
		row->number = number;
		row->file = source_keep(c->b, span_str(e->name));
	}
	return true;
}

/* What a file says counts, whatever the list does. */
static void
files_apply(struct courier *c)
{
	struct buf text = buf_make(FILE_MAX);
	char path[SOURCE_PATH_MAX], folder[SOURCE_PATH_MAX], name[SOURCE_PATH_MAX];

	for (size_t i = 0; i < c->b->box.n; i++) {
		struct courier_row *row = &c->rows[i];

		buf_reset(&text);
		if (row->number > 0 && span_copy(row->file, name, sizeof(name)) &&
		    source_path(c->b->box.path, FOLDER, folder) &&
		    source_path(folder, name, path) &&
		    source_read_file(c->s, path, &text) == 0)
			row->message->keywords = bits_of(c->b, buf_span(&text));
	}
	buf_release(&text);
}

void
courier_keywords_read(struct mail_source *s, struct source_box *b)
{
	struct courier c = {.s = s, .b = b};
	char folder[SOURCE_PATH_MAX], list[SOURCE_PATH_MAX];
	struct buf text = buf_make(LIST_MAX);
	struct err ignored;

	if (source_is_folder(s, b->box.path, FOLDER) &&
	    source_path(b->box.path, FOLDER, folder) &&
	    source_path(folder, ":list", list)) {
		c.rows = memory_new(b->box.n + 1, sizeof(*c.rows));
		for (size_t i = 0; i < b->box.n; i++)
			c.rows[i].message = &b->box.messages[i];
		if (b->box.n > 0)
			qsort(c.rows, b->box.n, sizeof(*c.rows), order_rows);
		if (source_read_file(s, list, &text) == 0)
			list_take(&c, buf_span(&text));
		if (source_list(s, folder, take_file, &c, &ignored) == 0)
			files_apply(&c);
		free(c.rows);
	}
	buf_release(&text);
}
