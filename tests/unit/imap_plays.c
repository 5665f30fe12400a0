/* commands about messages */
#include "tests/unit/imap_model.h"

/* --- sets ----------------------------------------------------------------- */

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

/* --- flags ---------------------------------------------------------------- */

static uint32_t
draw_flags(struct game *g, bool deleted)
{
	uint32_t flags = (1u << draw(g, 3)) | (draw(g, 3) ? 0u : 1u << draw(g, 5));

	if (draw(g, 4) == 0)
		flags |= (uint32_t)CLIENT_KEYWORD << draw(g, CLIENT_KEYWORDS);
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

void
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

/* --- the other commands --------------------------------------------------- */

void
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
		may_wait(g, p);
		(void)sayf(g, p, "%sFETCH %s (UID FLAGS%s)", uid_word(&c), c.text,
			   p->client.condstore && draw(g, 2) ? " MODSEQ" : "");
		(void)waited(g, p);
	}
	p->client.numbers_stay = false;
	MUST(g, ok(p) || span_starts(span_str(p->client.tagged),
				     SPAN("NO [EXPUNGEISSUED]")));
}

/* Messages that changed since are those that are told. */
void
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

void
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

void
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
struct box *
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

void
play_held(struct game *g, struct player *p)
{
	truth_synced(g);
	p->held.box = NULL;
	trace(g, "goes on", SPAN(""));
	hear(g, p, harness_go_on(&g->h, (size_t)(p - g->players)));
	check_fetched(g, p);
	MUST(g, ok(p));
}

void
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

void
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

void
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
