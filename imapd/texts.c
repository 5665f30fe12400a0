/* the texts that SEARCH scans: made bit by bit, when nothing else asks for the time */
#include "imapd/imapd.h"

#include <event2/event.h>

#define FILL_BYTES    (64u << 10) /* of messages, a step: under 1 ms */
#define FILL_PAUSE_MS 20          /* between two steps, whoever they are for */

static void
drop(struct home *h)
{
	TAILQ_REMOVE(&h->imapd->untexted, h, texted);
	h->text_due = false;
}

/* One step for the home that waits longest; it goes to the end of the line until it has
 * all. One whose texts cannot be written waits for its next change: searches make what
 * they need. */
static void
fill(struct home *h)
{
	struct imapd *d = h->imapd;
	struct err err = {0};
	bool done = false;

	drop(h);
	h->account->epoch++;
	switch (store_text_fill(h->account->mail, FILL_BYTES, &done, &err)) {
	case STORE_OK:
		if (!done)
			texts_want(h);
		break;
	case STORE_BUSY:
		texts_want(h);
		break;
	default:
		logline(LOGLINE_WARNING, "imap.texts", L_U64("account", h->id),
			L_ERR(&err));
		break;
	}
	d->text_steps++;
}

static void
on_texts(evutil_socket_t fd, short what, void *context)
{
	struct imapd *d = context;
	struct home *h;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(h, &d->untexted, texted)
	if (h->state == HOME_OPEN && !h->broken) {
		fill(h);
		break;
	}
	if (!TAILQ_EMPTY(&d->untexted) && !d->draining)
		timer_within(d, d->text_timer, FILL_PAUSE_MS);
}

void
texts_init(struct imapd *d)
{
	TAILQ_INIT(&d->untexted);
	d->text_timer = evtimer_new(proc_base(d->proc), on_texts, d);
	ASSERT(d->text_timer);
}

void
texts_want(struct home *h)
{
	if (h->text_due)
		return;
	h->text_due = true;
	TAILQ_INSERT_TAIL(&h->imapd->untexted, h, texted);
	timer_within(h->imapd, h->imapd->text_timer, FILL_PAUSE_MS);
}

void
texts_forget(struct home *h)
{
	if (h->text_due)
		drop(h);
}
