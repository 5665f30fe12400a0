#include "smtpd/demands.h"

#define LINE_BYTES_MAX 78 /* better no longer [RFC5322 2.1.1] */

struct demands *
demands_new(void)
{
	struct demands *d = memory_new(1, sizeof(*d));

	buf_init(&d->redirect, DEMAND_TEXT_MAX);
	buf_init(&d->bcc, DEMANDS_BCC_MAX * (DEMAND_TEXT_MAX + sizeof(uint32_t)));
	buf_init(&d->fields, DEMANDS_FIELDS_MAX);
	buf_init(&d->known, ENVELOPE_BYTES_MAX / 4);
	buf_init(&d->list, DEMAND_LIST_MAX);
	buf_init(&d->targets, ENVELOPE_BYTES_MAX / 4);
	return d;
}

void
demands_free(struct demands **d)
{
	if (!*d)
		return;
	buf_release(&(*d)->redirect);
	buf_release(&(*d)->bcc);
	buf_release(&(*d)->fields);
	buf_release(&(*d)->known);
	buf_release(&(*d)->list);
	buf_release(&(*d)->targets);
	free(*d);
	*d = NULL;
}

void
demands_forget(struct demands *d)
{
	d->open = false;
	buf_reset(&d->list);
	buf_reset(&d->targets);
}

void
demands_begin(struct demands *d, struct span list, struct span targets)
{
	demands_forget(d);
	d->open = true;
	buf_put(&d->list, list);
	buf_put(&d->targets, targets);
}

/* --- where addresses lead ----------------------------------------------------------
 */

static bool
known_find(const struct demands *d, struct span address, struct envelope_recipient *out)
{
	struct cursor c = cursor_make(buf_span(&d->known));

	while (recipient_next(&c, out))
		if (span_equal(out->address, address))
			return true;
	return false;
}

bool
demands_unknown(const struct demands *d, struct span *address)
{
	struct cursor c = cursor_make(buf_span(&d->list));
	struct envelope_recipient r;
	struct demand wanted;

	while (demand_next(&c, &wanted)) {
		if (wanted.kind != DEMAND_REDIRECT && wanted.kind != DEMAND_BCC)
			continue;
		if (known_find(d, wanted.text, &r))
			continue;
		*address = wanted.text;
		return true;
	}
	return false;
}

/* Nobody is told what becomes of a copy that nobody asked for. */
void
demands_learn(struct demands *d, struct span address, struct span targets)
{
	struct envelope_recipient r = {
	    .address = address, .notify = ENVELOPE_NOTIFY_NEVER, .targets = targets};

	recipient_put(&d->known, &r);
}

/* --- what holds for the message ----------------------------------------------------
 */

static bool
bcc_has(const struct demands *d, struct span address)
{
	struct cursor c = cursor_make(buf_span(&d->bcc));

	while (c.rest.n > 0)
		if (span_equal(wire_get_bytes(&c), address))
			return true;
	return false;
}

static void
bcc_add(struct demands *d, struct span address)
{
	if (bcc_has(d, address))
		return;
	wire_put_bytes(&d->bcc, address);
	d->n_bcc++;
}

/* Where the next line of a field may start: the last space that leaves this one short
 * enough, or else the first one; text.n when there is none. No line has spaces only. */
static size_t
fold_at(struct span text)
{
	size_t at = text.n, i = text.at[0] == ' ' ? 1 : span_find(text, ':') + 2;

	if (text.n <= LINE_BYTES_MAX)
		return text.n;
	for (; i + 1 < text.n && (at == text.n || i <= LINE_BYTES_MAX); i++)
		if (text.at[i] == ' ' && text.at[i + 1] != ' ')
			at = i;
	return at;
}

/* Folded before spaces, which stay [RFC5322 2.2.3]. */
static void
field_put(struct span text, struct buf *out)
{
	while (text.n > 0) {
		size_t at = fold_at(text);

		buf_put(out, span_first(text, at));
		buf_put_str(out, "\r\n");
		text = span_after(text, at);
	}
}

/* The same field is added once, whoever it was wanted for. */
static void
field_add(struct demands *d, struct span text)
{
	struct buf field = buf_make(2 * DEMAND_TEXT_MAX);
	struct span all = buf_span(&d->fields), lines;
	bool there = false;

	field_put(text, &field);
	lines = buf_span(&field);
	for (size_t i = 0; i + lines.n <= all.n && !there; i++)
		there = (i == 0 || all.at[i - 1] == '\n') &&
			span_equal(span_first(span_after(all, i), lines.n), lines);
	if (!there) {
		buf_put(&d->fields, lines);
		d->n_fields++;
	}
	buf_release(&field);
}

bool
demands_accept(struct demands *d)
{
	struct cursor c = cursor_make(buf_span(&d->list));
	struct demand wanted;

	while (demand_next(&c, &wanted))
		switch (wanted.kind) {
		case DEMAND_HOLD:
			d->hold = true;
			break;
		case DEMAND_REDIRECT:
			buf_reset(&d->redirect);
			buf_put(&d->redirect, wanted.text);
			break;
		case DEMAND_BCC:
			bcc_add(d, wanted.text);
			break;
		case DEMAND_PREPEND:
			field_add(d, wanted.text);
			break;
		}
	return !c.failed && !d->fields.full && !d->known.full && !d->targets.full &&
	       !d->bcc.full && d->n_bcc <= DEMANDS_BCC_MAX;
}

/* --- the envelope ------------------------------------------------------------------
 */

static bool
list_has(struct span list, struct span address)
{
	struct cursor c = cursor_make(list);
	struct envelope_recipient r;

	while (recipient_next(&c, &r))
		if (span_equal_nocase(r.address, address))
			return true;
	return false;
}

size_t
demands_recipients(const struct demands *d, struct buf *list, size_t n)
{
	struct cursor c = cursor_make(buf_span(&d->bcc));
	struct envelope_recipient r;

	if (d->redirect.n > 0 && known_find(d, buf_span(&d->redirect), &r)) {
		buf_reset(list);
		r.notify = 0; /* it is the message, and not a copy */
		recipient_put(list, &r);
		return 1;
	}
	while (c.rest.n > 0) {
		struct span address = wire_get_bytes(&c);

		if (list_has(buf_span(list), address) || !known_find(d, address, &r))
			continue;
		recipient_put(list, &r);
		n++;
	}
	return n;
}
