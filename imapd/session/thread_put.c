/* THREAD: the answer, "(2)(3 6 (4 23)(44 7 96))" [RFC5256 4, 5] */
#include "imapd/session/search.h"

/* Does it stand in parentheses of its own? Not when it is the only child of a message.
 */
static bool
is_apart(const struct thread *t, uint32_t node)
{
	uint32_t parent = t->nodes[node].parent;

	return parent == 0 || t->nodes[parent].number == 0 ||
	       t->nodes[parent].first != t->nodes[parent].last;
}

/* A space stands before an only child, and before the first of several. */
static void
put_start(const struct thread *t, uint32_t node, struct buf *out)
{
	uint32_t parent = t->nodes[node].parent;

	if (parent != 0 && t->nodes[parent].number != 0 &&
	    t->nodes[parent].first == node)
		buf_put_char(out, ' ');
	if (is_apart(t, node))
		buf_put_char(out, '(');
}

static void
put_node(const struct session *s, const struct thread *t, uint32_t node,
	 struct buf *out)
{
	uint32_t number = t->nodes[node].number;

	put_start(t, node, out);
	if (number != 0)
		imap_put_number(out,
				s->command.uid ? view_uid(&s->view, number) : number);
}

/* One step of the way round a tree: down to a node, or up from it. */
static void
put_next(const struct session *s, struct thread *t, struct buf *out)
{
	const struct thread_node *node = &t->nodes[t->putting];

	if (!t->leaving) {
		put_node(s, t, t->putting, out);
		t->leaving = node->first == 0;
		if (node->first != 0)
			t->putting = node->first;
		return;
	}
	if (is_apart(t, t->putting))
		buf_put_char(out, ')');
	t->leaving = node->next == 0;
	t->putting = node->next != 0 ? node->next : node->parent;
}

enum search_work
thread_put(struct session *s, struct step *step)
{
	struct thread *t = &((struct search *)s->work)->thread;

	if (!t->put_begun) {
		buf_put_str(step->out, t->top.first ? "* THREAD " : "* THREAD");
		t->putting = t->top.first;
		t->put_begun = true;
	}
	for (size_t left = SEARCH_PUT_STEP; t->putting != 0; left--) {
		if (session_full(s, step->out))
			return SEARCH_ROOM;
		if (left == 0)
			return SEARCH_TURN;
		put_next(s, t, step->out);
	}
	buf_put_str(step->out, "\r\n");
	return SEARCH_NEXT;
}
