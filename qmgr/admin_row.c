#include "qmgr/admin_row.h"

/* The envelope again, with as many recipients as fit. */
static void
envelope_cut(const struct envelope *whole, struct buf *out)
{
	struct buf list = buf_make(ADMIN_ENVELOPE_MAX / 2);
	struct cursor c = cursor_make(whole->recipients);
	struct envelope cut = *whole;
	struct envelope_recipient r;

	cut.n_recipients = 0;
	while (recipient_next(&c, &r)) {
		size_t before = list.n;

		recipient_put(&list, &r);
		if (list.full) {
			list.n = before;
			break;
		}
		cut.n_recipients++;
	}
	cut.recipients = buf_span(&list);
	envelope_put(out, &cut);
	buf_release(&list);
}

static void
target_line(struct buf *out, const struct entry *e, uint32_t ordinal,
	    const struct target *t)
{
	static const char *const names[] = {"open", "done", "failed", "work"};
	const char *state = ordinal < e->n_targets ? names[entry_target(e, ordinal)]
						   : names[TARGET_OPEN];

	if (!buf_room(out, t->address.n + 16))
		return;
	buf_put_str(out, "; ");
	buf_put_str(out, state);
	buf_put_char(out, ' ');
	buf_put(out, t->address);
}

static void
target_lines(struct buf *out, const struct entry *e, const struct envelope *envelope)
{
	struct cursor c = cursor_make(envelope->recipients);
	struct envelope_recipient r;
	struct target t;
	uint32_t n = 0;

	while (recipient_next(&c, &r))
		for (struct cursor k = cursor_make(r.targets); target_next(&k, &t); n++)
			target_line(out, e, n, &t);
}

void
admin_row_send(struct qmgr *m, struct ipc_peer *peer, uint64_t tag,
	       const struct entry *e, bool targets)
{
	struct buf cut = buf_make(ADMIN_ENVELOPE_MAX),
		   reason = buf_make(ADMIN_REASON_MAX);
	char *bytes = load_envelope(m, e);
	struct envelope envelope;
	struct ipc_queue_row row = {.tag = tag,
				    .id = e->id,
				    .status = (uint8_t)queue_entry_status(e),
				    .arrived_us = (uint64_t)e->arrived_s * 1000000,
				    .next_try_us = (uint64_t)e->due_s * 1000000,
				    .tries = e->tries,
				    .content_bytes = e->content_bytes};

	if (e->state == ENTRY_HELD)
		row.next_try_us = 0;
	buf_put(&reason, word_text(&m->queue->words, e->reason));
	if (bytes && envelope_parse(span_make(bytes, e->envelope_bytes), &envelope)) {
		envelope_cut(&envelope, &cut);
		if (targets)
			target_lines(&reason, e, &envelope);
	}
	row.envelope = cut.full ? SPAN("") : buf_span(&cut);
	row.reason = buf_span(&reason);
	ipc_send_queue_row(peer, &row);
	free(bytes);
	buf_release(&cut);
	buf_release(&reason);
}

/* --- filter --------------------------------------------------------------- */

static bool
address_in(struct span address, struct span domain)
{
	size_t at = span_find_last(address, '@');

	return span_equal_nocase(span_after(address, at + 1), domain);
}

static bool
envelope_leads_to(const struct envelope *envelope, struct span domain)
{
	struct cursor c = cursor_make(envelope->recipients);
	struct envelope_recipient r;
	struct target t;

	while (recipient_next(&c, &r)) {
		if (address_in(r.address, domain))
			return true;
		for (struct cursor k = cursor_make(r.targets); target_next(&k, &t);)
			if (address_in(t.address, domain))
				return true;
	}
	return false;
}

bool
admin_domain_match(struct qmgr *m, const struct entry *e, struct span domain)
{
	struct envelope envelope;
	char *bytes;
	bool match;

	if (e->domain != 0 &&
	    span_equal_nocase(word_text(&m->queue->words, e->domain), domain))
		return true;
	bytes = load_envelope(m, e);
	match = bytes &&
		envelope_parse(span_make(bytes, e->envelope_bytes), &envelope) &&
		envelope_leads_to(&envelope, domain);
	free(bytes);
	return match;
}

/* --- stats ---------------------------------------------------------------- */

static const uint32_t ages_s[STATS_AGES] = {300, 3600, 6 * 3600, 86400, UINT32_MAX};

static struct admin_stat *
stat_find(struct admin_stats *stats, uint32_t domain)
{
	size_t i = 0;

	while (i < stats->n && stats->at[i].domain != domain)
		i++;
	if (i < stats->n)
		return &stats->at[i];
	if (stats->n > STATS_DOMAINS_MAX)
		return &stats->at[STATS_DOMAINS_MAX];
	stats->at = memory_resize(stats->at, stats->n + 1, sizeof(*stats->at));
	stats->at[stats->n] = (struct admin_stat){.domain = domain};
	return &stats->at[stats->n++];
}

void
admin_stats_add(struct admin_stats *stats, const struct queue *q, const struct entry *e)
{
	struct admin_stat *s = stat_find(stats, e->domain);
	uint32_t now_s = qmgr_now_s();
	uint32_t age_s = now_s > e->arrived_s ? now_s - e->arrived_s : 0;
	size_t i = 0;

	(void)q;
	while (age_s >= ages_s[i] && i + 1 < STATS_AGES)
		i++;
	if (s->n[i]++ == 0 || e->arrived_s < s->oldest_s[i])
		s->oldest_s[i] = e->arrived_s;
}

void
admin_stats_send(const struct admin_stats *stats, const struct queue *q,
		 struct ipc_peer *peer, uint64_t tag)
{
	for (size_t i = 0; i < stats->n; i++)
		for (uint32_t age = 0; age < STATS_AGES; age++) {
			const struct admin_stat *s = &stats->at[i];
			struct ipc_queue_row row = {
			    .tag = tag,
			    .id = s->n[age],
			    .arrived_us = (uint64_t)s->oldest_s[age] * 1000000,
			    .tries = age,
			    .reason = i == STATS_DOMAINS_MAX
					  ? SPAN("others")
					  : word_text(&q->words, s->domain)};

			if (s->n[age] > 0)
				ipc_send_queue_row(peer, &row);
		}
}

void
admin_stats_release(struct admin_stats *stats)
{
	free(stats->at);
	*stats = (struct admin_stats){0};
}
