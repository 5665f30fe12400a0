/* THREAD: from links to trees [RFC5256 3], steps 2 to 6, and ORDEREDSUBJECT
 *
 * Messages are in the order of their sent dates already, so that each list is in order
 * when they are added one after the other: a set of siblings, and the top level, where
 * a dummy stands for its first child. Each pass goes over all of them and can stop
 * anywhere.
 */
#include "imapd/session/search.h"

typedef void pass_one(struct thread *t, uint32_t node);

/* Calls `one` for the next of n; TURN until they are done. */
static enum search_work
pass(struct session *s, pass_one *one)
{
	struct search *w = s->work;
	struct thread *t = &w->thread;

	for (size_t left = SEARCH_NODES_STEP; t->at < w->merge.n; left--) {
		if (left == 0)
			return SEARCH_TURN;
		one(t, (uint32_t)w->merge.items[t->at++].offset);
	}
	t->at = 0;
	return SEARCH_NEXT;
}

/* As above, over the top level. */
static enum search_work
pass_roots(struct session *s, pass_one *one)
{
	struct thread *t = &((struct search *)s->work)->thread;

	for (size_t left = SEARCH_NODES_STEP; t->at < t->n_roots; left--) {
		if (left == 0)
			return SEARCH_TURN;
		one(t, t->roots[t->at++]);
	}
	t->at = 0;
	return SEARCH_NEXT;
}

static bool
is_dummy(const struct thread *t, uint32_t node)
{
	return t->nodes[node].number == 0;
}

/* The nearest message above, or the dummy at the top, or 0. The dummies on the way are
 * made to point there, so that no way is long twice. */
static uint32_t
above(struct thread *t, uint32_t node)
{
	uint32_t end = t->nodes[node].parent, at = end, next;

	while (end != 0 && is_dummy(t, end) && t->nodes[end].parent != 0)
		end = t->nodes[end].parent;
	for (; at != end; at = next) {
		next = t->nodes[at].parent;
		t->nodes[at].parent = end;
	}
	return end;
}

/* --- step 3: dummies below the top are gone, their children one level up --- */

/* A dummy counts its children in `last` until they stand in order. */
static void
settle(struct thread *t, uint32_t node)
{
	uint32_t parent = above(t, node);

	t->nodes[node].parent = parent;
	if (parent != 0 && is_dummy(t, parent))
		t->nodes[parent].last++;
}

enum search_work
thread_settle(struct session *s, struct step *step)
{
	(void)step;
	return pass(s, settle);
}

/* --- step 4, and the rest of 3: the top level in order -------------------- */

/* A dummy with one child is not needed; one with more has its first child's subject. */
static void
gather_root(struct thread *t, uint32_t node)
{
	struct thread_node *n = &t->nodes[node], *parent = &t->nodes[n->parent];

	if (n->parent == 0) {
		t->roots[t->n_roots++] = node;
	} else if (parent->number == 0 && parent->last == 1) {
		n->parent = 0;
		t->roots[t->n_roots++] = node;
	} else if (parent->number == 0 && parent->first == 0) {
		parent->first = node;
		parent->subject = n->subject;
		t->roots[t->n_roots++] = n->parent;
	}
}

static void
roots_begin(struct search *w)
{
	struct thread *t = &w->thread;

	if (!t->roots)
		t->roots = memory_new(w->merge.n + 1, sizeof(*t->roots));
	if (!t->table)
		t->table = memory_new(t->subjects.n + 1, sizeof(*t->table));
}

enum search_work
thread_gather_roots(struct session *s, struct step *step)
{
	(void)step;
	roots_begin(s->work);
	return pass(s, gather_root);
}

/* --- step 5: threads of one subject --------------------------------------- */

/* B */
static void
fill_table(struct thread *t, uint32_t node)
{
	const struct thread_node *n = &t->nodes[node], *other;
	uint32_t *entry = &t->table[n->subject];

	other = &t->nodes[*entry];
	if (n->subject == 0)
		return;
	if (*entry == 0 ||
	    (other->number != 0 && (n->number == 0 || (other->reply && !n->reply))))
		*entry = node;
}

enum search_work
thread_fill_table(struct session *s, struct step *step)
{
	(void)step;
	return pass_roots(s, fill_table);
}

static void
join_under_dummy(struct thread *t, uint32_t node, uint32_t *entry)
{
	uint32_t dummy = thread_node_new(t);

	t->nodes[dummy].subject = t->nodes[node].subject;
	t->nodes[node].parent = dummy;
	t->nodes[*entry].parent = dummy;
	*entry = dummy;
}

/* C. A dummy that gets a parent is one that above() passes over: its children become
 * the other's. */
static void
merge_subject(struct thread *t, uint32_t node)
{
	struct thread_node *n = &t->nodes[node];
	uint32_t *entry = &t->table[n->subject];
	const struct thread_node *other = &t->nodes[*entry];

	if (n->subject == 0 || *entry == node || n->parent != 0)
		return;
	if (other->number == 0 || (n->reply && !other->reply))
		n->parent = *entry;
	else
		join_under_dummy(t, node, entry);
}

enum search_work
thread_merge_subjects(struct session *s, struct step *step)
{
	(void)step;
	return pass_roots(s, merge_subject);
}

/* --- ORDEREDSUBJECT ------------------------------------------------------- */

/* The first of a subject is the parent of the others. */
static void
group_subject(struct thread *t, uint32_t node)
{
	uint32_t *entry = &t->table[t->nodes[node].subject];

	t->nodes[node].parent = *entry;
	if (*entry == 0)
		*entry = node;
}

enum search_work
thread_group_subjects(struct session *s, struct step *step)
{
	(void)step;
	roots_begin(s->work);
	return pass(s, group_subject);
}

/* --- step 6: lists of children, in order ---------------------------------- */

static void
add_child(struct thread *t, struct thread_node *parent, uint32_t node)
{
	if (parent->last != 0)
		t->nodes[parent->last].next = node;
	else
		parent->first = node;
	parent->last = node;
}

/* Forgets what step 4 left in the dummies. */
static void
clear_root(struct thread *t, uint32_t node)
{
	t->nodes[node].first = t->nodes[node].last = 0;
}

static void
arrange(struct thread *t, uint32_t node)
{
	uint32_t parent = above(t, node);

	t->nodes[node].parent = parent;
	if (parent == 0) {
		add_child(t, &t->top, node);
		return;
	}
	if (is_dummy(t, parent) && t->nodes[parent].first == 0)
		add_child(t, &t->top, parent);
	add_child(t, &t->nodes[parent], node);
}

enum search_work
thread_arrange(struct session *s, struct step *step)
{
	struct thread *t = &((struct search *)s->work)->thread;
	enum search_work work;

	(void)step;
	if (!t->cleared) {
		work = pass_roots(s, clear_root);
		if (work != SEARCH_NEXT)
			return work;
		t->cleared = true;
	}
	return pass(s, arrange);
}
