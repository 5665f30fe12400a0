/* The text that people read: the keys' values, then the templates. */
#include "common/dsn/internal.h"

#include "common/advice/advice.h"
#include "common/mime/mime.h"
#include "common/spool/spool.h"

#define ROWS_BYTES_MAX  (512u << 10)
#define SUBJECT_MAX     200u
#define ROW_WORDS_BYTES (16u << 10)

/* What was appended to `words` since `start`. */
static struct span
words_from(const struct buf *words, size_t start)
{
	return span_after(buf_span(words), start);
}

static struct span
clean(struct buf *words, struct span text)
{
	size_t start = words->n;

	dsn_clean_put(words, text, true);
	return words_from(words, start);
}

static struct span
date(struct buf *words, uint64_t us)
{
	size_t start = words->n;

	if (us > 0)
		dsn_date_put(words, us);
	return words_from(words, start);
}

static struct span
recipients(const struct dsn_request *r, struct buf *words)
{
	struct cursor c = cursor_make(r->rows);
	size_t start = words->n;
	struct dsn_row row;

	if (!dsn_row_next(&c, &row))
		return SPAN("");
	dsn_clean_put(words, row.original.n ? row.original : row.final, true);
	if (r->n_rows > 1)
		buf_putf(words, " and %u other%s", r->n_rows - 1,
			 r->n_rows > 2 ? "s" : "");
	return words_from(words, start);
}

static struct span
original_subject(const struct material *m, struct buf *words)
{
	struct buf decoded = buf_make(4096);
	size_t start = words->n;
	struct span value;

	if (mime_header_find(m->block, SPAN("subject"), &value)) {
		mime_words_put(NULL, span_first(value, 1000), &decoded);
		dsn_clean_put(words, span_first(buf_span(&decoded), SUBJECT_MAX), true);
	}
	buf_release(&decoded);
	return words_from(words, start);
}

static struct span
id_text(struct buf *words, uint64_t id)
{
	char text[QUEUE_ID_TEXT_SIZE];
	size_t start = words->n;

	queue_id_format(id, text);
	buf_put_str(words, text);
	return words_from(words, start);
}

/* "9.5 MB", in units of 1,024. */
static struct span
size(struct buf *words, uint64_t bytes)
{
	static const char units[] = "KMGT";
	uint64_t unit = 1024;
	size_t start = words->n, i = 0;

	while (i + 2 < sizeof(units) && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	buf_putf(words, "%llu.%u %cB", (unsigned long long)(bytes / unit),
		 (unsigned)(bytes % unit * 10 / unit), units[i]);
	return words_from(words, start);
}

static void
quota_values(const struct dsn_quota *quota, struct buf *words, struct span *v)
{
	size_t start;

	v[DSN_KEY_NAME] = clean(words, quota->name);
	v[DSN_KEY_USED] = v[DSN_KEY_LIMIT] = v[DSN_KEY_PERCENT] = SPAN("");
	if (quota->limit_bytes == 0)
		return;
	v[DSN_KEY_USED] = size(words, quota->used_bytes);
	v[DSN_KEY_LIMIT] = size(words, quota->limit_bytes);
	start = words->n;
	buf_putf(words, "%u%%", quota->percent);
	v[DSN_KEY_PERCENT] = words_from(words, start);
}

/* `words` does not move: it has all its room from the start. */
void
values_make(struct material *m)
{
	const struct dsn_letter *l = m->letter;
	const struct dsn_request *r = l->request;
	struct span *v = m->values;
	struct buf *w = &m->words;

	v[DSN_KEY_HOSTNAME] = l->hostname;
	v[DSN_KEY_POSTMASTER] = clean(w, l->postmaster);
	v[DSN_KEY_SENDER] = r->sender.n ? clean(w, r->sender) : SPAN("<>");
	v[DSN_KEY_RECIPIENTS] = recipients(r, w);
	v[DSN_KEY_SUBJECT] = original_subject(m, w);
	v[DSN_KEY_DATE] = date(w, r->arrived_us);
	v[DSN_KEY_ID] = id_text(w, l->original_id);
	v[DSN_KEY_UNTIL] = date(w, r->until_us);
	v[DSN_KEY_TITLE] = clean(w, r->subject);
	quota_values(&r->quota, w, v);
}

static enum dsn_template
row_template(const struct dsn_row *row)
{
	static const enum dsn_template by_action[] = {
	    [DSN_FAILED] = DSN_TEXT_FAILED,       [DSN_DELAYED] = DSN_TEXT_DELAYED,
	    [DSN_DELIVERED] = DSN_TEXT_DELIVERED, [DSN_RELAYED] = DSN_TEXT_RELAYED,
	    [DSN_EXPANDED] = DSN_TEXT_EXPANDED,
	};

	if (row->flags & DSN_OPERATOR)
		return DSN_TEXT_GIVEN_UP;
	if (row->flags & DSN_EXPIRED)
		return DSN_TEXT_EXPIRED;
	return by_action[row->action];
}

/* Without what is no comfort to whom it failed for good: that it is tried again. */
static struct span
final_advice(struct span text, struct buf *words)
{
	size_t start = words->n;

	while (text.n > 0) {
		size_t n = span_find_span(text, SPAN(". ")) + 1;
		struct span sentence = span_first(text, n);

		text = span_trim(span_after(text, n), " ");
		if (span_find_span(sentence, SPAN("tried again")) < sentence.n)
			continue;
		if (words->n > start)
			buf_put_char(words, ' ');
		buf_put(words, sentence);
	}
	return words_from(words, start);
}

/* Why, and what to do: from the table of what servers mean, or what the status says;
 * the row's own, that is: the reason it expired, not that it did. */
static void
reason_values(const struct dsn_row *row, struct buf *words, struct span *v)
{
	const struct advice *a =
	    advice_find(row->host, row->code, row->enhanced, row->text);
	struct dsn_row plain = *row;
	struct status s;

	v[DSN_KEY_ADVICE] = v[DSN_KEY_DETAIL] = SPAN("");
	if (row->code == 0)
		v[DSN_KEY_DETAIL] = clean(words, row->text);
	if (a) {
		v[DSN_KEY_REASON] = span_str(a->meaning);
		v[DSN_KEY_ADVICE] = row->action == DSN_FAILED
					? final_advice(span_str(a->what_to_do), words)
					: span_str(a->what_to_do);
		return;
	}
	plain.flags = 0;
	s = row_status(&plain);
	v[DSN_KEY_REASON] = status_words(&s);
}

static struct span
reply(const struct dsn_row *row, struct buf *words)
{
	const uint16_t *e = row->enhanced;
	size_t start = words->n;

	if (row->code == 0)
		return SPAN("");
	buf_putf(words, "%u ", row->code);
	if (e[0] != 0)
		buf_putf(words, "%u.%u.%u ", e[0], e[1], e[2]);
	dsn_clean_put(words, row->text, true);
	return words_from(words, start);
}

static void
row_values(const struct dsn_row *row, struct buf *words, struct span *v)
{
	struct span original = row->original.n ? row->original : row->final;

	v[DSN_KEY_RECIPIENT] = clean(words, original);
	v[DSN_KEY_FINAL] = span_equal_nocase(original, row->final)
			       ? SPAN("")
			       : clean(words, row->final);
	reason_values(row, words, v);
	v[DSN_KEY_SERVER] = row->code || row->action == DSN_RELAYED
				? clean(words, row->host)
				: SPAN("");
	v[DSN_KEY_REPLY] = reply(row, words);
	v[DSN_KEY_TRIED] = date(words, row->tried_us);
}

static void
rows_put(struct buf *out, const struct material *m)
{
	const struct dsn_request *r = m->letter->request;
	struct buf words = buf_make(ROW_WORDS_BYTES);
	struct cursor c = cursor_make(r->rows);
	struct span values[DSN_KEYS];
	struct dsn_row row;
	uint32_t n = 0;

	ASSERT(buf_extend(&words, ROW_WORDS_BYTES));
	memcpy(values, m->values, sizeof(values));
	for (; n < DSN_ROWS_SHOWN_MAX && dsn_row_next(&c, &row); n++) {
		buf_reset(&words);
		row_values(&row, &words, values);
		if (n > 0)
			buf_put(out, SPAN("\r\n"));
		dsn_expand(out, m->letter->templates->at[row_template(&row)].text,
			   values);
	}
	if (n < r->n_rows)
		buf_putf(out, "\r\n(%u further recipients are listed below.)\r\n",
			 r->n_rows - n);
	buf_release(&words);
}

/* The lines of a notice, broken where they are too long. */
static void
notice_put(struct buf *out, struct span text)
{
	struct buf line = buf_make(DSN_NOTICE_MAX);

	while (text.n > 0) {
		struct span raw = span_cut(&text, '\n');
		size_t indent = 0;

		buf_reset(&line);
		for (; indent < raw.n && raw.at[indent] == ' '; indent++)
			buf_put_char(&line, ' ');
		dsn_clean_put(&line, raw, true);
		dsn_line_put(out, buf_span(&line));
	}
	buf_release(&line);
}

enum dsn_template
letter_template(const struct dsn_letter *l)
{
	static const enum dsn_template by_kind[] = {
	    [DSN_FAILURE] = DSN_TEXT_FAILURE,
	    [DSN_DELAY] = DSN_TEXT_DELAY,
	    [DSN_SUCCESS] = DSN_TEXT_SUCCESS,
	    [DSN_NOTICE] = DSN_TEXT_NOTICE,
	    [DSN_QUOTA] = DSN_TEXT_QUOTA,
	    [DSN_DOMAIN_QUOTA] = DSN_TEXT_DOMAIN_QUOTA,
	};

	if (l->reader == DSN_COPY_TO_POSTMASTER)
		return DSN_TEXT_COPY;
	if (l->reader == DSN_TO_POSTMASTER && l->request->kind == DSN_FAILURE)
		return DSN_TEXT_DOUBLE;
	return by_kind[l->request->kind];
}

void
text_put(struct buf *out, struct material *m)
{
	const struct dsn_letter *l = m->letter;
	struct buf block = buf_make(ROWS_BYTES_MAX);

	if (l->request->kind == DSN_NOTICE)
		notice_put(&block, l->request->text);
	else if (l->request->n_rows > 0)
		rows_put(&block, m);
	m->values[DSN_KEY_ROWS] = m->values[DSN_KEY_TEXT] = buf_span(&block);
	dsn_expand(out, l->templates->at[letter_template(l)].text, m->values);
	m->values[DSN_KEY_ROWS] = m->values[DSN_KEY_TEXT] = SPAN("");
	buf_release(&block);
}
