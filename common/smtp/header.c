#include "common/smtp/smtp.h"

void
header_scan_init(struct header_scan *h, const struct header_limits *limits)
{
	*h = (struct header_scan){.limits = *limits};
}

static void
count_hop(struct header_scan *h)
{
	struct span name = span_make(h->name, h->name_bytes);

	if (span_equal(name, SPAN("received")) ||
	    span_equal(name, SPAN("delivered-to")))
		h->hops++;
}

/* A byte at the start of a line decides what the line is. */
static void
line_start(struct header_scan *h, char c)
{
	if (c == '\r') {
		h->field_bytes = 0;
		h->state = HEADER_CR;
	} else if (c == ' ' || c == '\t') {
		h->state = h->fields > 0 ? HEADER_VALUE : HEADER_OVER;
	} else {
		h->name_bytes = 0;
		h->field_bytes = 0;
		h->state = HEADER_NAME;
	}
}

static void
field_begins(struct header_scan *h)
{
	struct span name = span_make(h->name, h->name_bytes);

	count_hop(h);
	h->in_message_id =
	    h->message_id_bytes == 0 && span_equal(name, SPAN("message-id"));
	h->fields++;
	h->over_limit |= h->fields > h->limits.fields_max;
	h->state = HEADER_VALUE;
}

static void
name_byte(struct header_scan *h, char c)
{
	bool mbox = h->fields == 0 && h->block_bytes == 4 && c == ' ' &&
		    memcmp(h->name, "from", 4) == 0;

	if (c == ':')
		field_begins(h);
	else if (mbox)
		h->state = HEADER_VALUE;
	else if (c == ' ' || c == '\t')
		h->state = HEADER_COLON;
	else if (c < 33 || c == 127)
		h->state = HEADER_OVER;
	else if (h->name_bytes < sizeof(h->name))
		h->name[h->name_bytes++] = ascii_lower(c);
}

static void
step(struct header_scan *h, char c)
{
	switch (h->state) {
	case HEADER_LINE:
		line_start(h, c);
		if (h->state != HEADER_NAME)
			break;
		__attribute__((fallthrough));
	case HEADER_NAME:
		name_byte(h, c);
		break;
	case HEADER_COLON:
		if (c == ':')
			field_begins(h);
		else if (c != ' ' && c != '\t')
			h->state = HEADER_OVER;
		break;
	case HEADER_CR:
		h->state = HEADER_OVER;
		break;
	case HEADER_VALUE:
	case HEADER_OVER:
		break;
	}
}

/* Counts bytes of the header; more than the limits allow is remembered. */
static void
count(struct header_scan *h, size_t n)
{
	h->block_bytes += n;
	h->field_bytes += n;
	h->over_limit |= h->block_bytes > h->limits.block_bytes_max ||
			 h->field_bytes > h->limits.field_bytes_max;
}

/* Keeps a part of a Message-ID; one byte too many marks it as too long. */
static void
note_message_id(struct header_scan *h, struct span part)
{
	size_t room = sizeof(h->message_id) - h->message_id_bytes;

	part = span_first(part, room);
	if (part.n > 0)
		memcpy(h->message_id + h->message_id_bytes, part.at, part.n);
	h->message_id_bytes += part.n;
}

struct span
header_scan_message_id(const struct header_scan *h)
{
	struct span id = span_make(h->message_id, h->message_id_bytes);

	if (id.n == sizeof(h->message_id))
		return span_first(id, 0);
	return span_trim(id, " \t\r\n<>");
}

/* The rest of a value, up to and with its LF. */
static void
skip_value(struct header_scan *h, struct span *bytes)
{
	size_t lf = span_find(*bytes, '\n');
	size_t n = lf < bytes->n ? lf + 1 : lf;

	count(h, n);
	if (h->in_message_id)
		note_message_id(h, span_first(*bytes, n));
	*bytes = span_after(*bytes, n);
	if (n > lf)
		h->state = HEADER_LINE;
}

void
header_scan_feed(struct header_scan *h, struct span bytes)
{
	while (bytes.n > 0 && h->state != HEADER_OVER) {
		if (h->state == HEADER_VALUE) {
			skip_value(h, &bytes);
			continue;
		}
		step(h, bytes.at[0]);
		count(h, 1);
		bytes = span_after(bytes, 1);
	}
}
