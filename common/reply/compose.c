/* The answer put together. */
#include "common/reply/compose.h"

#include "common/dsn/dsn.h"
#include "common/mime/mime.h"
#include "common/reply/flowed.h"
#include "common/spool/spool.h"

#define LINE_BYTES 8192u
#define KEY        "$subject"

/* --- subject --------------------------------------------------------------- */

/* The message's own, decoded, on one line. */
static void
original_put(struct buf *out, struct span header)
{
	struct buf decoded = buf_make(LINE_BYTES);
	struct span value;

	if (mime_header_find(header, SPAN("subject"), &value)) {
		mime_words_put(NULL, span_first(value, LINE_BYTES / 4), &decoded);
		dsn_clean_put(out, span_first(buf_span(&decoded), REPLY_SUBJECT_MAX),
			      true);
	}
	buf_release(&decoded);
}

/* [RFC3834 3.1.5]: nothing set up is "Auto: " and the message's. */
static void
subject_put(struct buf *out, const struct reply_letter *l)
{
	struct span text = l->subject.n > 0 ? l->subject : SPAN("Auto: " KEY);
	struct buf original = buf_make(LINE_BYTES), line = buf_make(LINE_BYTES),
		   clean = buf_make(LINE_BYTES);
	size_t n;

	original_put(&original, l->header);
	while ((n = span_find_span(text, SPAN(KEY))) < text.n) {
		buf_put(&line, span_first(text, n));
		buf_put(&line, buf_span(&original));
		text = span_after(text, n + sizeof(KEY) - 1);
	}
	buf_put(&line, text);
	dsn_clean_put(&clean, buf_span(&line), true);
	dsn_field_words_put(out, "Subject", buf_span(&clean));
	buf_release(&original);
	buf_release(&line);
	buf_release(&clean);
}

/* --- addresses ------------------------------------------------------------- */

/* The phrase of a mailbox [RFC5322 3.4]: encoded words, or a quoted string. */
static void
phrase_put(struct buf *out, struct span name)
{
	bool first = true;

	if (dsn_ascii(name)) {
		buf_put_char(out, '"');
		for (size_t i = 0; i < name.n; i++) {
			if (name.at[i] == '"' || name.at[i] == '\\')
				buf_put_char(out, '\\');
			buf_put_char(out, name.at[i]);
		}
		buf_put_char(out, '"');
		return;
	}
	while (name.n > 0) {
		buf_put_str(out, first ? "" : "\r\n ");
		dsn_encoded_word_put(out, &name);
		first = false;
	}
}

static void
mailbox_put(struct buf *out, const char *field, struct span name, struct span address)
{
	struct buf clean = buf_make(LINE_BYTES);

	buf_putf(out, "%s: ", field);
	dsn_clean_put(&clean, span_first(name, REPLY_SUBJECT_MAX), true);
	if (clean.n > 0) {
		phrase_put(out, buf_span(&clean));
		buf_put_str(out, "\r\n ");
	}
	buf_reset(&clean);
	dsn_clean_put(&clean, address, true);
	buf_put_char(out, '<');
	buf_put(out, buf_span(&clean));
	buf_put(out, SPAN(">\r\n"));
	buf_release(&clean);
}

/* --- what it answers to ---------------------------------------------------- */

/* Message-IDs that may be repeated, oldest first: the first one and the last. */
struct ids {
	struct buf at[REPLY_IDS_MAX];
	size_t n;
};

static bool
id_plain(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (id.at[i] <= ' ' || id.at[i] >= 0x7f || id.at[i] == '<' ||
		    id.at[i] == '>')
			return false;
	return id.n > 0;
}

static void
id_keep(struct ids *ids, const struct buf *id)
{
	struct buf *to = &ids->at[ids->n];

	if (ids->n == REPLY_IDS_MAX) {
		struct buf second = ids->at[1];

		memmove(&ids->at[1], &ids->at[2], (REPLY_IDS_MAX - 2) * sizeof(*to));
		to = &ids->at[REPLY_IDS_MAX - 1];
		*to = second;
	} else {
		*to = buf_make(REPLY_ID_MAX);
		ids->n++;
	}
	buf_reset(to);
	buf_put(to, buf_span(id));
}

static void
ids_take(struct ids *ids, struct span value)
{
	struct buf id = buf_make(REPLY_ID_MAX);

	for (size_t n = 0; n < MIME_REFERENCES_MAX && mime_msgid_next(&value, &id);
	     n++) {
		if (!id.full && id_plain(buf_span(&id)))
			id_keep(ids, &id);
		buf_reset(&id);
	}
	buf_release(&id);
}

/* The parent's References, or its In-Reply-To where that names one message. */
static void
parents_take(struct ids *ids, struct span header)
{
	struct span value;

	if (mime_header_find(header, SPAN("references"), &value))
		ids_take(ids, value);
	if (ids->n > 0 || !mime_header_find(header, SPAN("in-reply-to"), &value))
		return;
	ids_take(ids, value);
	while (ids->n > 1)
		buf_release(&ids->at[--ids->n]);
}

static void
references_put(struct buf *out, struct span header)
{
	struct ids own = {0}, all = {0};
	struct span value;

	if (mime_header_find(header, SPAN("message-id"), &value))
		ids_take(&own, value);
	if (own.n > 0) {
		parents_take(&all, header);
		id_keep(&all, &own.at[0]);
		buf_putf(out, "In-Reply-To: <%.*s>\r\n",
			 SPAN_ARG(buf_span(&own.at[0])));
		buf_put(out, SPAN("References:"));
		for (size_t i = 0; i < all.n; i++)
			buf_putf(out, "%s <%.*s>", i ? "\r\n" : "",
				 SPAN_ARG(buf_span(&all.at[i])));
		buf_put(out, SPAN("\r\n"));
	}
	for (size_t i = 0; i < own.n; i++)
		buf_release(&own.at[i]);
	for (size_t i = 0; i < all.n; i++)
		buf_release(&all.at[i]);
}

/* --- the whole ------------------------------------------------------------- */

static void
header_put(struct buf *out, const struct reply_letter *l)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(l->id, id);
	buf_putf(out, "Received: by %.*s (Postroad) id %s;\r\n\t",
		 SPAN_ARG(l->hostname), id);
	dsn_date_put(out, l->now_us);
	buf_put(out, SPAN("\r\nDate: "));
	dsn_date_put(out, l->now_us);
	buf_put(out, SPAN("\r\n"));
	mailbox_put(out, "From", l->name, l->address);
	mailbox_put(out, "To", SPAN(""), l->to);
	subject_put(out, l);
	buf_putf(out, "Message-ID: <%s@%.*s>\r\n", id, SPAN_ARG(l->hostname));
	references_put(out, l->header);
	buf_put(out, SPAN("Auto-Submitted: auto-replied\r\n"
			  "X-Auto-Response-Suppress: All\r\n"
			  "MIME-Version: 1.0\r\n"));
}

static void
body_put(struct buf *out, struct span text)
{
	struct buf body = buf_make(REPLY_BYTES_MAX);
	bool ascii;

	flowed_put(&body, text);
	ascii = dsn_ascii(buf_span(&body));
	buf_putf(out, "Content-Type: text/plain; charset=%s; format=flowed\r\n",
		 ascii ? "us-ascii" : "utf-8");
	buf_putf(out, "Content-Transfer-Encoding: %s\r\n\r\n", ascii ? "7bit" : "8bit");
	buf_put(out, buf_span(&body));
	out->full |= body.full;
	buf_release(&body);
}

bool
reply_compose(struct buf *out, const struct reply_letter *letter,
	      struct reply_made *made)
{
	size_t start = out->n;

	header_put(out, letter);
	body_put(out, letter->text);
	if (out->full)
		return false;
	*made = (struct reply_made){
	    .eightbit = !dsn_ascii(span_after(buf_span(out), start)),
	    .utf8 = !dsn_ascii(letter->to) || !dsn_ascii(letter->address)};
	return true;
}
