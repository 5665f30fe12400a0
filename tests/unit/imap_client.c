#include "tests/unit/imap_client.h"

static const struct {
	const char *name;
	uint32_t bit;
} flag_names[] = {
    {"\\Seen",     STORE_SEEN         },
    {"\\Answered", STORE_ANSWERED     },
    {"\\Flagged",  STORE_FLAGGED      },
    {"\\Deleted",  STORE_DELETED      },
    {"\\Draft",    STORE_DRAFT        },
    {"\\Recent",   0                  },
    {"k0",         CLIENT_KEYWORD     },
    {"k1",         CLIENT_KEYWORD << 1},
    {"k2",         CLIENT_KEYWORD << 2},
    {"k3",         CLIENT_KEYWORD << 3},
};

static void
wrong(struct client *c, const char *what)
{
	if (!c->fault)
		c->fault = what;
}

/* --- taking pieces off a line --------------------------------------------- */

static bool
take(struct span *s, const char *text)
{
	struct span want = span_str(text);

	if (!span_starts(*s, want))
		return false;
	*s = span_after(*s, want.n);
	return true;
}

static bool
take_number(struct span *s, uint64_t *out)
{
	size_t n = 0;

	while (n < s->n && ascii_digit(s->at[n]))
		n++;
	if (!number_parse(span_first(*s, n), UINT64_MAX, out))
		return false;
	*s = span_after(*s, n);
	return true;
}

static bool
take_u32(struct span *s, uint32_t *out)
{
	uint64_t number;

	if (!take_number(s, &number) || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool
take_range(struct span *s, uint32_t *first, uint32_t *last)
{
	if (!take_u32(s, first))
		return false;
	*last = *first;
	return !take(s, ":") || take_u32(s, last);
}

bool
client_set(struct span text, uint32_t *out, size_t max, size_t *n)
{
	uint32_t first, last;

	*n = 0;
	do {
		if (!take_range(&text, &first, &last) || last < first)
			return false;
		for (uint64_t i = first; i <= last; i++) {
			if (*n == max)
				return false;
			out[(*n)++] = (uint32_t)i;
		}
	} while (take(&text, ","));
	return text.n == 0;
}

struct span
client_code(const struct client *c, const char *name)
{
	struct span s = span_str(c->tagged), begin = span_str(name);
	size_t at = span_find_span(s, begin);

	if (at == s.n)
		return SPAN("");
	s = span_after(s, at + begin.n);
	return span_first(s, span_find(s, ']'));
}

/* --- the mailbox ---------------------------------------------------------- */

struct client_message *
client_find(struct client *c, uint32_t uid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->at[i].uid == uid)
			return &c->at[i];
	return NULL;
}

void
client_forget(struct client *c)
{
	c->n = 0;
	c->selected = false;
	c->uidnext = 0;
	c->highest = 0;
}

static void
remove_at(struct client *c, size_t i)
{
	memmove(&c->at[i], &c->at[i + 1], (c->n - i - 1) * sizeof(c->at[0]));
	c->n--;
}

static void
on_exists(struct client *c, uint64_t n)
{
	if (n < c->n || n > CLIENT_MESSAGES) {
		wrong(c, "EXISTS is less than there are");
		return;
	}
	while (c->n < n)
		c->at[c->n++] = (struct client_message){0};
}

static void
on_expunge(struct client *c, uint64_t number)
{
	if (c->numbers_stay)
		wrong(c, "EXPUNGE while numbers must stay");
	if (c->qresync)
		wrong(c, "EXPUNGE instead of VANISHED");
	if (number < 1 || number > c->n)
		wrong(c, "EXPUNGE of a number that is not there");
	else
		remove_at(c, (size_t)number - 1);
}

/* Where a uid is, or, when its uid was not told yet, must be. */
static size_t
place_of(const struct client *c, uint32_t uid)
{
	size_t i = 0;

	for (size_t k = 0; k < c->n; k++)
		if (c->at[k].uid == uid)
			return k;
	for (size_t k = 0; k < c->n; k++)
		if (c->at[k].uid > 0 && c->at[k].uid < uid)
			i = k + 1;
	return i < c->n && c->at[i].uid == 0 ? i : c->n;
}

static void
on_vanished(struct client *c, struct span rest)
{
	bool earlier = take(&rest, "(EARLIER) ");
	uint32_t first, last;

	if (!c->qresync)
		wrong(c, "VANISHED to who did not ask");
	if (!earlier && c->numbers_stay)
		wrong(c, "VANISHED while numbers must stay");
	do {
		if (!take_range(&rest, &first, &last) || first > last) {
			wrong(c, "VANISHED cannot be read");
			return;
		}
		if (earlier) {
			if (c->vanished.n > 0 &&
			    first <= c->vanished.at[c->vanished.n - 1].last)
				wrong(c, "VANISHED out of order");
			else
				imap_ranges_add(&c->vanished, first, last);
			continue;
		}
		for (uint32_t uid = first; uid <= last; uid++) {
			size_t i = place_of(c, uid);

			if (i == c->n)
				wrong(c, "VANISHED of a uid that is not there");
			else
				remove_at(c, i);
		}
	} while (take(&rest, ","));
}

/* --- FETCH ---------------------------------------------------------------- */

static bool
take_flags(struct client *c, struct span *s, uint32_t *out)
{
	uint32_t flags = 0;

	if (!take(s, "("))
		return false;
	while (s->n > 0 && s->at[0] != ')') {
		size_t n = 0, k = 0;
		struct span word;

		while (n < s->n && s->at[n] != ' ' && s->at[n] != ')')
			n++;
		word = span_first(*s, n);
		while (k < N_ELEMS(flag_names) &&
		       !span_equal(word, span_str(flag_names[k].name)))
			k++;
		if (k == N_ELEMS(flag_names))
			return false;
		if (flag_names[k].bit == 0 && c->rev2)
			wrong(c, "\\Recent in IMAP4rev2");
		flags |= flag_names[k].bit;
		*s = span_after(*s, n);
		(void)take(s, " ");
	}
	*out = flags;
	return take(s, ")");
}

static bool
fetch_items(struct client *c, struct client_message *m, struct span *s)
{
	uint64_t number;
	uint32_t uid;

	if (take(s, "UID ")) {
		if (!take_u32(s, &uid))
			return false;
		if (m->uid != 0 && m->uid != uid)
			wrong(c, "a number has another UID");
		m->uid = uid;
		return true;
	}
	if (take(s, "FLAGS ")) {
		m->flags_told = true;
		return take_flags(c, s, &m->flags);
	}
	if (take(s, "MODSEQ (")) {
		if (!take_number(s, &number) || !take(s, ")"))
			return false;
		if (number < m->modseq)
			wrong(c, "MODSEQ went back");
		m->modseq = number;
		return true;
	}
	if (take(s, "BODY[TEXT] {")) {
		if (!take_number(s, &number) || !take(s, "}\r\n") || number > s->n)
			return false;
		*s = span_after(*s, (size_t)number);
		return true;
	}
	return false;
}

static void
on_fetch(struct client *c, uint64_t number, struct span rest)
{
	if (number < 1 || number > c->n) {
		wrong(c, "FETCH of a number that is not there");
		return;
	}
	if (!take(&rest, "(")) {
		wrong(c, "FETCH cannot be read");
		return;
	}
	do
		if (!fetch_items(c, &c->at[number - 1], &rest)) {
			wrong(c, "an item of FETCH cannot be read");
			return;
		}
	while (take(&rest, " "));
	if (!span_equal(rest, SPAN(")")))
		wrong(c, "FETCH has no end");
	if (c->n_fetched < CLIENT_MESSAGES)
		c->fetched[c->n_fetched++] = (uint32_t)number;
}

/* --- the rest ------------------------------------------------------------- */

static void
on_search(struct client *c, struct span rest)
{
	while (take(&rest, " "))
		if (c->n_found == CLIENT_MESSAGES || rest.n == 0 ||
		    !take_u32(&rest, &c->found[c->n_found++])) {
			wrong(c, "SEARCH cannot be read");
			return;
		}
}

static void
on_esearch(struct client *c, struct span rest)
{
	size_t at = span_find_span(rest, SPAN(" ALL "));

	if (at == rest.n)
		return;
	rest = span_after(rest, at + 5);
	rest = span_first(rest, span_find(rest, ' '));
	if (!client_set(rest, c->found, CLIENT_MESSAGES, &c->n_found))
		wrong(c, "ESEARCH cannot be read");
}

static void
on_status(struct client *c, struct span rest)
{
	size_t at = span_find(rest, '(');

	rest = span_after(rest, at + 1);
	do {
		bool good = true;

		if (take(&rest, "MESSAGES "))
			good = take_u32(&rest, &c->status_messages);
		else if (take(&rest, "UIDNEXT "))
			good = take_u32(&rest, &c->status_uidnext);
		else if (take(&rest, "UNSEEN "))
			good = take_u32(&rest, &c->status_unseen);
		else if (take(&rest, "HIGHESTMODSEQ "))
			good = take_number(&rest, &c->status_highest);
		if (!good)
			wrong(c, "STATUS cannot be read");
	} while (take(&rest, " "));
}

static void
on_ok(struct client *c, struct span rest)
{
	uint64_t number;

	if (take(&rest, "[CLOSED]"))
		client_forget(c);
	else if (take(&rest, "[UIDVALIDITY ") && take_number(&rest, &number))
		c->uidvalidity = (uint32_t)number;
	else if (take(&rest, "[UIDNEXT ") && take_number(&rest, &number))
		c->uidnext = (uint32_t)number;
	else if (take(&rest, "[HIGHESTMODSEQ ") && take_number(&rest, &number))
		c->highest = number;
}

static void
on_numbered(struct client *c, uint64_t number, struct span rest)
{
	if (take(&rest, " EXISTS"))
		on_exists(c, number);
	else if (take(&rest, " EXPUNGE"))
		on_expunge(c, number);
	else if (take(&rest, " FETCH "))
		on_fetch(c, number, rest);
	else if (!take(&rest, " RECENT") || c->rev2)
		wrong(c, "an unknown response about a message");
}

static void
on_untagged(struct client *c, struct span s)
{
	uint64_t number;

	if (s.n > 0 && ascii_digit(s.at[0]) && take_number(&s, &number))
		on_numbered(c, number, s);
	else if (take(&s, "VANISHED "))
		on_vanished(c, s);
	else if (take(&s, "SEARCH"))
		on_search(c, s);
	else if (take(&s, "ESEARCH"))
		on_esearch(c, s);
	else if (take(&s, "STATUS "))
		on_status(c, s);
	else if (take(&s, "OK "))
		on_ok(c, s);
	else if (take(&s, "BYE "))
		c->bye = true;
	else if (!take(&s, "FLAGS ") && !take(&s, "LIST ") && !take(&s, "ENABLED"))
		wrong(c, "an unknown response");
}

/* A response with the literals in it, without its CRLF. */
static struct span
take_response(struct span *rest)
{
	struct span all = *rest, line, digits;
	uint64_t literal;

	for (;;) {
		line = span_cut(rest, '\n');
		if (line.n < 2 || line.at[line.n - 2] != '}')
			break;
		digits = span_first(line, line.n - 2);
		digits = span_after(digits, span_find_last(digits, '{') + 1);
		if (!number_parse(digits, 1 << 20, &literal))
			break;
		*rest = span_after(*rest, (size_t)literal);
	}
	all = span_first(all, (size_t)(rest->at - all.at));
	return span_first(all, all.n >= 2 ? all.n - 2 : 0);
}

void
client_read(struct client *c, struct span rest)
{
	c->n_fetched = c->n_found = 0;
	imap_ranges_release(&c->vanished);
	c->tagged[0] = '\0';
	while (rest.n > 0 && !c->fault) {
		struct span s = take_response(&rest), line = s;

		if (take(&s, "* "))
			on_untagged(c, s);
		else if (take(&s, "t ") && !span_copy(s, c->tagged, sizeof(c->tagged)))
			wrong(c, "a tagged answer is too long");
		if (c->fault)
			snprintf(c->fault_line, sizeof(c->fault_line), "%.*s",
				 (int)(line.n < 250 ? line.n : 250), line.at);
	}
}
