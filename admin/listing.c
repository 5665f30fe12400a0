#include "admin/listing.h"

#include <inttypes.h>
#include <jansson.h>
#include <time.h>

enum cell_kind {
	CELL_TEXT,
	CELL_NUMBER, /* aligned to the right */
	CELL_FLAG,
};

struct cell {
	enum cell_kind kind;
	char *text;    /* for people, escaped */
	json_t *value; /* for programs; null when for people */
};

struct listing {
	bool json;
	const char *const *columns;
	size_t n_columns;
	struct cell *cells; /* of the page, row after row */
	size_t n_cells;
	size_t n_printed; /* rows of earlier pages */
};

struct listing *
listing_new(const struct admin *admin, const char *const *columns)
{
	struct listing *l = memory_new(1, sizeof(*l));

	l->json = admin->json;
	l->columns = columns;
	while (columns[l->n_columns])
		l->n_columns++;
	ASSERT(l->n_columns <= LISTING_COLUMNS_MAX);
	l->cells = memory_new(l->n_columns * LISTING_PAGE_ROWS, sizeof(*l->cells));
	return l;
}

static size_t
rows_of(const struct listing *l)
{
	return l->n_cells / l->n_columns;
}

static void
forget_page(struct listing *l)
{
	l->n_printed += rows_of(l);
	for (size_t i = 0; i < l->n_cells; i++) {
		free(l->cells[i].text);
		json_decref(l->cells[i].value);
	}
	l->n_cells = 0;
}

static json_t *
row_object(const struct listing *l, size_t row)
{
	json_t *object = json_object();

	for (size_t i = 0; i < l->n_columns; i++)
		json_object_set(object, l->columns[i],
				l->cells[row * l->n_columns + i].value);
	return object;
}

static void
print_json_page(const struct listing *l)
{
	for (size_t row = 0; row < rows_of(l); row++) {
		json_t *object = row_object(l, row);

		fputs(l->n_printed + row > 0 ? ",\n " : "[", stdout);
		json_dumpf(object, stdout, 0);
		json_decref(object);
	}
}

/* Columns of a terminal that UTF-8 text takes, near enough: its code points. */
static int
width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((uint8_t)*text & 0xc0) != 0x80;
	return width;
}

static void
print_padded(const char *text, int width, bool right, bool last)
{
	int pad = width - width_of(text);

	if (right)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

static void
print_table_page(const struct listing *l)
{
	int widths[LISTING_COLUMNS_MAX];

	for (size_t i = 0; i < l->n_columns; i++) {
		widths[i] = width_of(l->columns[i]);
		for (size_t row = 0; row < rows_of(l); row++) {
			int width = width_of(l->cells[row * l->n_columns + i].text);

			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	for (size_t i = 0; l->n_printed == 0 && i < l->n_columns; i++)
		print_padded(l->columns[i], widths[i], l->cells[i].kind == CELL_NUMBER,
			     i + 1 == l->n_columns);
	for (size_t i = 0; i < l->n_cells; i++)
		print_padded(l->cells[i].text, widths[i % l->n_columns],
			     l->cells[i].kind == CELL_NUMBER,
			     (i + 1) % l->n_columns == 0);
}

static void
print_page(struct listing *l)
{
	if (rows_of(l) == 0)
		return;
	if (l->json)
		print_json_page(l);
	else
		print_table_page(l);
	forget_page(l);
}

static char *
escape(struct span text)
{
	struct buf out = buf_make(text.n * 4 + 1);

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = (uint8_t)text.at[i];

		if (c < ' ' || c == 0x7f)
			buf_putf(&out, "\\x%02x", (unsigned)c);
		else
			buf_put_char(&out, (char)c);
	}
	buf_put_char(&out, '\0');
	return out.at;
}

static struct cell *
next_cell(struct listing *l, enum cell_kind kind)
{
	if (l->n_cells == l->n_columns * LISTING_PAGE_ROWS)
		print_page(l);
	l->cells[l->n_cells] = (struct cell){.kind = kind};
	return &l->cells[l->n_cells++];
}

/* A text that is no UTF-8 is shown to programs in its escaped form. */
static json_t *
text_value(struct span text)
{
	json_t *value = json_stringn(text.at, text.n);
	char *escaped;

	if (value)
		return value;
	struct buf ascii = buf_make(text.n * 4 + 1);

	for (size_t i = 0; i < text.n; i++) {
		if ((uint8_t)text.at[i] < 0x80)
			buf_put_char(&ascii, text.at[i]);
		else
			buf_putf(&ascii, "\\x%02x", (unsigned)(uint8_t)text.at[i]);
	}
	escaped = span_dup(buf_span(&ascii));
	buf_release(&ascii);
	value = json_string(escaped);
	free(escaped);
	return value;
}

void
listing_text(struct listing *l, struct span text)
{
	struct cell *cell = next_cell(l, CELL_TEXT);

	cell->text = escape(text);
	cell->value = l->json ? text_value(text) : NULL;
}

void
listing_number(struct listing *l, uint64_t number)
{
	struct cell *cell = next_cell(l, CELL_NUMBER);
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	cell->text = escape(span_str(text));
	cell->value = l->json ? json_integer((json_int_t)number) : NULL;
}

static void
put_bytes(struct listing *l, uint64_t bytes, const char *none)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	struct cell *cell = next_cell(l, CELL_NUMBER);
	double shown = (double)bytes;
	size_t unit = 0;
	char text[32];

	for (; shown >= 1024 && unit + 1 < N_ELEMS(units); unit++)
		shown /= 1024;
	snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", shown,
		 units[unit]);
	cell->text = escape(span_str(bytes == 0 ? none : text));
	cell->value = l->json ? json_integer((json_int_t)bytes) : NULL;
}

void
listing_bytes(struct listing *l, uint64_t bytes)
{
	put_bytes(l, bytes, "0 B");
}

void
listing_limit(struct listing *l, uint64_t bytes)
{
	put_bytes(l, bytes, "none");
}

void
listing_time(struct listing *l, uint64_t unix_us)
{
	time_t seconds = (time_t)(unix_us / 1000000);
	char text[32] = "";
	struct tm utc;

	if (unix_us > 0 && gmtime_r(&seconds, &utc))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	listing_text(l, span_str(text));
}

void
listing_flag(struct listing *l, bool flag)
{
	struct cell *cell = next_cell(l, CELL_FLAG);

	cell->text = escape(flag ? SPAN("yes") : SPAN("no"));
	cell->value = l->json ? json_boolean(flag) : NULL;
}

void
listing_items(struct listing *l, struct span items)
{
	struct buf joined = buf_make(2 * items.n + 1);
	struct cursor c = cursor_make(items);
	json_t *values = l->json ? json_array() : NULL;
	struct cell *cell;

	while (!c.failed && c.rest.n > 0) {
		struct span item = wire_get_bytes(&c);

		if (joined.n > 0)
			buf_put_str(&joined, ", ");
		buf_put(&joined, item);
		if (values)
			json_array_append_new(values, text_value(item));
	}
	cell = next_cell(l, CELL_TEXT);
	cell->text = escape(buf_span(&joined));
	cell->value = values;
	buf_release(&joined);
}

void
listing_free(struct listing **l)
{
	forget_page(*l);
	free((*l)->cells);
	free(*l);
	*l = NULL;
}

void
listing_end(struct listing **l)
{
	print_page(*l);
	if ((*l)->json)
		puts((*l)->n_printed > 0 ? "]" : "[]");
	listing_free(l);
}

void
listing_done(struct listing **l, enum exit_status status)
{
	if (status == EXIT_DONE)
		listing_end(l);
	else
		listing_free(l);
}

void
listing_end_single(struct listing **l)
{
	int width = 0;

	ASSERT(rows_of(*l) == 1);
	for (size_t i = 0; i < (*l)->n_columns; i++)
		width = width_of((*l)->columns[i]) > width ? width_of((*l)->columns[i])
							   : width;
	if ((*l)->json) {
		json_t *object = row_object(*l, 0);

		json_dumpf(object, stdout, 0);
		putchar('\n');
		json_decref(object);
	}
	for (size_t i = 0; !(*l)->json && i < (*l)->n_columns; i++)
		printf("%-*s  %s\n", width, (*l)->columns[i], (*l)->cells[i].text);
	listing_free(l);
}
