#include "resolver/lookup.h"
#include "resolver/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <unbound.h>
#include <unbound-event.h>

#define CLASS_IN 1
#define TEXT_MAX 400

enum lookup_state {
	LOOKUP_ASKED,  /* libunbound has it */
	LOOKUP_READY,  /* the callback is due */
	LOOKUP_LATE,   /* the same, but libunbound still has it */
	LOOKUP_ORPHAN, /* nobody wants it; libunbound still has it */
};

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct lookups *all;
	enum lookup_state state;
	enum dns_type type;
	char name[DNS_NAME_MAX + 1];
	uint64_t deadline_ms;
	lookup_done *done;
	void *context;
	struct dns_answer answer;
	struct message_answer found;
	struct buf records;
	char text[TEXT_MAX];
};

void
lookups_init(struct lookups *all, struct ub_ctx *ctx, uint64_t (*clock_ms)(void))
{
	*all = (struct lookups){.ctx = ctx, .clock_ms = clock_ms};
	TAILQ_INIT(&all->asked);
	TAILQ_INIT(&all->ready);
}

static void
lookup_free(struct lookup *l)
{
	l->all->n--;
	buf_release(&l->records);
	free(l);
}

/* The only place that changes l->state, and with it the list l stands in. */
static void
enter(struct lookup *l, enum lookup_state to)
{
	struct lookups *all = l->all;

	if (l->state == LOOKUP_ASKED)
		TAILQ_REMOVE(&all->asked, l, link);
	else if (l->state != LOOKUP_ORPHAN)
		TAILQ_REMOVE(&all->ready, l, link);
	if (to == LOOKUP_READY || to == LOOKUP_LATE)
		TAILQ_INSERT_TAIL(&all->ready, l, link);
	l->state = to;
}

/* --- what the answer says ------------------------------------------------- */

static void PRINTF(2, 3) later(struct lookup *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(l->text, sizeof(l->text), format, args);
	va_end(args);
	l->all->count.failed++;
	l->answer.outcome = DNS_LATER;
	l->answer.ttl_s = LOOKUP_LATER_S;
	buf_reset(&l->records);
}

/* Nobody's forgery, but ours to mend: servers that drop signatures, a wrong anchor, a
 * clock that is off. Told once, and again after a signature was right. */
static void
blind(struct lookups *all, const char *why)
{
	if (!all->blind)
		logline(LOGLINE_ERROR, "resolver.blind", L_STR("why", why));
	all->blind = true;
}

static void
bogus(struct lookup *l, const char *why)
{
	why = why ? why : "no reason is known";
	l->all->count.bogus++;
	later(l, "the DNS answer for %s %s is forged or broken (DNSSEC): %s", l->name,
	      dns_type_name(l->type), why);
	l->answer.security = DNS_BOGUS;
	if (strstr(why, "trust anchor"))
		blind(l->all, why);
	else
		logline(LOGLINE_WARNING, "resolver.bogus", L_STR("name", l->name),
			L_STR("type", dns_type_name(l->type)), L_STR("why", why));
}

static const char *
rcode_name(int rcode)
{
	static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
					    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	return rcode >= 0 && (size_t)rcode < N_ELEMS(names) ? names[rcode] : "error";
}

static void
found(struct lookup *l, enum dns_outcome outcome, bool secure)
{
	l->answer.outcome = outcome;
	l->answer.security = secure ? DNS_SECURE : DNS_INSECURE;
	l->answer.ttl_s = l->found.ttl_s;
	if (!secure) {
		l->all->count.insecure++;
		return;
	}
	l->all->count.secure++;
	l->all->blind = false;
}

static void
read_packet(struct lookup *l, struct span packet, bool secure)
{
	const char *type = dns_type_name(l->type);

	switch (
	    message_read(packet, span_str(l->name), l->type, &l->records, &l->found)) {
	case MESSAGE_OK:
		found(l, DNS_OK, secure);
		return;
	case MESSAGE_NO_NAME:
		found(l, DNS_NO_NAME, secure);
		return;
	case MESSAGE_NO_DATA:
		found(l, DNS_NO_DATA, secure);
		return;
	case MESSAGE_SERVER:
		later(l, "the DNS servers for %s %s answer with %s", l->name, type,
		      rcode_name((int)l->found.rcode));
		return;
	case MESSAGE_CHAIN:
		later(l, "%s leads over more than %d aliases (CNAME), or in a circle",
		      l->name, MESSAGE_CNAMES_MAX);
		return;
	case MESSAGE_TOO_BIG:
		later(l, "the DNS answer for %s %s is too big", l->name, type);
		return;
	case MESSAGE_USELESS:
	case MESSAGE_BROKEN:
		later(l, "the DNS answer for %s %s cannot be read", l->name, type);
		return;
	}
}

static void
on_answer(void *context, int rcode, void *packet, int bytes, int security,
	  char *why_bogus, int limited)
{
	struct lookup *l = context;

	(void)limited;
	if (l->state == LOOKUP_ORPHAN) {
		enter(l, LOOKUP_READY); /* out of no list, so that one way frees all */
		l->done = NULL;
		return;
	}
	if (l->state == LOOKUP_LATE) {
		l->state = LOOKUP_READY;
		return;
	}
	enter(l, LOOKUP_READY);
	if (rcode != 0)
		later(l, "no DNS server gives an answer for %s %s (%s)", l->name,
		      dns_type_name(l->type), rcode_name(rcode));
	else if (security == 1)
		bogus(l, why_bogus);
	else
		read_packet(l, span_make(packet, (size_t)bytes), security == 2);
}

/* --- life ----------------------------------------------------------------- */

struct lookup *
lookup_start(struct lookups *all, enum dns_type type, struct span name,
	     lookup_done *done, void *context)
{
	struct lookup *l = memory_new(1, sizeof(*l));
	int code;

	l->all = all;
	l->type = type;
	l->done = done;
	l->context = context;
	l->records = buf_make(DNS_RECORDS_BYTES_MAX);
	l->deadline_ms = all->clock_ms() + LOOKUP_DEADLINE_MS;
	ASSERT(span_copy(name, l->name, sizeof(l->name)));
	TAILQ_INSERT_TAIL(&all->asked, l, link);
	all->n++;
	all->count.started++;
	if (all->n > LOOKUPS_MAX) {
		enter(l, LOOKUP_READY);
		later(l, "too many DNS questions at once");
		return l;
	}
	/* May call on_answer() before it returns. */
	code = ub_resolve_event(all->ctx, l->name, (int)type, CLASS_IN, l, on_answer,
				NULL);
	if (code != 0) {
		enter(l, LOOKUP_READY);
		later(l, "the DNS library fails: %s", ub_strerror(code));
	}
	return l;
}

void
lookup_cancel(struct lookup **lookup)
{
	struct lookup *l = *lookup;

	*lookup = NULL;
	if (!l)
		return;
	l->done = NULL;
	if (l->state == LOOKUP_ASKED || l->state == LOOKUP_LATE)
		enter(l, LOOKUP_ORPHAN);
}

static void
tell(struct lookup *l)
{
	l->answer.name =
	    span_str(l->answer.outcome == DNS_LATER ? l->name : l->found.name);
	l->answer.records =
	    l->answer.outcome == DNS_OK ? buf_span(&l->records) : SPAN("");
	l->answer.text = span_str(l->text);
	l->done(l->context, &l->answer);
}

void
lookups_turn(struct lookups *all)
{
	struct lookup *l;

	while ((l = TAILQ_FIRST(&all->ready))) {
		if (l->done)
			tell(l);
		l->done = NULL;
		if (l->state == LOOKUP_LATE) {
			enter(l, LOOKUP_ORPHAN);
		} else if (l->state == LOOKUP_READY) {
			TAILQ_REMOVE(&all->ready, l, link);
			lookup_free(l);
		}
	}
}

void
lookups_tick(struct lookups *all)
{
	uint64_t now_ms = all->clock_ms();
	struct lookup *l;

	while ((l = TAILQ_FIRST(&all->asked)) && l->deadline_ms <= now_ms) {
		all->count.late++;
		enter(l, LOOKUP_LATE);
		later(l, "no DNS server answers for %s %s", l->name,
		      dns_type_name(l->type));
	}
}

bool
lookups_open(const struct lookups *all)
{
	return !TAILQ_EMPTY(&all->asked);
}
