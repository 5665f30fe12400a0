#include "authd/opening.h"

#include <event2/event.h>

#define AGAIN_S 1

/* First whether there are domains, then one after the other is added. */
struct opening {
	struct errand errand;
	struct event *again;
	bool looked;
	size_t next; /* of the setting's */
	enum directory_result result;
	size_t found;
	bool told;
	struct err err;
};

static const struct conf_list *
wanted(const struct authd *a)
{
	return &proc_settings(a->proc)->domains;
}

/* *n is 1 when there is a domain. */
static enum directory_result
any_domain(struct directory *d, size_t *n, struct err *err)
{
	const struct span none = {0};
	struct directory_object any;
	struct arena arena;
	enum directory_result r;

	*n = 0;
	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	r = directory_page(d, DIRECTORY_DOMAIN, none, none, none, &arena, &any, 1, n,
			   err);
	arena_release(&arena);
	return r;
}

static enum directory_result
add_domain(struct directory *d, const char *name, struct err *err)
{
	const struct directory_object domain = {.kind = DIRECTORY_DOMAIN,
						.name = span_str(name)};

	return directory_add(d, &domain, proc_now_us() / 1000000, err);
}

static void
look(struct directory *d, struct errand *e)
{
	struct opening *o = (struct opening *)e;

	o->result = any_domain(d, &o->found, &o->err);
}

static void
add(struct directory *d, struct errand *e)
{
	struct opening *o = (struct opening *)e;
	const char *domain = wanted(e->authd)->at[o->next];

	o->result = add_domain(d, domain, &o->err);
}

static void
drop(struct errand *e)
{
	struct opening *o = (struct opening *)e;

	event_free(o->again);
	free(o);
}

static void done(struct errand *e);

static const struct errand_kind looking = {DIRECTORY_READS, look, done, drop};
static const struct errand_kind adding = {DIRECTORY_CHANGES, add, done, drop};

/* From the loop, so that a thousand domains are no thousand calls within each other. */
static void
go_on(struct opening *o, time_t seconds)
{
	const struct timeval wait = {seconds, 0};

	evtimer_add(o->again, &wait);
}

static void
on_again(evutil_socket_t fd, short what, void *context)
{
	struct opening *o = context;

	(void)fd, (void)what;
	o->errand.kind = o->looked ? &adding : &looking;
	if (!errand_run(&o->errand))
		go_on(o, AGAIN_S);
}

static void
took(struct opening *o)
{
	const struct conf_list *domains = wanted(o->errand.authd);

	if (!o->looked && o->found > 0)
		o->next = domains->n;
	else if (o->looked)
		logline(LOGLINE_INFO, "directory.domain.made",
			L_STR("domain", domains->at[o->next++]));
	o->looked = true;
	if (o->next < domains->n)
		go_on(o, 0);
	else
		drop(&o->errand);
}

static void
done(struct errand *e)
{
	struct opening *o = (struct opening *)e;

	if (o->result != DIRECTORY_FAULT) {
		took(o);
		return;
	}
	if (!o->told)
		logline(LOGLINE_ERROR, "directory.waits", L_ERR(&o->err));
	o->told = true;
	go_on(o, AGAIN_S);
}

/* Files of this machine answer at once, and a fault is one of the start. */
static int
make_now(struct authd *a, struct err *err)
{
	size_t n;

	if (any_domain(a->directory, &n, err) != DIRECTORY_DONE)
		return -1;
	for (size_t i = 0; n == 0 && i < wanted(a)->n; i++) {
		const char *domain = wanted(a)->at[i];
		enum directory_result r = add_domain(a->directory, domain, err);

		if (r != DIRECTORY_DONE && r != DIRECTORY_EXISTS)
			return -1;
		logline(LOGLINE_INFO, "directory.domain.made", L_STR("domain", domain));
	}
	return 0;
}

int
opening_start(struct authd *a, struct err *err)
{
	struct directory_options options;
	struct opening *o;

	directory_options_of(proc_settings(a->proc), &options);
	options.base = proc_base(a->proc);
	if (directory_open(&options, &a->directory, err) != DIRECTORY_DONE)
		return -1;
	if (options.backend == DIRECTORY_BERKELEY)
		return make_now(a, err);
	if (options.backend == DIRECTORY_SQL)
		return 0; /* whose domains are not ours to make */
	o = memory_new(1, sizeof(*o));
	o->errand.authd = a;
	o->again = evtimer_new(options.base, on_again, o);
	ASSERT(o->again);
	go_on(o, 0);
	return 0;
}
