/* What became of a target in one try. */
#include "qmgr/queue/internal.h"

#define HOST_MAX 300

static const enum target_state states[] = {[DELIVERY_DONE] = TARGET_DONE,
					   [DELIVERY_DEFERRED] = TARGET_OPEN,
					   [DELIVERY_FAILED] = TARGET_FAILED};

/* --- codes ---------------------------------------------------------------- */

/* One number of an enhanced code off the front, ended by `end`. */
static bool
enhanced_take(struct span *text, char end, uint16_t *out)
{
	struct span rest = *text;
	size_t n = span_find(rest, end);
	uint64_t value;

	if (n > 3 || n == rest.n || !number_parse(span_first(rest, n), 999, &value))
		return false;
	*out = (uint16_t)value;
	*text = span_after(rest, n + 1);
	return true;
}

void
result_split(struct relay_result *r)
{
	struct span text = r->text;
	uint16_t e[3];

	if (!enhanced_take(&text, '.', &e[0]) || !enhanced_take(&text, '.', &e[1]) ||
	    !enhanced_take(&text, ' ', &e[2]) || (e[0] != 2 && e[0] != 4 && e[0] != 5))
		return;
	memcpy(r->enhanced, e, sizeof(e));
	r->text = text;
}

static void
reason_set(struct queue *q, struct entry *e, const struct relay_result *r)
{
	struct buf reason = buf_make(WORD_BYTES_MAX);

	if (r->host.n > 0)
		buf_putf(&reason, "%.*s: ", SPAN_ARG(span_first(r->host, HOST_MAX)));
	if (r->code != 0)
		buf_putf(&reason, "%u ", r->code);
	if (r->enhanced[0] != 0)
		buf_putf(&reason, "%u.%u.%u ", r->enhanced[0], r->enhanced[1],
			 r->enhanced[2]);
	buf_put(&reason, span_first(r->text, WORD_BYTES_MAX - reason.n));
	queue_set_reason(q, e, buf_span(&reason));
	buf_release(&reason);
}

void
result_of_reason(struct span reason, struct relay_result *out)
{
	size_t n = span_find_span(reason, SPAN(": "));
	struct span host = span_first(reason, n);
	uint64_t code;

	*out = (struct relay_result){.text = reason};
	if (n < reason.n && span_find(host, '[') < n && span_find(host, ' ') == n) {
		out->host = host;
		out->text = span_after(reason, n + 2);
	}
	if (span_find(out->text, ' ') == 3 &&
	    number_parse(span_first(out->text, 3), 599, &code) && code >= 200) {
		out->code = (uint16_t)code;
		out->text = span_after(out->text, 4);
	}
	result_split(out);
}

/* --- memory --------------------------------------------------------------- */

/* Of what is done without a word to the sender, only that. */
static void
result_keep(struct work_target *t, const struct relay_result *r, uint32_t now_s)
{
	struct span text = span_first(r->text, RELAY_TEXT_MAX);
	struct span host = span_first(r->host, HOST_MAX);
	bool needed = r->outcome != DELIVERY_DONE ||
		      t->notify & ENVELOPE_NOTIFY_SUCCESS || t->expanded;
	char *bytes = NULL;

	if (needed && text.n + host.n > 0) {
		bytes = memory_new(text.n + host.n, 1);
		if (text.n > 0)
			memcpy(bytes, text.at, text.n);
		if (host.n > 0)
			memcpy(bytes + text.n, host.at, host.n);
	}
	free(t->result.bytes);
	t->result = (struct target_result){
	    .known = true,
	    .outcome = r->outcome,
	    .flags = r->flags,
	    .code = r->code,
	    .text = span_make(bytes, bytes ? text.n : 0),
	    .host = span_make(bytes ? bytes + text.n : NULL, bytes ? host.n : 0),
	    .tried_s = now_s,
	    .bytes = bytes};
	memcpy(t->result.enhanced, r->enhanced, sizeof(r->enhanced));
}

/* --- the whole ------------------------------------------------------------ */

/* A target of a message with several is noted at once, so that a crash does not
 * deliver it again; the only target is noted as the message's end. */
void
result_take(struct queue *q, uint32_t work, const struct relay_result *r,
	    uint32_t now_s)
{
	struct work *w = &q->works[work];
	struct entry *e = entry_at(&q->entries, w->ref);
	enum target_state to = states[r->outcome];

	result_keep(&w->targets[r->ordinal], r, now_s);
	if (r->outcome != DELIVERY_DONE)
		reason_set(q, e, r);
	w->deferred |= r->outcome == DELIVERY_DEFERRED;
	entry_target_set(e, r->ordinal, to);
	if (to == TARGET_OPEN || (to == TARGET_DONE && e->n_targets == 1))
		return;
	queue_note_target(q, e, r->ordinal);
}

void
result_give_up(struct queue *q, uint32_t work, uint32_t ordinal, enum given_up why)
{
	struct work *w = &q->works[work];
	struct entry *e = entry_at(&q->entries, w->ref);
	struct target_result *had = &w->targets[ordinal].result;

	if (w->targets[ordinal].target.kind == TARGET_REPLY) {
		reply_drop(q, work, ordinal);
		return;
	}
	had->outcome = DELIVERY_FAILED;
	had->given_up = (uint8_t)why;
	entry_target_set(e, ordinal, TARGET_FAILED);
	queue_note_target(q, e, ordinal);
	queue_event_add(
	    q, why == GIVEN_UP_OPERATOR ? QUEUE_EVENT_BOUNCED : QUEUE_EVENT_GIVEN_UP, e,
	    w->targets[ordinal].recipient);
}
