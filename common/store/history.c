/* which mailboxes there were, and since when the past is known */
#include "common/store/history.h"

static size_t
box_place(const struct history *h, uint32_t id)
{
	size_t low = 0, high = h->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (h->boxes[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct history_box *
history_box(const struct history *h, uint32_t id)
{
	size_t i = box_place(h, id);

	return i < h->n && h->boxes[i].id == id ? &h->boxes[i] : NULL;
}

static void
box_take(struct history *h, const struct store_mailbox *box)
{
	size_t i = box_place(h, box->id);

	if (i == h->n || h->boxes[i].id != box->id) {
		h->boxes = memory_resize(h->boxes, h->n + 1, sizeof(*h->boxes));
		memmove(&h->boxes[i + 1], &h->boxes[i], (h->n - i) * sizeof(*h->boxes));
		h->n++;
	} else {
		free((char *)(uintptr_t)h->boxes[i].name.at);
	}
	h->boxes[i] = (struct history_box){
	    .id = box->id,
	    .uidvalidity = box->uidvalidity,
	    .name = {span_dup(box->name), box->name.n},
	};
}

static void
head_take(struct history *h, const struct event *e)
{
	struct span boxes = e->boxes;
	struct store_mailbox box;

	/* A snapshot is all there is of the past; its names are those of its time. */
	if (e->head.snapshot)
		h->compacted_us = e->time_us;
	if (e->time_us > h->until_us && h->n > 0)
		return;
	while (event_box_next(&boxes, &box))
		box_take(h, &box);
}

void
history_take(struct history *h, const struct event *e)
{
	if (e->kind == EVENT_HEAD)
		head_take(h, e);
	else if (e->kind == EVENT_MAILBOX && e->time_us <= h->until_us)
		box_take(h, &e->box);
	else if (e->kind == EVENT_COMPACTED && e->time_us > h->cutoff_us)
		h->cutoff_us = e->time_us;
}

static bool
read_event(struct chain_walk *w, const struct event *e)
{
	history_take(w->context, e);
	return true;
}

int
history_read(struct store_account *a, struct history *out, struct err *err)
{
	struct chain_walk walk = {.event = read_event, .context = out};
	int result;

	*out = (struct history){.until_us = INT64_MAX};
	result = chain_walk_all(a, &walk, err);
	if (result < 0)
		history_release(out);
	return result;
}

void
history_release(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free((char *)(uintptr_t)h->boxes[i].name.at);
	free(h->boxes);
	*h = (struct history){0};
}
