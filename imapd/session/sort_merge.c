/* a merge sort from short runs up, that can stop after any item */
#include "imapd/session/search.h"

#define RUN 16 /* sorted by insertion; smaller than any step */

void
sort_merge_begin(struct sort_merge *m, struct sort_item *items, size_t n,
		 const char *keys)
{
	*m = (struct sort_merge){.items = items, .n = n, .keys = keys};
	m->spare = memory_resize(NULL, n + 1, sizeof(*m->spare));
}

void
sort_merge_end(struct sort_merge *m)
{
	free(m->spare);
	m->spare = NULL;
}

void
sort_merge_release(struct sort_merge *m)
{
	free(m->items);
	free(m->spare);
	*m = (struct sort_merge){0};
}

/* The prefix has the first eight bytes; no key begins another, see sort_keys.c. */
static bool
is_above(const struct sort_merge *m, const struct sort_item *a,
	 const struct sort_item *b)
{
	size_t n = a->length < b->length ? a->length : b->length;

	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	if (n <= sizeof(a->prefix))
		return false;
	return memcmp(m->keys + a->offset, m->keys + b->offset, n - sizeof(a->prefix)) >
	       0;
}

static void
sort_run(struct sort_merge *m, size_t first, size_t n)
{
	struct sort_item *run = m->items + first;

	for (size_t i = 1; i < n; i++) {
		struct sort_item item = run[i];
		size_t to = i;

		for (; to > 0 && is_above(m, &run[to - 1], &item); to--)
			run[to] = run[to - 1];
		run[to] = item;
	}
}

static size_t
lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The next pair of runs, from left on: [left, left + width), [left + width, ...). */
static void
begin_pair(struct sort_merge *m, size_t left)
{
	m->left = left;
	m->i = m->to = left;
	m->j = lesser(left + m->width, m->n);
}

static void
begin_pass(struct sort_merge *m)
{
	struct sort_item *items = m->spare;

	m->spare = m->items;
	m->items = items;
	m->width *= 2;
	begin_pair(m, 0);
}

/* Of the pair under way; returns how many moves are left. */
static size_t
merge_pair(struct sort_merge *m, size_t moves)
{
	size_t middle = lesser(m->left + m->width, m->n);
	size_t end = lesser(middle + m->width, m->n);

	for (; moves > 0 && m->to < end; moves--) {
		bool right = m->i == middle;

		if (!right && m->j < end)
			right = is_above(m, &m->items[m->i], &m->items[m->j]);
		m->spare[m->to++] = m->items[right ? m->j++ : m->i++];
	}
	if (m->to == end)
		begin_pair(m, end);
	return moves;
}

/* The first pass; `left` is where the next run begins. */
static bool
sort_runs(struct sort_merge *m, size_t moves)
{
	for (; m->left < m->n && moves > 0; moves -= lesser(moves, RUN)) {
		size_t n = lesser(RUN, m->n - m->left);

		sort_run(m, m->left, n);
		m->left += n;
	}
	if (m->left < m->n)
		return false;
	m->width = RUN;
	begin_pair(m, 0);
	return true;
}

bool
sort_merge_step(struct sort_merge *m, size_t moves)
{
	if (m->width == 0 && !sort_runs(m, moves))
		return false;
	while (m->width < m->n) {
		if (moves == 0)
			return false;
		moves = merge_pair(m, moves);
		if (m->left >= m->n)
			begin_pass(m);
	}
	return true;
}
