/* tests/unit/test_imap_model.c - random sessions of one account against a simple model
 *
 * Four sessions, a program that delivers and one that deletes, all on one store. The
 * model (struct truth) is what [RFC3501 5-6] and [RFC7162] say of the commands that
 * were answered OK; each client (imap_client.h) knows what it was told. After a NOOP a
 * client must know all that is true: messages, uids, flags. In between it must know
 * nothing that never was.
 *
 * SEED= and COMMANDS= from the environment replay a run.
 */
#include "tests/unit/imap_client.h"

#include <time.h>

#define SESSIONS     4
#define BOXES        4
#define MESSAGES_MAX 60 /* about that many in a mailbox */
#define TRACE_LINES  40
#define ALL_FLAGS    (STORE_FLAGS | 15u * CLIENT_KEYWORD)

/* --- what is true --------------------------------------------------------------------
 */

struct fact {
	uint32_t uid;
	uint32_t flags;
	uint64_t modseq; /* of the flags as they are; 0: nobody saw it */
	uint64_t least;  /* the next must be above */
};

struct box {
	char name[20]; /* empty: there is none */
	uint32_t id, uidvalidity, uidnext;
	struct fact at[CLIENT_MESSAGES];
	size_t n;
	uint64_t highest;
};

struct player {
	struct client client;
	struct box *box; /* selected, or null */
	bool read_only;
	bool idling;
	/* A COPY or APPEND that waits for the disk: nobody may see what it made. */
	struct {
		struct box *box;
		struct fact at[CLIENT_MESSAGES];
		size_t n;
	} held;
	/* What it knew when it left a mailbox, to resynchronise with. */
	struct {
		struct box *box;
		struct fact at[CLIENT_MESSAGES];
		size_t n;
		uint64_t highest;
		uint32_t uidvalidity, uidnext;
	} cache;
};

struct game {
	struct harness h;
	struct store_account *deleter;
	struct box boxes[BOXES];
	struct player players[SESSIONS];
	uint64_t random;
	uint64_t n_commands;
	char trace[TRACE_LINES][200];
	size_t n_trace;
	struct buf line;
};

static uint64_t seed, commands_max = 10000;

static uint32_t
draw(struct game *g, uint32_t below)
{
	g->random = g->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((g->random >> 33) % below);
}

static void
trace(struct game *g, const char *who, struct span text)
{
	char *line = g->trace[g->n_trace++ % TRACE_LINES];

	snprintf(line, sizeof(g->trace[0]), "%s %.*s", who,
		 (int)(text.n < 180 ? text.n : 180), text.at);
}

static void
lose(struct game *g, const char *why, const char *detail)
{
	size_t from = g->n_trace < TRACE_LINES ? 0 : g->n_trace - TRACE_LINES;

	for (size_t i = from; i < g->n_trace; i++)
		fprintf(stderr, "%s\n", g->trace[i % TRACE_LINES]);
	fprintf(stderr, "command %llu: %s%s%s\nSEED=%llu COMMANDS=%llu\n",
		(unsigned long long)g->n_commands, why, detail ? ": " : "",
		detail ? detail : "", (unsigned long long)seed,
		(unsigned long long)commands_max);
	fail();
}

#define MUST(g, condition)                                                             \
	do {                                                                           \
		if (!(condition))                                                      \
			lose((g), #condition, NULL);                                   \
	} while (0)

static struct fact *
fact_find(struct box *b, uint32_t uid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->at[i].uid == uid)
			return &b->at[i];
	return NULL;
}

static void
fact_add(struct game *g, struct box *b, uint32_t flags)
{
	MUST(g, b->n < CLIENT_MESSAGES);
	b->at[b->n++] = (struct fact){.uid = b->uidnext++, .flags = flags};
}

/* Somebody synced: what was held can be seen. */
static void
truth_synced(struct game *g)
{
	for (uint32_t i = 0; i < SESSIONS; i++) {
		struct player *p = &g->players[i];

		for (size_t k = 0; k < p->held.n; k++) {
			struct box *b = p->held.box;
			size_t at = b->n;

			MUST(g, b->n < CLIENT_MESSAGES);
			while (at > 0 && b->at[at - 1].uid > p->held.at[k].uid)
				at--;
			memmove(&b->at[at + 1], &b->at[at],
				(b->n++ - at) * sizeof(b->at[0]));
			b->at[at] = p->held.at[k];
		}
		p->held.n = 0;
	}
}

/* What a client is told of it. */
static uint32_t
visible_uidnext(const struct game *g, const struct box *b)
{
	uint32_t next = b->uidnext;

	for (uint32_t i = 0; i < SESSIONS; i++)
		if (g->players[i].held.box == b && g->players[i].held.n > 0 &&
		    g->players[i].held.at[0].uid < next)
			next = g->players[i].held.at[0].uid;
	return next;
}

/* It never goes back, but before what is not durable yet. */
static void
highest_check(struct game *g, struct box *b, uint64_t highest)
{
	MUST(g, highest >= b->highest || visible_uidnext(g, b) < b->uidnext);
	if (highest > b->highest)
		b->highest = highest;
}

static void
fact_remove(struct box *b, uint32_t uid)
{
	struct fact *f = fact_find(b, uid);

	if (!f)
		return;
	memmove(f, f + 1, (size_t)(&b->at[b->n] - (f + 1)) * sizeof(*f));
	b->n--;
}

static void
fact_flags(struct fact *f, uint32_t flags)
{
	if (f->flags == flags)
		return;
	f->flags = flags;
	if (f->modseq > f->least)
		f->least = f->modseq;
	f->modseq = 0;
}

/* --- talking -------------------------------------------------------------------------
 */

/* What the client saw of the messages is true, as far as it can know. */
static void
check_fetched(struct game *g, struct player *p)
{
	struct client *c = &p->client;

	for (size_t i = 0; i < c->n_fetched && p->box; i++) {
		struct client_message *m;
		struct fact *f;

		if (c->fetched[i] > c->n)
			continue; /* expunged since */
		m = &c->at[c->fetched[i] - 1];
		f = m->uid ? fact_find(p->box, m->uid) : NULL;
		if (!f)
			continue;
		if (m->flags_told && m->flags != f->flags)
			lose(g, "flags are told that are not", NULL);
		if (m->modseq == 0)
			continue;
		MUST(g, f->modseq == 0 || f->modseq == m->modseq);
		MUST(g, f->modseq != 0 || m->modseq > f->least);
		f->modseq = m->modseq;
		if (f->modseq > p->box->highest)
			p->box->highest = f->modseq;
	}
}

static void
player_lost(struct game *g, struct player *p)
{
	size_t i = (size_t)(p - g->players);

	harness_end(&g->h, i);
	imap_ranges_release(&p->client.vanished);
	p->client = (struct client){0};
	p->box = NULL;
	p->idling = false;
	p->cache.box = NULL;
	p->held.box = NULL;
	p->held.n = 0;
}

static void
hear(struct game *g, struct player *p, struct span got)
{
	trace(g, "   <", got);
	client_read(&p->client, got);
	if (p->client.fault)
		lose(g, p->client.fault, p->client.fault_line);
}

static uint64_t
durable_now(struct game *g)
{
	fixture_check(&g->h.f, account_refresh(g->h.account, &g->h.f.err));
	return store_durable(g->h.f.account);
}

/* Sends a line, in two pieces at times. */
static void
send_line(struct game *g, struct player *p, const char *text)
{
	size_t i = (size_t)(p - g->players), n = strlen(text), cut;
	uint64_t durable = durable_now(g);
	struct buf got = buf_make(16 << 20);
	char who[8];

	snprintf(who, sizeof(who), "%zu >", i);
	trace(g, who, span_str(text));
	g->h.policy.limits.output_high = draw(g, 3) ? 256u << 10 : 50 + draw(g, 500);
	cut = draw(g, 4) == 0 ? draw(g, (uint32_t)n) : n;
	buf_put(&got, harness_send(&g->h, i, span_make(text, cut)));
	if (cut < n)
		buf_put(&got, harness_send(&g->h, i, span_make(text + cut, n - cut)));
	/* A journal file that is full is synced before the next is begun. */
	if (store_durable(g->h.f.account) > durable)
		truth_synced(g);
	hear(g, p, buf_span(&got));
	buf_release(&got);
	g->n_commands++;
}

static bool
ok(const struct player *p)
{
	return span_starts(span_str(p->client.tagged), SPAN("OK "));
}

/* "t " and CRLF are added. True for OK. */
static bool
say(struct game *g, struct player *p, const char *text)
{
	buf_reset(&g->line);
	buf_put_str(&g->line, "t ");
	buf_put_str(&g->line, text);
	buf_put(&g->line, span_make("\r\n\0", 3));
	send_line(g, p, g->line.at);
	check_fetched(g, p);
	if (p->client.tagged[0] == '\0' && !p->idling)
		lose(g, "there is no answer", text);
	return ok(p);
}

static bool sayf(struct game *g, struct player *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool
sayf(struct game *g, struct player *p, const char *format, ...)
{
	char text[4000];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return say(g, p, text);
}

/* As a client does that was told of messages by EXISTS alone. */
static void
learn(struct game *g, struct player *p)
{
	struct client *c = &p->client;

	for (size_t i = 0; i < c->n; i++) {
		if (c->at[i].uid && c->at[i].flags_told)
			continue;
		c->numbers_stay = true;
		MUST(g, sayf(g, p, "FETCH %zu:* (UID FLAGS%s)", i + 1,
			     c->condstore ? " MODSEQ" : ""));
		c->numbers_stay = false;
		return;
	}
}

/* The client knows all that is true. */
static void
check_all(struct game *g, struct player *p)
{
	const struct client *c = &p->client;
	const struct box *b = p->box;

	MUST(g, c->n == b->n);
	for (size_t i = 0; i < c->n; i++) {
		MUST(g, c->at[i].uid == b->at[i].uid);
		MUST(g, c->at[i].flags == b->at[i].flags);
		MUST(g, !c->condstore || b->at[i].modseq == 0 || c->at[i].modseq == 0 ||
			    c->at[i].modseq == b->at[i].modseq);
	}
}

static void
settle(struct game *g, struct player *p)
{
	MUST(g, say(g, p, draw(g, 3) ? "NOOP" : "CHECK"));
	learn(g, p);
	check_all(g, p);
}

/* --- sets
 * ------------------------------------------------------------------------------ */

struct chosen {
	char text[200];
	bool uid;
	bool in[CLIENT_MESSAGES]; /* by the client's numbers, from 0 */
};

static void
choose_range(const struct player *p, struct chosen *c, uint32_t a, uint32_t b)
{
	const struct client *client = &p->client;
	uint32_t low = a < b ? a : b, high = a < b ? b : a;

	for (size_t i = 0; i < client->n; i++) {
		uint32_t at = c->uid ? client->at[i].uid : (uint32_t)i + 1;

		c->in[i] |= at >= low && at <= high;
	}
}

/* A random set over what the client knows, which is at least one message. */
static void
choose(struct game *g, const struct player *p, struct chosen *c)
{
	const struct client *client = &p->client;
	uint32_t top = (uint32_t)client->n, star = top, parts = 1 + draw(g, 3);
	size_t at = 0;

	*c = (struct chosen){.uid = draw(g, 2)};
	if (c->uid) {
		star = client->at[client->n - 1].uid;
		top = star;
	}
	for (uint32_t i = 0; i < parts; i++) {
		uint32_t a = 1 + draw(g, top), b = a;

		at += (size_t)snprintf(c->text + at, sizeof(c->text) - at, "%s%u",
				       i ? "," : "", a);
		if (draw(g, 2)) {
			b = draw(g, 5) ? a + draw(g, 8) : star;
			if (b > top)
				b = top;
			at += (size_t)(draw(g, 8) == 0 && (b = star)
					   ? snprintf(c->text + at,
						      sizeof(c->text) - at, ":*")
					   : snprintf(c->text + at,
						      sizeof(c->text) - at, ":%u", b));
		}
		choose_range(p, c, a, b);
	}
}

static const char *
uid_word(const struct chosen *c)
{
	return c->uid ? "UID " : "";
}

/* The fact of the client's message i, if it is there and chosen. */
static struct fact *
chosen_fact(const struct player *p, const struct chosen *c, size_t i)
{
	return c->in[i] && p->client.at[i].uid ? fact_find(p->box, p->client.at[i].uid)
					       : NULL;
}

/* --- flags
 * ------------------------------------------------------------------------------ */

static uint32_t
draw_flags(struct game *g, bool deleted)
{
	uint32_t flags = (1u << draw(g, 3)) | (draw(g, 3) ? 0 : 1u << draw(g, 5));

	if (draw(g, 4) == 0)
		flags |= CLIENT_KEYWORD << draw(g, CLIENT_KEYWORDS);
	if (deleted && draw(g, 3) == 0)
		flags |= STORE_DELETED;
	return flags & ALL_FLAGS;
}

static const char *
flags_text(uint32_t flags, char out[100])
{
	static const char *const names[] = {"\\Seen",    "\\Answered", "\\Flagged",
					    "\\Deleted", "\\Draft",    "k0",
					    "k1",        "k2",         "k3"};
	static const uint32_t bits[] = {
	    STORE_SEEN,          STORE_ANSWERED,      STORE_FLAGGED,
	    STORE_DELETED,       STORE_DRAFT,         CLIENT_KEYWORD,
	    CLIENT_KEYWORD << 1, CLIENT_KEYWORD << 2, CLIENT_KEYWORD << 3};
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (flags & bits[i])
			at += (size_t)snprintf(out + at, 100 - at, "%s%s",
					       at ? " " : "", names[i]);
	return out;
}

static uint32_t
flags_after(char verb, uint32_t before, uint32_t flags)
{
	if (verb == '+')
		return before | flags;
	return verb == '-' ? before & ~flags : flags;
}

/* Those that the tagged answer names as MODIFIED. */
static void
modified_take(struct game *g, struct player *p, struct chosen *c)
{
	struct span code = client_code(&p->client, "[MODIFIED ");
	static uint32_t at[CLIENT_MESSAGES];
	size_t n = 0;

	if (code.n == 0)
		return;
	MUST(g, client_set(code, at, CLIENT_MESSAGES, &n));
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < p->client.n; i++)
			if ((c->uid ? p->client.at[i].uid : i + 1) == at[k])
				c->in[i] = false;
}

/* The server decided by the MODSEQs that are true. */
static void
modified_check(struct game *g, const struct player *p, const struct chosen *before,
	       const struct chosen *after, uint64_t since)
{
	for (size_t i = 0; i < p->client.n; i++) {
		const struct fact *f = chosen_fact(p, before, i);

		if (f && f->modseq != 0)
			MUST(g, after->in[i] == (f->modseq <= since));
	}
}

static void
play_store(struct game *g, struct player *p)
{
	static const char verbs[] = "+-=";
	char verb = verbs[draw(g, 3)], flags_out[100], condition[60] = "";
	uint32_t flags = draw_flags(g, true);
	bool silent = draw(g, 2), conditional = p->client.condstore && draw(g, 4) == 0;
	static struct chosen c, before;
	uint64_t since = 0;
	struct client *client = &p->client;

	choose(g, p, &c);
	before = c;
	if (conditional) {
		since = client->at[draw(g, (uint32_t)client->n)].modseq;
		snprintf(condition, sizeof(condition), " (UNCHANGEDSINCE %llu)",
			 (unsigned long long)since);
	}
	/* Flags are set before the responses are looked at. */
	client->numbers_stay = !c.uid;
	buf_reset(&g->line);
	buf_putf(&g->line, "t %sSTORE %s%s %.*sFLAGS%s (%s)\r\n", uid_word(&c), c.text,
		 condition, verb == '=' ? 0 : 1, &verb, silent ? ".SILENT" : "",
		 flags_text(flags, flags_out));
	buf_put_char(&g->line, '\0');
	/* Numbers as they were: expunges may be told at the end. */
	static struct client was;
	was = *client;
	was.vanished = (struct imap_ranges){0};
	send_line(g, p, g->line.at);
	client->numbers_stay = false;
	if (p->read_only) {
		MUST(g, !ok(p));
		check_fetched(g, p);
		return;
	}
	{
		static struct player old;
		old = (struct player){.client = was, .box = p->box};
		memcpy(old.client.tagged, client->tagged, sizeof(client->tagged));
		modified_take(g, &old, &c);
		if (conditional)
			modified_check(g, &old, &before, &c, since);
		MUST(g, ok(p) || span_starts(span_str(client->tagged),
					     SPAN("NO [EXPUNGEISSUED]")));
		for (size_t i = 0; i < was.n; i++) {
			struct fact *f = chosen_fact(&old, &c, i);
			struct client_message *m;

			if (f)
				fact_flags(f, flags_after(verb, f->flags, flags));
			m = silent && c.in[i] && was.at[i].uid
				? client_find(client, was.at[i].uid)
				: NULL;
			if (m)
				m->flags = flags_after(verb, m->flags, flags);
		}
	}
	check_fetched(g, p);
}

/* --- the other commands
 * ------------------------------------------------------------------ */

static void
play_fetch(struct game *g, struct player *p)
{
	static struct chosen c;
	bool body = draw(g, 6) == 0;

	choose(g, p, &c);
	p->client.numbers_stay = !c.uid;
	if (body) {
		/* Which sets \Seen. */
		for (size_t i = 0; i < p->client.n && !p->read_only; i++) {
			struct fact *f = chosen_fact(p, &c, i);

			if (f)
				fact_flags(f, f->flags | STORE_SEEN);
		}
		(void)sayf(g, p, "%sFETCH %s BODY[TEXT]", uid_word(&c), c.text);
	} else {
		(void)sayf(g, p, "%sFETCH %s (UID FLAGS%s)", uid_word(&c), c.text,
			   p->client.condstore && draw(g, 2) ? " MODSEQ" : "");
	}
	p->client.numbers_stay = false;
	MUST(g, ok(p) || span_starts(span_str(p->client.tagged),
				     SPAN("NO [EXPUNGEISSUED]")));
}

/* Messages that changed since are those that are told. */
static void
play_fetch_changed(struct game *g, struct player *p)
{
	struct client *c = &p->client;
	uint64_t since = c->at[draw(g, (uint32_t)c->n)].modseq;
	bool vanished;

	if (!c->condstore || since == 0)
		return;
	settle(g, p);
	if (c->n == 0)
		return;
	vanished = c->qresync && p->cache.box == p->box &&
		   p->cache.uidvalidity == p->box->uidvalidity;
	if (vanished)
		since = p->cache.highest;
	MUST(g, sayf(g, p, "UID FETCH 1:* (FLAGS) (CHANGEDSINCE %llu%s)",
		     (unsigned long long)since, vanished ? " VANISHED" : ""));
	for (size_t i = 0; i < p->cache.n && vanished; i++)
		MUST(g, imap_ranges_contain(&c->vanished, p->cache.at[i].uid) !=
			    (fact_find(p->box, p->cache.at[i].uid) != NULL));
	for (size_t i = 0; i < p->box->n; i++) {
		const struct fact *f = &p->box->at[i];
		bool told = false;

		for (size_t k = 0; k < c->n_fetched; k++)
			told |= c->at[c->fetched[k] - 1].uid == f->uid;
		if (f->modseq != 0)
			MUST(g, told == (f->modseq > since));
	}
}

static bool
search_wants(uint32_t key, const struct fact *f)
{
	switch (key) {
	case 0:
		return true;
	case 1:
		return f->flags & STORE_DELETED;
	case 2:
		return !(f->flags & STORE_SEEN);
	case 3:
		return f->flags & CLIENT_KEYWORD;
	default:
		return (f->flags & (STORE_FLAGGED | STORE_ANSWERED)) != 0;
	}
}

static void
play_search(struct game *g, struct player *p)
{
	static const char *const keys[] = {"ALL", "DELETED", "UNSEEN", "KEYWORD k0",
					   "OR FLAGGED ANSWERED"};
	uint32_t key = draw(g, N_ELEMS(keys));
	bool uid = draw(g, 2);
	static struct client was;

	was = p->client;
	p->client.numbers_stay = !uid;
	MUST(g, sayf(g, p, "%sSEARCH %s", uid ? "UID " : "", keys[key]));
	p->client.numbers_stay = false;
	for (size_t i = 0; i < was.n; i++) {
		const struct fact *f =
		    was.at[i].uid ? fact_find(p->box, was.at[i].uid) : NULL;
		uint32_t name = uid ? was.at[i].uid : (uint32_t)i + 1;
		bool found = false;

		for (size_t k = 0; k < p->client.n_found; k++)
			found |= p->client.found[k] == name;
		if (f)
			MUST(g, found == search_wants(key, f));
	}
}

static void
play_expunge(struct game *g, struct player *p)
{
	static struct chosen c;
	static struct client was;

	settle(g, p);
	if (p->client.n == 0)
		return;
	choose(g, p, &c);
	was = p->client;
	if (p->read_only) {
		MUST(g, !say(g, p, "EXPUNGE"));
		return;
	}
	for (size_t i = 0; i < was.n; i++) {
		struct fact *f = fact_find(p->box, was.at[i].uid);

		if (f && (f->flags & STORE_DELETED) && (!c.uid || c.in[i]))
			fact_remove(p->box, f->uid);
	}
	MUST(g, c.uid ? sayf(g, p, "UID EXPUNGE %s", c.text) : say(g, p, "EXPUNGE"));
	check_all(g, p);
}

/* One that is there. */
static struct box *
draw_box(struct game *g)
{
	struct box *b = &g->boxes[draw(g, BOXES)];

	return b->name[0] ? b : &g->boxes[0];
}

/* The command waits for the disk, with what it made: the last n facts of the box. */
static void
hold(struct game *g, struct player *p, struct box *b, size_t n, const char *text)
{
	buf_reset(&g->line);
	buf_put_str(&g->line, "t ");
	buf_put_str(&g->line, text);
	buf_put(&g->line, span_make("\r\n\0", 3));
	p->held.box = b;
	p->held.n = n;
	b->n -= n;
	memcpy(p->held.at, &b->at[b->n], n * sizeof(b->at[0]));
	g->h.hold_sync = true;
	send_line(g, p, g->line.at);
	g->h.hold_sync = false;
	MUST(g, g->h.at[p - g->players].want == SESSION_WANT_SYNC);
	MUST(g, p->client.tagged[0] == '\0');
}

static void
play_held(struct game *g, struct player *p)
{
	truth_synced(g);
	p->held.box = NULL;
	trace(g, "goes on", SPAN(""));
	hear(g, p, harness_go_on(&g->h, (size_t)(p - g->players)));
	check_fetched(g, p);
	MUST(g, ok(p));
}

static void
play_copy(struct game *g, struct player *p)
{
	struct box *to = draw_box(g);
	bool move = draw(g, 2) && !p->read_only;
	static struct chosen c;
	static struct client was;
	static struct fact taken[CLIENT_MESSAGES];
	bool gone = false, held;
	char text[300];
	size_t n = 0;

	if (to->n > MESSAGES_MAX)
		return;
	choose(g, p, &c);
	held = draw(g, 5) == 0;
	was = p->client;
	for (size_t i = 0; i < was.n; i++) {
		const struct fact *f = chosen_fact(p, &c, i);

		if (f)
			taken[n++] = *f;
		else
			gone |= c.in[i];
	}
	/* All or none, when they are named by number [RFC9051 6.4.7]. */
	gone &= !c.uid;
	if (gone)
		n = 0;
	if (!held && n > 0)
		truth_synced(g);
	for (size_t i = 0; i < n; i++) {
		if (move)
			fact_remove(p->box, taken[i].uid);
		fact_add(g, to, taken[i].flags);
	}
	snprintf(text, sizeof(text), "%s%s %s %s", uid_word(&c), move ? "MOVE" : "COPY",
		 c.text, to->name);
	if (held && n > 0) {
		hold(g, p, to, n, text);
		return;
	}
	(void)say(g, p, text);
	MUST(g,
	     gone ? span_starts(span_str(p->client.tagged), SPAN("NO [EXPUNGEISSUED]"))
		  : ok(p));
}

static void
play_append(struct game *g, struct player *p)
{
	struct box *b = draw_box(g);
	uint32_t flags = draw_flags(g, false);
	char text[100], line[300];

	if (b->n > MESSAGES_MAX)
		return;
	snprintf(line, sizeof(line), "APPEND %s (%s) {14+}\r\nA: b\r\n\r\ntext\r\n",
		 b->name, flags_text(flags, text));
	if (draw(g, 5) == 0) {
		fact_add(g, b, flags);
		hold(g, p, b, 1, line);
		return;
	}
	truth_synced(g);
	fact_add(g, b, flags);
	MUST(g, say(g, p, line));
	MUST(g, client_code(&p->client, "[APPENDUID ").n > 0);
}

static void
play_status(struct game *g, struct player *p)
{
	struct box *b = draw_box(g);
	uint32_t unseen = 0;

	MUST(g,
	     sayf(g, p, "STATUS %s (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)", b->name));
	p->client.condstore = true;
	for (size_t i = 0; i < b->n; i++)
		unseen += !(b->at[i].flags & STORE_SEEN);
	MUST(g, p->client.status_messages == b->n);
	MUST(g, p->client.status_uidnext == visible_uidnext(g, b));
	MUST(g, p->client.status_unseen == unseen);
	highest_check(g, b, p->client.status_highest);
}

/* --- selecting
 * ---------------------------------------------------------------------------- */

/* It knows all, and remembers it. */
static void
remember(struct game *g, struct player *p)
{
	settle(g, p);
	MUST(g, sayf(g, p, "STATUS %s (HIGHESTMODSEQ)", p->box->name));
	p->client.condstore = true;
	p->cache.box = p->box;
	p->cache.highest = p->client.status_highest;
	p->cache.uidnext = visible_uidnext(g, p->box);
	p->cache.uidvalidity = p->box->uidvalidity;
	p->cache.n = p->client.n;
	for (size_t i = 0; i < p->client.n; i++)
		p->cache.at[i] = (struct fact){.uid = p->client.at[i].uid,
					       .flags = p->client.at[i].flags};
}

static void
play_leave(struct game *g, struct player *p)
{
	if (p->client.qresync || draw(g, 2))
		remember(g, p);
	if (draw(g, 3) == 0) {
		settle(g, p);
		for (size_t i = 0; i < p->client.n && !p->read_only; i++)
			if (p->client.at[i].flags & STORE_DELETED)
				fact_remove(p->box, p->client.at[i].uid);
		MUST(g, say(g, p, "CLOSE"));
	} else {
		MUST(g, say(g, p, "UNSELECT"));
	}
	p->box = NULL;
	client_forget(&p->client);
}

/* The cache, changed as the answer says, is all that is true. */
static void
resync_check(struct game *g, struct player *p, uint32_t known_top)
{
	struct client *c = &p->client;
	static struct box now;
	size_t n = 0;

	now = (struct box){0};
	for (size_t i = 0; i < p->cache.n; i++) {
		MUST(g, p->cache.at[i].uid <= known_top);
		if (!imap_ranges_contain(&c->vanished, p->cache.at[i].uid))
			now.at[now.n++] = p->cache.at[i];
	}
	for (size_t i = 0; i < c->n_fetched; i++) {
		const struct client_message *m = &c->at[c->fetched[i] - 1];
		struct fact *f = fact_find(&now, m->uid);

		MUST(g, m->uid > 0 && m->flags_told);
		if (!f) {
			f = &now.at[now.n++];
			f->uid = m->uid;
		}
		f->flags = m->flags;
	}
	for (size_t i = 0; i < p->box->n; i++) {
		const struct fact *f = &p->box->at[i], *known;

		if (f->uid > known_top)
			break;
		n++;
		known = fact_find(&now, f->uid);
		MUST(g, known != NULL);
		MUST(g, known->flags == f->flags);
	}
	MUST(g, now.n == n);
}

static void
resync(struct game *g, struct player *p)
{
	struct box *b = p->cache.box;
	uint32_t how = draw(g, 3), known_top = visible_uidnext(g, b) - 1;
	char known[300] = "";

	if (how > 0 && p->cache.uidnext > 1) {
		known_top = p->cache.uidnext - 1;
		snprintf(known, sizeof(known), " 1:%u", known_top);
	}
	if (how == 2 && known[0] && p->cache.n > 2) {
		size_t at = strlen(known), i = p->cache.n / 2;

		snprintf(known + at, sizeof(known) - at, " (%zu,%zu %u,%u)", i, i + 1,
			 p->cache.at[i - 1].uid, p->cache.at[i].uid);
	}
	p->box = b;
	MUST(g,
	     sayf(g, p, "SELECT %s (QRESYNC (%u %llu%s))", b->name,
		  p->cache.uidvalidity, (unsigned long long)p->cache.highest, known));
	if (p->cache.uidvalidity == b->uidvalidity)
		resync_check(g, p, known_top);
	else
		MUST(g, p->client.n_fetched == 0 && p->client.vanished.n == 0);
}

static void
play_select(struct game *g, struct player *p)
{
	struct box *b = draw_box(g);
	bool examine = draw(g, 6) == 0;

	client_forget(&p->client);
	p->read_only = false;
	if (p->client.qresync && p->cache.box && p->cache.box->name[0] && draw(g, 4)) {
		resync(g, p);
	} else {
		p->box = b;
		p->read_only = examine;
		MUST(g, sayf(g, p, "%s %s", examine ? "EXAMINE" : "SELECT", b->name));
	}
	p->client.selected = true;
	MUST(g, p->client.n == p->box->n);
	MUST(g, p->client.uidnext == visible_uidnext(g, p->box));
	MUST(g, p->client.uidvalidity == p->box->uidvalidity);
	highest_check(g, p->box, p->client.highest);
	if (p->client.n > 0) {
		MUST(g, sayf(g, p, "FETCH 1:* (UID FLAGS%s)",
			     p->client.condstore ? " MODSEQ" : ""));
		check_all(g, p);
	}
}

/* --- the others
 * ------------------------------------------------------------------------ */

static void
play_deliver(struct game *g)
{
	struct box *b = draw_box(g);

	if (b->n > MESSAGES_MAX)
		return;
	trace(g, "deliver", span_str(b->name));
	truth_synced(g);
	fact_add(g, b, 0);
	harness_deliver(&g->h, b->id, "A: b\r\n\r\ntext\r\n");
}

/* As a POP3 session that ends. */
static void
play_delete(struct game *g)
{
	struct box *b = draw_box(g);
	struct store_range range;
	struct err err;
	uint64_t n;

	if (b->n == 0)
		return;
	range.first = b->at[draw(g, (uint32_t)b->n)].uid;
	range.last = range.first + draw(g, 3);
	trace(g, "delete", span_str(b->name));
	for (uint32_t uid = range.first; uid <= range.last; uid++)
		fact_remove(b, uid);
	truth_synced(g);
	fixture_check(&g->h.f,
		      store_expunge(g->deleter, b->id, (struct store_uids){&range, 1},
				    g->h.f.now_us, &n, NULL, &err));
	fixture_check(&g->h.f, store_sync(g->deleter, g->h.f.now_us, &err));
}

/* All is read anew by everybody, and what was expunged is forgotten. */
static void
play_compact(struct game *g)
{
	struct store_compaction done;
	struct err err;

	trace(g, "compact", SPAN(""));
	truth_synced(g);
	fixture_check(&g->h.f,
		      store_compact(g->deleter, 0, g->h.f.now_us, &done, &err));
}

/* A client comes, and says what it knows. */
static void
play_open(struct game *g, struct player *p)
{
	struct client *c = &p->client;

	switch (draw(g, 4)) {
	case 0:
		break;
	case 1:
		MUST(g, say(g, p, "ENABLE CONDSTORE"));
		c->condstore = true;
		break;
	case 2:
		MUST(g, say(g, p, "ENABLE QRESYNC"));
		c->condstore = c->qresync = true;
		break;
	case 3:
		MUST(g, say(g, p, "ENABLE QRESYNC IMAP4rev2"));
		c->condstore = c->qresync = c->rev2 = true;
		break;
	}
}

static void
play_logout(struct game *g, struct player *p)
{
	MUST(g, say(g, p, "LOGOUT"));
	MUST(g, p->client.bye);
	player_lost(g, p);
	play_open(g, p);
}

/* Its mailbox was deleted. */
static void
play_doomed(struct game *g, struct player *p)
{
	size_t i = (size_t)(p - g->players);

	if (p->idling && draw(g, 2))
		hear(g, p, harness_push(&g->h, i));
	else
		send_line(g, p, p->idling ? "DONE\r\n" : "t FETCH 1 FLAGS\r\n");
	MUST(g, p->client.bye);
	MUST(g, p->client.tagged[0] == '\0');
	(void)harness_say(&g->h, i, "");
	MUST(g, g->h.at[i].want == SESSION_WANT_CLOSE);
	player_lost(g, p);
	play_open(g, p);
}

/* The last mailbox comes and goes, and gets another name. */
static void
play_mailbox(struct game *g, struct player *p)
{
	struct box *b = &g->boxes[BOXES - 1];
	uint32_t uidvalidity = b->uidvalidity;
	struct store_mailbox box;

	for (size_t i = 0; i < SESSIONS; i++)
		if (g->players[i].held.box == b ||
		    (g->players[i].box == b && !b->name[0]))
			return;
	truth_synced(g);
	if (!b->name[0]) {
		*b = (struct box){.name = "Temp", .uidnext = 1};
		MUST(g, say(g, p, "CREATE Temp"));
		b->id = harness_mailbox(&g->h, b->name);
		MUST(g, store_mailbox_get(g->h.f.account, b->id, &box));
		MUST(g, box.uidvalidity > uidvalidity);
		b->uidvalidity = box.uidvalidity;
	} else if (draw(g, 2)) {
		const char *name = strcmp(b->name, "Temp") ? "Temp" : "Other/Temp";

		MUST(g, sayf(g, p, "RENAME %s %s", b->name, name));
		snprintf(b->name, sizeof(b->name), "%s", name);
	} else {
		if (p->box == b)
			p->box = NULL;
		MUST(g, sayf(g, p, "DELETE %s", b->name));
		MUST(g, p->box || p->client.n == 0);
		b->name[0] = '\0';
		b->n = 0;
	}
}

static void
play_idle(struct game *g, struct player *p)
{
	size_t i = (size_t)(p - g->players);

	if (!p->idling) {
		p->idling = true;
		say(g, p, "IDLE");
		return;
	}
	if (draw(g, 2)) {
		hear(g, p, harness_push(&g->h, i));
		return;
	}
	p->idling = false;
	send_line(g, p, "DONE\r\n");
	MUST(g, ok(p));
	if (p->box)
		settle(g, p);
}

static void (*const plays[])(struct game *, struct player *) = {
    play_store,  play_store,  play_store,   play_fetch, play_fetch,         play_fetch,
    play_search, play_search, play_expunge, play_copy,  play_fetch_changed,
};

static void
play(struct game *g)
{
	struct player *p = &g->players[draw(g, SESSIONS)];
	uint32_t what = draw(g, 100);

	g->h.f.now_us += 1 + draw(g, 1000000);
	if (what < 6)
		play_deliver(g);
	else if (what < 9)
		play_delete(g);
	else if (what < 10 && draw(g, 10) == 0)
		play_compact(g);
	else if (p->held.box)
		play_held(g, p);
	else if (p->box && !p->box->name[0])
		play_doomed(g, p);
	else if (p->idling || (what < 14 && p->box))
		play_idle(g, p);
	else if (what < 20)
		play_append(g, p);
	else if (what < 23)
		play_status(g, p);
	else if (what < 24)
		play_logout(g, p);
	else if (what < 25)
		play_mailbox(g, p);
	else if (!p->box)
		play_select(g, p);
	else if (what < 30)
		play_leave(g, p);
	else if (what < 35 || p->client.n == 0)
		settle(g, p);
	else
		plays[draw(g, N_ELEMS(plays))](g, p);
	if (p->box && p->box->name[0] && !p->idling && !p->held.box)
		learn(g, p);
}

/* --- a game
 * ------------------------------------------------------------------------------ */

static void
game_init(struct game *g)
{
	static const char *const names[BOXES] = {"INBOX", "Archive", "Sent", "Trash"};
	const struct session_policy policy = {
	    .limits = session_limits_default,
	    .host_name = SPAN("mail.example.org"),
	};
	const struct store_settings settings = {
	    .summarize = true,
	    .journal_file_bytes = 20000,
	    .data_file_bytes = 100000,
	};
	struct store_mailbox box;

	*g = (struct game){.random = seed, .line = buf_make(1 << 20)};
	harness_init_with(&g->h, &policy, &settings);
	for (size_t i = 0; i < BOXES; i++) {
		struct box *b = &g->boxes[i];

		snprintf(b->name, sizeof(b->name), "%s", names[i]);
		b->id = harness_mailbox(&g->h, names[i]);
		MUST(g, store_mailbox_get(g->h.f.account, b->id, &box));
		b->uidvalidity = box.uidvalidity;
		b->uidnext = box.uidnext;
	}
	fixture_check(&g->h.f,
		      store_account_open(g->h.f.store, FIXTURE_ID, STORE_MUST_EXIST,
					 g->h.f.now_us, &g->deleter, &g->h.f.err));
	for (size_t i = 0; i < SESSIONS; i++)
		play_open(g, &g->players[i]);
}

static void
test_sessions_know_what_is_true(void **state)
{
	struct game *g = memory_new(1, sizeof(*g));

	(void)state;
	print_message("SEED=%llu COMMANDS=%llu\n", (unsigned long long)seed,
		      (unsigned long long)commands_max);
	game_init(g);
	while (g->n_commands < commands_max)
		play(g);
	for (size_t i = 0; i < SESSIONS; i++) {
		struct player *p = &g->players[i];

		if (p->held.box)
			play_held(g, p);
		if (p->box && !p->box->name[0])
			play_doomed(g, p);
		while (p->idling)
			play_idle(g, p);
		if (p->box)
			settle(g, p);
		imap_ranges_release(&p->client.vanished);
	}
	store_account_close(&g->deleter);
	buf_release(&g->line);
	harness_release(&g->h);
	free(g);
}

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t number = otherwise;

	if (text && !number_parse(span_str(text), UINT64_MAX, &number))
		abort();
	return number;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sessions_know_what_is_true),
	};

	/* What a disk does with it is another test's affair. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	seed = number_of("SEED", (uint64_t)time(NULL));
	commands_max = number_of("COMMANDS", commands_max);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
