/* THREAD: messages as nodes, linked by their references [RFC5256 3], step 1 */
#include "imapd/session/search.h"

#define NODES_MORE 1024

uint32_t
thread_node_new(struct thread *t)
{
	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : NODES_MORE;
		t->nodes = memory_resize(t->nodes, t->size, sizeof(*t->nodes));
	}
	if (t->n == 0)
		t->nodes[t->n++] = (struct thread_node){0}; /* is no node */
	t->nodes[t->n] = (struct thread_node){0};
	return (uint32_t)t->n++;
}

void
thread_release(struct thread *t)
{
	free(t->nodes);
	free(t->roots);
	free(t->table);
	thread_names_release(&t->ids);
	thread_names_release(&t->subjects);
	*t = (struct thread){0};
}

/* --- links ---------------------------------------------------------------- */

/* Is `node` the child, or below it? What has no child has nothing below it. */
static bool
is_below(struct search *w, uint32_t node, uint32_t child)
{
	const struct thread_node *nodes = w->thread.nodes;

	if (node == child)
		return true;
	if (!nodes[child].has_child)
		return false;
	for (; node != 0; node = nodes[node].parent) {
		w->records_left--;
		if (node == child)
			return true;
	}
	return false;
}

static void
link_nodes(struct search *w, uint32_t parent, uint32_t child)
{
	struct thread_node *nodes = w->thread.nodes;

	w->records_left -= 2;
	if (nodes[child].parent != 0 || is_below(w, parent, child))
		return;
	nodes[child].parent = parent;
	nodes[parent].has_child = true;
}

/* The node of a message id; 0 when there is no room for more. */
static uint32_t
node_of_id(struct thread *t, struct span id)
{
	uint32_t *value = thread_names_get(&t->ids, id);

	if (!value)
		return 0;
	if (*value == 0)
		*value = thread_node_new(t);
	return *value;
}

/* --- a message ------------------------------------------------------------ */

/* The dummy of its id, if that is not a message yet; else one of its own. */
static uint32_t
node_of_message(struct thread *t, struct span id)
{
	uint32_t node = id.n > 0 ? node_of_id(t, id) : 0;

	if (node == 0 || t->nodes[node].number != 0)
		node = thread_node_new(t);
	return node;
}

/* False when there is no room for more. */
static bool
subject_take(struct search *w, struct span base_subject, uint32_t *subject)
{
	struct thread *t = &w->thread;
	uint32_t *value;

	*subject = 0;
	buf_reset(&w->scratch);
	sort_casemap(base_subject, &w->scratch);
	if (w->scratch.n == 0)
		return true;
	value = thread_names_get(&t->subjects, buf_span(&w->scratch));
	if (!value)
		return false;
	if (*value == 0)
		*value = (uint32_t)t->subjects.n;
	*subject = *value;
	return true;
}

static bool
message_begin(struct search *w, uint32_t number, const struct store_record *record,
	      const struct store_summary *summary, bool by_references)
{
	struct thread *t = &w->thread;
	uint32_t subject;
	struct thread_node *node;

	if (!subject_take(w, summary->base_subject, &subject))
		return false;
	t->message = by_references ? node_of_message(t, summary->message_id)
				   : thread_node_new(t);
	t->previous = 0;
	t->references_done = 0;
	node = &t->nodes[t->message];
	node->number = number;
	node->subject = subject;
	node->reply = summary->is_reply;
	w->merge.items[w->merge.n++] = (struct sort_item){
	    .prefix = (uint64_t)search_sent_date(summary, record) ^ UINT64_C(1) << 63,
	    .offset = t->message,
	    .number = number,
	};
	return true;
}

/* Step 1.A, on from where it stopped; then 1.B, and true. */
static bool
message_link(struct search *w, struct span references)
{
	struct thread *t = &w->thread;
	size_t n = 0;

	while (references.n > 0) {
		struct span id = span_cut(&references, '\n');
		uint32_t node;

		if (n++ < t->references_done)
			continue;
		node = node_of_id(t, id);
		if (node != 0 && t->previous != 0)
			link_nodes(w, t->previous, node);
		if (node != 0)
			t->previous = node;
		t->references_done = n;
		if (w->records_left <= 0)
			return false;
	}
	t->nodes[t->message].parent = 0;
	if (t->previous != 0)
		link_nodes(w, t->previous, t->message);
	t->message = 0;
	return true;
}

/* --- the phase ------------------------------------------------------------ */

static size_t
nodes_expected(const struct search *w)
{
	return w->n_found + w->n_found / 2 + NODES_MORE;
}

/* At most what it takes from the beginning, without texts. */
static bool
is_too_much(const struct session *s, const struct search *w)
{
	size_t name = sizeof(struct thread_name) + 4 * sizeof(uint32_t);
	size_t nodes = nodes_expected(w) * (sizeof(struct thread_node) + name),
	       items = (w->n_found + 1) * (sizeof(struct sort_item) + name / 4);

	return nodes + items > s->policy->limits.order_bytes_max;
}

static void
gather_begin(const struct session *s, struct search *w, const struct step *step)
{
	uint64_t seed = (uint64_t)step->now_us * UINT64_C(0x9e3779b97f4a7c15);
	size_t max = s->policy->limits.order_bytes_max;
	struct thread *t = &w->thread;

	t->size = nodes_expected(w);
	t->nodes = memory_resize(NULL, t->size, sizeof(*t->nodes));
	thread_names_init(&t->ids, seed, t->size, max);
	thread_names_init(&t->subjects, ~seed, w->n_found / 4, max);
	w->merge.items = memory_resize(NULL, w->n_found + 1, sizeof(*w->merge.items));
}

/* Has what it gathers become too much? The ids are given back before memory for moving
 * the items is taken. */
static bool
gather_full(const struct session *s, const struct search *w)
{
	const struct thread *t = &w->thread;
	size_t bytes = t->size * sizeof(*t->nodes) +
		       (w->n_found + 1) * sizeof(*w->merge.items) +
		       thread_names_bytes(&t->ids) + thread_names_bytes(&t->subjects);

	return t->ids.bytes.full || t->subjects.bytes.full ||
	       bytes > s->policy->limits.order_bytes_max;
}

/* A message, or what is left of its links; false when that is not all. */
static bool
take(struct session *s, uint32_t number, const struct store_record *record,
     const struct store_summary *summary)
{
	bool by_references = s->command.search.algorithm == IMAP_THREAD_REFERENCES;
	struct search *w = s->work;

	w->records_left -= SEARCH_SUMMARY_COST;
	if (w->thread.message == 0 &&
	    !message_begin(w, number, record, summary, by_references))
		return true;
	if (by_references)
		return message_link(w, summary->references);
	w->thread.message = 0;
	return true;
}

enum search_work
thread_gather(struct session *s, struct step *step)
{
	struct search *w = s->work;
	struct view_walk before = w->walk;
	const struct store_record *record;
	uint32_t number;

	if (!w->merge.items && is_too_much(s, w))
		return search_too_much(s);
	if (!w->merge.items) { /* what it takes is work enough for a step */
		gather_begin(s, w, step);
		return SEARCH_TURN;
	}
	search_budget(s);
	while (view_next(s, &w->found, &w->walk, &number, &record)) {
		struct store_summary summary = {.date_seconds = MIME_DATE_NONE};
		enum store_result result = STORE_OK;

		if (record)
			result = store_summary_of(s->account->mail, record, &summary,
						  &w->err);
		else
			w->thread.message = 0;
		if (result != STORE_OK && result != STORE_DAMAGED) {
			w->walk = before;
			return search_trouble(s, result, &w->err);
		}
		if (record && !take(s, number, record, &summary))
			w->walk = before;
		before = w->walk;
		if (gather_full(s, w))
			return search_too_much(s);
		if (w->records_left <= 0) {
			session_progress(s, step, number, s->view.n);
			return SEARCH_TURN;
		}
	}
	return SEARCH_NEXT;
}

/* What is not needed any more, in steps of their own: giving back takes time. */
enum search_work
thread_forget_ids(struct session *s, struct step *step)
{
	struct thread_names *ids = &((struct search *)s->work)->thread.ids;

	(void)step;
	if (!ids->at)
		return SEARCH_NEXT;
	thread_names_release(ids);
	return SEARCH_TURN;
}

enum search_work
thread_forget_order(struct session *s, struct step *step)
{
	struct search *w = s->work;

	(void)step;
	if (!w->merge.items)
		return SEARCH_NEXT;
	sort_merge_release(&w->merge);
	thread_names_release(&w->thread.subjects);
	return SEARCH_TURN;
}
