/* The file of texts: sections, checked line by line. */
#include "common/dsn/internal.h"

static const struct {
	const char *name;
	bool row;
} sections[DSN_TEXTS] = {
    [DSN_TEXT_FAILURE] = {"failure",      false},
    [DSN_TEXT_DELAY] = {"delay",        false},
    [DSN_TEXT_SUCCESS] = {"success",      false},
    [DSN_TEXT_DOUBLE] = {"double",       false},
    [DSN_TEXT_COPY] = {"copy",         false},
    [DSN_TEXT_NOTICE] = {"notice",       false},
    [DSN_TEXT_QUOTA] = {"quota",        false},
    [DSN_TEXT_DOMAIN_QUOTA] = {"domain_quota", false},
    [DSN_TEXT_FAILED] = {"failed",       true },
    [DSN_TEXT_EXPIRED] = {"expired",      true },
    [DSN_TEXT_GIVEN_UP] = {"given_up",     true },
    [DSN_TEXT_DELAYED] = {"delayed",      true },
    [DSN_TEXT_DELIVERED] = {"delivered",    true },
    [DSN_TEXT_RELAYED] = {"relayed",      true },
    [DSN_TEXT_EXPANDED] = {"expanded",     true },
};

/* The file as it is read. */
struct reading {
	const char *file;
	unsigned line;
	enum dsn_template section; /* DSN_TEXTS: none yet */
	struct dsn_templates found;
	bool here[DSN_TEXTS];
	bool block[DSN_TEXTS]; /* $rows, or $text of a notice, was seen */
	struct err *err;
};

static int
wrong(struct reading *r, const char *what, struct span which)
{
	return err_set(r->err, "%s:%u: %s%.*s", r->file, r->line, what,
		       SPAN_ARG(span_first(which, 60)));
}

static int
section_begin(struct reading *r, struct span line)
{
	struct span name = span_trim(line, " []");

	for (unsigned i = 0; i < DSN_TEXTS; i++) {
		if (!span_equal(name, span_str(sections[i].name)))
			continue;
		if (r->here[i])
			return wrong(r, "a second section ", name);
		r->here[i] = true;
		r->section = (enum dsn_template)i;
		return 0;
	}
	return wrong(r, "no such section: ", name);
}

static bool
is_quota(unsigned section)
{
	return section == DSN_TEXT_QUOTA || section == DSN_TEXT_DOMAIN_QUOTA;
}

static int
key_check(struct reading *r, struct span line, const struct key_place *key)
{
	bool block = key->key == DSN_KEY_ROWS || key->key == DSN_KEY_TEXT;
	bool row = key->key >= DSN_KEY_RECIPIENT;

	if (key->key == DSN_KEYS)
		return wrong(r, "no such key: $", key->name);
	if (row && !sections[r->section].row)
		return wrong(r, "a key of recipients only: $", key->name);
	if (!block)
		return 0;
	if (sections[r->section].row || span_trim(line, " ").n != key->name.n + 1)
		return wrong(r, "it must stand alone in a line: $", key->name);
	if ((key->key == DSN_KEY_TEXT) != (r->section == DSN_TEXT_NOTICE) ||
	    is_quota(r->section))
		return wrong(r, "not in this section: $", key->name);
	r->block[r->section] = true;
	return 0;
}

static int
line_check(struct reading *r, struct span line)
{
	struct span rest = line, before;
	struct key_place key;

	if (line.n > DSN_TEMPLATE_LINE_MAX)
		return wrong(r, "the line is too long", SPAN(""));
	if (!utf8_valid(line))
		return wrong(r, "this is not UTF-8", SPAN(""));
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.at[i] < 0x20 || line.at[i] == 0x7f)
			return wrong(r, "a control character, or a tab", SPAN(""));
	while (key_next(&rest, &before, &key))
		if (key_check(r, line, &key) != 0)
			return -1;
	return 0;
}

static int
text_line(struct reading *r, struct span line, struct span whole)
{
	struct span *subject = &r->found.at[r->section].subject;
	struct span *text = &r->found.at[r->section].text;

	if (line_check(r, line) != 0)
		return -1;
	if (!sections[r->section].row && !subject->at) {
		if (span_trim(line, " ").n == 0)
			return 0;
		if (!span_starts(line, SPAN("Subject: ")))
			return wrong(r, "a section begins with \"Subject: \"",
				     SPAN(""));
		*subject = span_trim(span_after(line, 9), " ");
		if (span_find_span(*subject, SPAN("$rows")) < subject->n ||
		    span_find_span(*subject, SPAN("$text")) < subject->n)
			return wrong(r, "no such key in a subject", SPAN(""));
		return 0;
	}
	if (span_trim(line, " ").n == 0)
		return 0; /* kept only before a line that is not empty */
	if (!text->at)
		text->at = whole.at;
	text->n = (size_t)(whole.at + whole.n - text->at);
	return 0;
}

static int
line_read(struct reading *r, struct span line, struct span whole)
{
	if (span_starts(line, SPAN("#")))
		return 0;
	if (span_starts(line, SPAN("[")))
		return section_begin(r, line);
	if (r->section != DSN_TEXTS)
		return text_line(r, line, whole);
	if (span_trim(line, " ").n > 0)
		return wrong(r, "this stands before the first section", SPAN(""));
	return 0;
}

/* A section without what it is for would make reports that say nothing. */
static int
whole_check(struct reading *r)
{
	for (unsigned i = 0; i < DSN_TEXTS; i++) {
		if (!r->here[i])
			continue;
		if (r->found.at[i].text.n == 0)
			return wrong(r, "a section without a text: ",
				     span_str(sections[i].name));
		if (!sections[i].row && !is_quota(i) && !r->block[i])
			return wrong(r,
				     i == DSN_TEXT_NOTICE ? "a section without $text: "
							  : "a section without $rows: ",
				     span_str(sections[i].name));
	}
	return 0;
}

static int
all_read(struct reading *r, struct span text)
{
	while (text.n > 0) {
		struct span whole = text, line = span_cut(&text, '\n');

		whole.n = (size_t)(text.at - whole.at);
		r->line++;
		if (line.n > 0 && line.at[line.n - 1] == '\r')
			line.n--;
		if (line_read(r, line, whole) != 0)
			return -1;
	}
	return whole_check(r);
}

int
dsn_templates_parse(struct dsn_templates *t, struct span text, const char *file,
		    struct err *err)
{
	struct reading r = {.file = file, .section = DSN_TEXTS, .err = err};
	char *bytes;

	if (text.n > DSN_TEMPLATES_BYTES_MAX)
		return err_set(err, "%s: larger than %u bytes", file,
			       DSN_TEMPLATES_BYTES_MAX);
	bytes = memory_new(text.n + 1, 1);
	if (text.n > 0)
		memcpy(bytes, text.at, text.n);
	if (all_read(&r, span_make(bytes, text.n)) != 0) {
		free(bytes);
		return -1;
	}
	dsn_templates_release(t);
	dsn_templates_init(t);
	t->bytes = bytes;
	for (unsigned i = 0; i < DSN_TEXTS; i++)
		if (r.here[i])
			t->at[i] = r.found.at[i];
	return 0;
}

void
dsn_templates_init(struct dsn_templates *t)
{
	struct err err;
	struct reading r = {.file = "", .section = DSN_TEXTS, .err = &err};

	ASSERT(all_read(&r, dsn_templates_builtin()) == 0);
	for (unsigned i = 0; i < DSN_TEXTS; i++)
		ASSERT(r.here[i]);
	*t = r.found;
}

void
dsn_templates_release(struct dsn_templates *t)
{
	free(t->bytes);
	*t = (struct dsn_templates){0};
}
