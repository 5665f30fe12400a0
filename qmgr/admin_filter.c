#include "qmgr/admin_filter.h"

void
admin_filter_init(struct admin_filter *f, const struct ipc_queue_ask *ask)
{
	*f = (struct admin_filter){.status = ask->status,
				   .to = ask->to.n ? span_dup(ask->to) : NULL,
				   .from = ask->from.n ? span_dup(ask->from) : NULL};
}

void
admin_filter_release(struct admin_filter *f)
{
	free(f->to);
	free(f->from);
	*f = (struct admin_filter){0};
}

/* The domain of an address, or of what is one itself. */
static struct span
domain_of(struct span text)
{
	size_t at = span_find_last(text, '@');

	return at < text.n ? span_after(text, at + 1) : text;
}

static bool
names_address(struct span pattern)
{
	size_t at = span_find_last(pattern, '@');

	return at > 0 && at < pattern.n;
}

static bool
address_fits(struct span address, struct span pattern)
{
	if (span_equal(pattern, SPAN("<>")))
		return address.n == 0;
	if (names_address(pattern))
		return span_equal_nocase(address, pattern);
	return span_equal_nocase(domain_of(address), domain_of(pattern));
}

/* Is all that waits of the message in the domain that the entry names? */
static bool
domain_tells(const struct entry *e)
{
	return e->domain != 0 && (e->n_targets == 1 || e->flags & ENTRY_ONE);
}

enum admin_match
admin_filter_look(const struct admin_filter *f, const struct queue *q,
		  const struct entry *e)
{
	struct span to = span_str(f->to);
	bool same;

	if (f->status != 0 && queue_entry_status(e) + 1 != f->status)
		return ADMIN_MATCH_NO;
	if (f->to && domain_tells(e)) {
		same = span_equal_nocase(
		    queue_place_domain(word_text(&q->words, e->domain)), domain_of(to));
		if (!same)
			return ADMIN_MATCH_NO;
		return names_address(to) || f->from ? ADMIN_MATCH_READ
						    : ADMIN_MATCH_YES;
	}
	return f->to || f->from ? ADMIN_MATCH_READ : ADMIN_MATCH_YES;
}

static bool
waits(const struct entry *e, uint32_t ordinal)
{
	return ordinal >= e->n_targets || entry_target(e, ordinal) != TARGET_DONE;
}

static bool
leads_to(const struct entry *e, const struct envelope *envelope, struct span to)
{
	struct cursor c = cursor_make(envelope->recipients);
	struct envelope_recipient r;
	uint32_t ordinal = 0;
	struct target t;

	while (recipient_next(&c, &r))
		for (struct cursor k = cursor_make(r.targets); target_next(&k, &t);
		     ordinal++)
			if (waits(e, ordinal) && t.kind != TARGET_REPLY &&
			    address_fits(t.address, to))
				return true;
	return false;
}

bool
admin_filter_read(const struct admin_filter *f, const struct entry *e,
		  const struct envelope *envelope)
{
	if (f->from && !address_fits(envelope->sender, span_str(f->from)))
		return false;
	return !f->to || leads_to(e, envelope, span_str(f->to));
}
