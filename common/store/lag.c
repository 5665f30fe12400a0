/* a large copy, added to the view bit by bit
 *
 * Its event is in the journal at once, and what it makes is listed when that is
 * durable, as all that is appended. Nobody can say so, and nothing else can happen to
 * the view, before the copy is there as a whole: account_lock(), view_apply().
 */
#include "common/store/internal.h"

#define COPY_STEP 20000 /* messages: some 2 ms */

/* The box gets room for all, so that its records stay where they are. */
static void
box_reserve(struct box *b, size_t n)
{
	if (b->size_extra - b->n_extra >= n)
		return;
	b->size_extra = b->n_extra + n;
	b->extra = memory_resize(b->extra, b->size_extra, sizeof(*b->extra));
}

/* The next range of those it copies; false after the last. */
static bool
lag_range(struct view *v)
{
	struct lag *lag = &v->lag;
	struct store_range range;
	size_t start;

	if (!event_range_next(&lag->rest, &range))
		return false;
	start = box_lower(view_box(v, lag->event.mailbox), range.first);
	if (start > lag->i)
		lag->i = start;
	lag->last = range.last;
	return true;
}

void
lag_release(struct lag *lag)
{
	buf_release(&lag->ranges);
	*lag = (struct lag){0};
}

void
lag_begin(struct view *v, const struct event *e)
{
	const struct box *from = view_box(v, e->mailbox);
	struct lag *lag = &v->lag;

	ASSERT(!lag->on);
	*lag = (struct lag){.on = true, .event = *e, .next = e->first};
	lag->ranges = buf_make(JOURNAL_EVENT_MAX);
	buf_put(&lag->ranges, e->ranges);
	lag->rest = lag->event.ranges = buf_span(&lag->ranges);
	lag->n = from ? box_n(from) : 0;
	if (lag->n > 0)
		box_reserve(view_box_make(v, e->to), (size_t)e->n);
	v->events++;
}

/* One record of the source, which may have to be left out. */
static void
lag_one(struct view *v)
{
	struct lag *lag = &v->lag;
	size_t i = lag->i++;

	if (!(box_at(view_box(v, lag->event.mailbox), i)->flags & RECORD_GONE))
		view_copy_one(v, i, &lag->event, &lag->next);
}

bool
lag_step(struct view *v, size_t n)
{
	struct lag *lag = &v->lag;

	for (; lag->on && n > 0; n--) {
		bool inside =
		    lag->last > 0 && lag->i < lag->n &&
		    box_at(view_box(v, lag->event.mailbox), lag->i)->uid <= lag->last;

		if (inside)
			lag_one(v);
		else if (lag->n == 0 || !lag_range(v))
			lag_release(lag);
	}
	return !lag->on;
}

size_t
lag_steps(const struct store_account *a)
{
	return a->store->settings.copy_step > 0 ? a->store->settings.copy_step
						: COPY_STEP;
}

bool
store_catch_up(struct store_account *a)
{
	return !a->view || a->stale || lag_step(a->view, lag_steps(a));
}
