#include "common/mime/imap_envelope.h"
#include "common/mime/imap_text.h"

static const struct {
	enum mime_header_id id;
	size_t offset;
} fields[] = {
    {MIME_HEADER_DATE,        offsetof(struct mime_envelope, date)       },
    {MIME_HEADER_SUBJECT,     offsetof(struct mime_envelope, subject)    },
    {MIME_HEADER_FROM,        offsetof(struct mime_envelope, from)       },
    {MIME_HEADER_SENDER,      offsetof(struct mime_envelope, sender)     },
    {MIME_HEADER_REPLY_TO,    offsetof(struct mime_envelope, reply_to)   },
    {MIME_HEADER_TO,          offsetof(struct mime_envelope, to)         },
    {MIME_HEADER_CC,          offsetof(struct mime_envelope, cc)         },
    {MIME_HEADER_BCC,         offsetof(struct mime_envelope, bcc)        },
    {MIME_HEADER_IN_REPLY_TO, offsetof(struct mime_envelope, in_reply_to)},
    {MIME_HEADER_MESSAGE_ID,  offsetof(struct mime_envelope, message_id) },
};

void
mime_envelope_take(struct mime_envelope *e, const struct mime_header *field)
{
	for (size_t i = 0; i < N_ELEMS(fields); i++) {
		struct span *value = (struct span *)((char *)e + fields[i].offset);

		if (fields[i].id == field->id && !value->at)
			*value = field->value;
	}
}

/* Where a host or mailbox is missing something must stand, since NIL there means
 * a group [RFC3501 7.4.2]. */
static void
put_or(struct buf *out, struct span s, const char *otherwise)
{
	mime_imap_put_string(out, s.n > 0 ? s : span_str(otherwise));
}

static void
put_address(const struct mime_address *a, struct buf *out)
{
	switch (a->kind) {
	case MIME_ADDRESS_GROUP_START:
		buf_put(out, SPAN("(NIL NIL "));
		mime_imap_put_string(out, a->name);
		buf_put(out, SPAN(" NIL)"));
		break;
	case MIME_ADDRESS_GROUP_END:
		buf_put(out, SPAN("(NIL NIL NIL NIL)"));
		break;
	case MIME_ADDRESS_MAILBOX:
		buf_put(out, SPAN("("));
		mime_imap_put_nstring(out, a->name);
		buf_put(out, SPAN(" "));
		mime_imap_put_nstring(out, a->route);
		buf_put(out, SPAN(" "));
		put_or(out, a->mailbox, "MISSING_MAILBOX");
		buf_put(out, SPAN(" "));
		put_or(out, a->host, "MISSING_DOMAIN");
		buf_put(out, SPAN(")"));
		break;
	}
}

/* False, and nothing put, when the field is absent or names nobody. */
static bool
put_list(struct span value, struct mime_addresses *list, struct buf *out)
{
	if (!value.at || !mime_addresses_parse(list, value) || list->n == 0)
		return false;
	buf_put(out, SPAN("("));
	for (size_t i = 0; i < list->n; i++)
		put_address(&list->at[i], out);
	buf_put(out, SPAN(")"));
	return true;
}

static void
put_list_or_nil(struct span value, struct mime_addresses *list, struct buf *out)
{
	if (!put_list(value, list, out))
		buf_put(out, SPAN("NIL"));
	buf_put(out, SPAN(" "));
}

static void
put_text(struct span value, struct buf *line, struct buf *out)
{
	buf_reset(line);
	if (value.at)
		mime_header_unfold(value, line);
	if (!value.at)
		buf_put(out, SPAN("NIL"));
	else
		mime_imap_put_string(out, buf_span(line));
}

/* Sender and Reply-To are the same as From when they are absent or empty. */
static void
put_list_or_copy(struct span value, struct mime_addresses *list, size_t from,
		 size_t from_n, struct buf *out)
{
	if (!put_list(value, list, out)) {
		char *at = buf_extend(out, from_n);

		if (at)
			memcpy(at, out->at + from, from_n);
	}
	buf_put(out, SPAN(" "));
}

void
mime_envelope_put(const struct mime_envelope *e, struct mime_addresses *list,
		  struct buf *line, struct buf *out)
{
	size_t from, from_n;

	buf_put(out, SPAN("("));
	put_text(e->date, line, out);
	buf_put(out, SPAN(" "));
	put_text(e->subject, line, out);
	buf_put(out, SPAN(" "));
	from = out->n;
	put_list_or_nil(e->from, list, out);
	from_n = out->n > from ? out->n - from - 1 : 0;
	put_list_or_copy(e->sender, list, from, from_n, out);
	put_list_or_copy(e->reply_to, list, from, from_n, out);
	put_list_or_nil(e->to, list, out);
	put_list_or_nil(e->cc, list, out);
	put_list_or_nil(e->bcc, list, out);
	put_text(e->in_reply_to, line, out);
	buf_put(out, SPAN(" "));
	put_text(e->message_id, line, out);
	buf_put(out, SPAN(")"));
}
