/* what is true, and talking about it */
#include "tests/unit/imap_model.h"

uint64_t seed, commands_max = 10000;

uint32_t
draw(struct game *g, uint32_t below)
{
	g->random = g->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((g->random >> 33) % below);
}

void
trace(struct game *g, const char *who, struct span text)
{
	char *line = g->trace[g->n_trace++ % TRACE_LINES];

	snprintf(line, sizeof(g->trace[0]), "%s %.*s", who,
		 (int)(text.n < 180 ? text.n : 180), text.at);
}

/* What is true of a mailbox, and what the store has. */
static void
show_box(const struct game *g, const struct box *b)
{
	const struct store_record *r = store_first(g->h.f.account, b->id);

	fprintf(stderr, "%s, truth:", b->name);
	for (size_t i = 0; i < b->n; i++)
		fprintf(stderr, " %u", b->at[i].uid);
	fprintf(stderr, "\n%s, store:", b->name);
	for (; r; r = store_next(g->h.f.account, r))
		fprintf(stderr, " %u", r->uid);
	fprintf(stderr, "\n");
}

void
lose(struct game *g, const char *why, const char *detail)
{
	size_t from = g->n_trace < TRACE_LINES ? 0 : g->n_trace - TRACE_LINES;

	for (size_t i = from; i < g->n_trace; i++)
		fprintf(stderr, "%s\n", g->trace[i % TRACE_LINES]);
	for (size_t i = 0; i < BOXES; i++)
		if (g->boxes[i].name[0])
			show_box(g, &g->boxes[i]);
	fprintf(stderr, "command %llu: %s%s%s\nSEED=%llu COMMANDS=%llu\n",
		(unsigned long long)g->n_commands, why, detail ? ": " : "",
		detail ? detail : "", (unsigned long long)seed,
		(unsigned long long)commands_max);
	fail();
}

struct fact *
fact_find(struct box *b, uint32_t uid)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->at[i].uid == uid)
			return &b->at[i];
	return NULL;
}

void
fact_add(struct game *g, struct box *b, uint32_t flags)
{
	MUST(g, b->n < CLIENT_MESSAGES);
	b->at[b->n++] = (struct fact){.uid = b->uidnext++, .flags = flags};
}

/* Somebody synced: what was held can be seen. */
void
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
uint32_t
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
void
highest_check(struct game *g, struct box *b, uint64_t highest)
{
	MUST(g, highest >= b->highest || visible_uidnext(g, b) < b->uidnext);
	if (highest > b->highest)
		b->highest = highest;
}

void
fact_remove(struct box *b, uint32_t uid)
{
	struct fact *f = fact_find(b, uid);

	if (!f)
		return;
	memmove(f, f + 1, (size_t)(&b->at[b->n] - (f + 1)) * sizeof(*f));
	b->n--;
}

void
fact_flags(struct fact *f, uint32_t flags)
{
	if (f->flags == flags)
		return;
	f->flags = flags;
	if (f->modseq > f->least)
		f->least = f->modseq;
	f->modseq = 0;
}

/* --- talking -------------------------------------------------------------- */

/* What the client saw of the messages is true, as far as it can know. */
void
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

void
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

void
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

static void
between(void *context)
{
	struct game *g = context;

	if (!g->may_wait || draw(g, 2))
		return;
	g->may_wait = false;
	g->meanwhile(g);
	g->waited = true;
}

void
may_wait(struct game *g, struct player *p)
{
	if (g->busy)
		return; /* it is itself what goes on meanwhile */
	g->h.between = between;
	g->h.context = g;
	g->busy = p;
	g->may_wait = true;
	g->waited = false;
}

bool
waited(struct game *g, const struct player *p)
{
	if (g->busy != p)
		return false;
	g->busy = NULL;
	g->may_wait = false;
	return g->waited;
}

/* Sends a line, in two pieces at times. */
void
send_line(struct game *g, struct player *p, const char *text)
{
	size_t i = (size_t)(p - g->players), n = strlen(text), cut;
	uint64_t durable = durable_now(g);
	struct buf got = buf_make(16 << 20);
	char who[8];

	snprintf(who, sizeof(who), "%zu >", i);
	trace(g, who, span_str(text));
	g->h.policy.limits.output_high = draw(g, 3) ? 256u << 10 : 50 + draw(g, 500);
	cut = draw(g, 4) == 0 && !g->may_wait ? draw(g, (uint32_t)n) : n;
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

bool
ok(const struct player *p)
{
	return span_starts(span_str(p->client.tagged), SPAN("OK "));
}

/* "t " and CRLF are added. True for OK. */
bool
say(struct game *g, struct player *p, const char *text)
{
	buf_reset(&g->line);
	buf_put_str(&g->line, "t ");
	buf_put_str(&g->line, text);
	buf_put(&g->line, span_make("\r\n\0", 3));
	send_line(g, p, g->line.at);
	if (p != g->busy || !g->waited)
		check_fetched(g, p);
	if (p->client.tagged[0] == '\0' && !p->idling)
		lose(g, "there is no answer", text);
	return ok(p);
}

bool
sayf(struct game *g, struct player *p, const char *format, ...)
{
	char text[4000];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return say(g, p, text);
}

/* The first message of which it does not know all; c->n: none. */
static size_t
unknown(const struct client *c)
{
	size_t i = 0;

	while (i < c->n && c->at[i].uid && c->at[i].flags_told)
		i++;
	return i;
}

/* As a client does that was told of messages by EXISTS alone. */
void
learn(struct game *g, struct player *p)
{
	struct client *c = &p->client;
	size_t i, before = SIZE_MAX;

	/* Meanwhile there may be more; of one that is gone nothing is told. */
	while ((i = unknown(c)) < c->n && i != before) {
		before = i;
		c->numbers_stay = true;
		/* Others may have expunged some by now. */
		MUST(g,
		     sayf(g, p, "FETCH %zu:* (UID FLAGS%s)", i + 1,
			  c->condstore ? " MODSEQ" : "") ||
			 span_starts(span_str(c->tagged), SPAN("NO [EXPUNGEISSUED]")));
		c->numbers_stay = false;
	}
}

/* The client knows all that is true. */
void
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

void
settle(struct game *g, struct player *p)
{
	do {
		may_wait(g, p);
		MUST(g, say(g, p, draw(g, 3) ? "NOOP" : "CHECK"));
	} while (waited(g, p));
	learn(g, p);
	check_all(g, p);
}
