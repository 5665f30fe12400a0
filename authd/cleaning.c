#include "authd/cleaning.h"
#include "authd/authd.h"

#include <event2/event.h>

struct cleaning {
	struct errand errand;
	bool running;
	struct event *timer;
	struct directory_cleaning at, next;
	size_t removed;
	enum directory_result result;
	struct err err;
};

static void
again_in(struct cleaning *c, time_t s)
{
	const struct timeval after = {s, 0};

	evtimer_add(c->timer, &after);
}

static void
look_up(struct directory *d, struct errand *e)
{
	struct cleaning *c = (struct cleaning *)e;

	c->result = directory_notes_clean(d, &c->at, proc_now_us() / 1000000, &c->next,
					  &c->removed, &c->err);
}

static void
cleaned(struct errand *e)
{
	struct cleaning *c = (struct cleaning *)e;

	c->running = false;
	if (c->result != DIRECTORY_DONE)
		logline(LOGLINE_WARNING, "directory.uncleaned", L_ERR(&c->err));
	else
		c->at = c->next;
	again_in(c, c->result == DIRECTORY_DONE && c->at.n > 0 ? CLEAN_PAGE_S
							       : CLEAN_AGAIN_S);
}

static const struct errand_kind cleaning = {DIRECTORY_CHANGES, look_up, cleaned,
					    cleaned};

void
cleaning_go_on(struct cleaning *c)
{
	if (c->running)
		return;
	c->running = true;
	if (errand_run(&c->errand))
		return;
	c->running = false;
	again_in(c, CLEAN_PAGE_S);
}

static void
on_time(int fd, short what, void *context)
{
	(void)fd;
	(void)what;
	cleaning_go_on(context);
}

struct cleaning *
cleaning_new(struct authd *a)
{
	struct cleaning *c = memory_new(1, sizeof(*c));

	c->errand = (struct errand){.kind = &cleaning, .authd = a};
	c->timer = evtimer_new(proc_base(a->proc), on_time, c);
	ASSERT(c->timer);
	again_in(c, CLEAN_PAGE_S);
	return c;
}

void
cleaning_free(struct cleaning **c)
{
	if (!*c)
		return;
	errand_cancel(&(*c)->errand);
	event_free((*c)->timer);
	free(*c);
	*c = NULL;
}
