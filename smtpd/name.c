#include "smtpd/name.h"

#include "common/smtp/smtp.h"

#include <event2/event.h>

struct name {
	struct dns_client *dns;
	struct dns_ask *ask;
	struct event *timer;
	name_done *done;
	void *context;
	uint8_t ip[16];
	enum name_state state;
	bool unsure; /* of one of the names so far */
	char names[NAMES_MAX][DNS_NAME_MAX + 1];
	size_t n, next; /* the last one asked about stands before `next` */
};

/* --- records -----------------------------------------------------------------------
 */

/* Is it a host, and no address? "unknown" is what tables call a client without. */
static bool
possible(struct span name)
{
	struct span last = span_after(name, span_find_last(name, '.') + 1);
	bool letters = false;

	if (last.n == 0)
		last = name;
	for (size_t i = 0; i < last.n; i++)
		letters |= !ascii_digit(last.at[i]);
	return letters && name.n <= DNS_NAME_MAX && smtp_domain_valid(name, false) &&
	       !span_equal_nocase(name, SPAN("unknown"));
}

/* Where it stands among the n sorted ones; n when it is there already. */
static size_t
place_of(char names[NAMES_MAX][DNS_NAME_MAX + 1], size_t n, struct span name,
	 bool *known)
{
	size_t i = 0;
	int order = -1;

	while (i < n && (order = span_compare(span_str(names[i]), name)) < 0)
		i++;
	*known = i < n && order == 0;
	return i;
}

size_t
name_candidates(struct span records, char names[NAMES_MAX][DNS_NAME_MAX + 1])
{
	struct cursor c = cursor_make(records);
	struct dns_record r;
	size_t n = 0;

	while (dns_record_next(&c, &r)) {
		bool known;
		size_t at = place_of(names, n, r.name, &known);

		if (r.type != DNS_PTR || !possible(r.name) || known || at == NAMES_MAX)
			continue;
		n += n < NAMES_MAX;
		memmove(names[at + 1 < n ? at + 1 : at], names[at],
			(n - at - 1) * sizeof(names[0]));
		ASSERT(span_copy(r.name, names[at], sizeof(names[at])));
	}
	return n;
}

bool
name_confirms(struct span records, const uint8_t ip[16])
{
	struct cursor c = cursor_make(records);
	struct dns_record r;
	uint8_t own[16];

	while (dns_record_next(&c, &r)) {
		if (r.type != DNS_A && r.type != DNS_AAAA)
			continue;
		dns_record_ip(&r, own);
		if (memcmp(own, ip, sizeof(own)) == 0)
			return true;
	}
	return false;
}

/* --- asking ------------------------------------------------------------------------
 */

static bool
is_ipv4(const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

/* The owner may free it from within `done`. */
static void
finish(struct name *n, enum name_state state)
{
	n->state = state;
	dns_client_cancel(&n->ask);
	event_del(n->timer);
	n->done(n->context);
}

static void on_addresses(void *context, const struct dns_answer *answer);

static void
ask_next(struct name *n)
{
	if (n->next == n->n) {
		finish(n, n->unsure ? NAME_UNSURE : NAME_NONE);
		return;
	}
	n->ask = dns_client_ask(n->dns, is_ipv4(n->ip) ? DNS_A : DNS_AAAA,
				span_str(n->names[n->next]), on_addresses, n);
	n->next++;
}

static void
on_addresses(void *context, const struct dns_answer *answer)
{
	struct name *n = context;

	n->ask = NULL;
	n->unsure |= answer->outcome == DNS_LATER;
	if (answer->outcome == DNS_OK && name_confirms(answer->records, n->ip))
		finish(n, NAME_KNOWN);
	else
		ask_next(n);
}

static void
on_names(void *context, const struct dns_answer *answer)
{
	struct name *n = context;

	n->ask = NULL;
	n->unsure = answer->outcome == DNS_LATER;
	if (answer->outcome == DNS_OK)
		n->n = name_candidates(answer->records, n->names);
	ask_next(n);
}

static void
on_patience_end(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	finish(context, NAME_UNSURE);
}

struct name *
name_new(struct event_base *base, struct dns_client *dns, const uint8_t ip[16],
	 uint64_t patience_ms, name_done *done, void *context)
{
	struct timeval patience = {(time_t)(patience_ms / 1000),
				   (suseconds_t)(patience_ms % 1000 * 1000)};
	struct buf reverse = buf_make(DNS_NAME_MAX);
	struct name *n = memory_new(1, sizeof(*n));

	n->dns = dns;
	n->done = done;
	n->context = context;
	memcpy(n->ip, ip, sizeof(n->ip));
	n->timer = evtimer_new(base, on_patience_end, n);
	ASSERT(n->timer && evtimer_add(n->timer, &patience) == 0);
	dns_reverse_put(ip, &reverse);
	n->ask = dns_client_ask(dns, DNS_PTR, buf_span(&reverse), on_names, n);
	buf_release(&reverse);
	return n;
}

void
name_free(struct name **n)
{
	if (!*n)
		return;
	dns_client_cancel(&(*n)->ask);
	event_free((*n)->timer);
	free(*n);
	*n = NULL;
}

enum name_state
name_state(const struct name *n)
{
	return n->state;
}

struct span
name_text(const struct name *n)
{
	return n->state == NAME_KNOWN ? span_str(n->names[n->next - 1]) : SPAN("");
}
