#include "authd/opening.h"

#include <event2/event.h>

#define AGAIN_S 1

/* One domain of the setting after the other is looked for, and made. */
struct opening {
	struct errand errand;
	struct event *again;
	size_t next;                           /* of the setting's */
	char domain[DIRECTORY_DOMAIN_MAX + 1]; /* that is looked for now */
	bool anew;                             /* the settings have changed meanwhile */
	enum directory_result result;
	bool told;
	struct err err;
};

static const struct conf_list *
wanted(const struct authd *a)
{
	return &proc_settings(a->proc)->domains;
}

static enum directory_result
add_domain(struct directory *d, const char *name, struct err *err)
{
	const struct directory_object domain = {.kind = DIRECTORY_DOMAIN,
						.name = span_str(name)};

	return directory_add(d, &domain, proc_now_us() / 1000000, err);
}

static void
tell_made(const char *domain)
{
	logline(LOGLINE_INFO, "directory.domain.made", L_STR("domain", domain));
}

static void
add(struct directory *d, struct errand *e)
{
	struct opening *o = (struct opening *)e;

	o->result = add_domain(d, o->domain, &o->err);
}

static void
drop(struct errand *e)
{
	opening_free(&e->authd->opening);
}

static void done(struct errand *e);

static const struct errand_kind adding = {DIRECTORY_CHANGES, add, done, drop};

/* From the loop, so that a thousand domains are no thousand calls within each other. */
static void
go_on(struct opening *o, time_t seconds)
{
	const struct timeval wait = {seconds, 0};

	evtimer_add(o->again, &wait);
}

/* Its own copy: the settings may be others when it is answered. The setting has no name
 * that is too long. */
static bool
take_name(struct opening *o, const struct conf_list *domains)
{
	return span_copy(span_str(domains->at[o->next]), o->domain, sizeof(o->domain));
}

static void
on_again(evutil_socket_t fd, short what, void *context)
{
	struct opening *o = context;
	const struct conf_list *domains = wanted(o->errand.authd);

	(void)fd, (void)what;
	if (o->anew)
		o->next = 0;
	o->anew = false;
	if (o->next >= domains->n)
		drop(&o->errand);
	else if (!take_name(o, domains) || !errand_run(&o->errand))
		go_on(o, AGAIN_S);
}

static void
done(struct errand *e)
{
	struct opening *o = (struct opening *)e;

	if (o->result == DIRECTORY_FAULT) {
		if (!o->told)
			logline(LOGLINE_ERROR, "directory.waits", L_ERR(&o->err));
		o->told = true;
		go_on(o, AGAIN_S);
		return;
	}
	if (o->result == DIRECTORY_DONE)
		tell_made(o->domain);
	else if (o->result != DIRECTORY_EXISTS)
		logline(LOGLINE_ERROR, "directory.domain.refused",
			L_STR("domain", o->domain), L_ERR(&o->err));
	o->next++;
	go_on(o, 0);
}

/* Files of this machine answer at once, and a fault is one of the start. */
static int
make_now(struct authd *a, struct err *err)
{
	for (size_t i = 0; i < wanted(a)->n; i++) {
		const char *domain = wanted(a)->at[i];
		enum directory_result r = add_domain(a->directory, domain, err);

		if (r != DIRECTORY_DONE && r != DIRECTORY_EXISTS)
			return -1;
		if (r == DIRECTORY_DONE)
			tell_made(domain);
	}
	return 0;
}

int
opening_start(struct authd *a, struct err *err)
{
	struct directory_options options;

	directory_options_of(proc_settings(a->proc), &options);
	options.base = proc_base(a->proc);
	if (directory_open(&options, &a->directory, err) != DIRECTORY_DONE)
		return -1;
	if (options.backend == DIRECTORY_BERKELEY)
		return make_now(a, err);
	opening_again(a);
	return 0;
}

void
opening_again(struct authd *a)
{
	struct directory_options options;
	struct opening *o = a->opening;

	directory_options_of(proc_settings(a->proc), &options);
	if (options.backend == DIRECTORY_SQL)
		return; /* whose domains are not ours to make */
	if (o) {
		o->anew = true;
		return;
	}
	a->opening = o = memory_new(1, sizeof(*o));
	o->errand = (struct errand){.kind = &adding, .authd = a};
	o->again = evtimer_new(proc_base(a->proc), on_again, o);
	ASSERT(o->again);
	go_on(o, 0);
}

void
opening_free(struct opening **o)
{
	if (!*o)
		return;
	errand_cancel(&(*o)->errand);
	event_free((*o)->again);
	free(*o);
	*o = NULL;
}
