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
#include "tests/unit/imap_model.h"

#include <time.h>

/* --- selecting ------------------------------------------------------------ */

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

/* --- the others ----------------------------------------------------------- */

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
	/* Who finds a journal file full makes durable what is in it. */
	if (range.last >= visible_uidnext(g, b))
		range.last = visible_uidnext(g, b) - 1;
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
	fixture_check(&g->h.f, store_compact(g->deleter, 0, g->h.f.now_us, NULL, NULL,
					     &done, &err));
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
play_as(struct game *g, struct player *p, uint32_t what)
{
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

static void
play(struct game *g)
{
	play_as(g, &g->players[draw(g, SESSIONS)], draw(g, 100));
}

/* Somebody else, while a command waits; the mailbox stays. */
static void
play_meanwhile(struct game *g)
{
	struct player *p = &g->players[draw(g, SESSIONS)];
	uint32_t what = draw(g, 100);

	if (p != g->busy)
		play_as(g, p, what == 24 ? 99 : what);
	else
		play_deliver(g);
}

/* --- a game --------------------------------------------------------------- */

static void
game_init(struct game *g)
{
	static const char *const names[BOXES] = {"INBOX", "Archive", "Sent", "Trash"};
	struct session_policy policy = {
	    .limits = session_limits_default,
	    .host_name = SPAN("mail.example.org"),
	};
	const struct store_settings settings = {
	    .summarize = true,
	    .copy_step = 4,
	    .journal_file_bytes = 20000,
	    .data_file_bytes = 100000,
	};
	struct store_mailbox box;

	*g = (struct game){.random = seed, .line = buf_make(1 << 20)};
	policy.limits.change_step = 3; /* most changes take several */
	harness_init_with(&g->h, &policy, &settings);
	g->meanwhile = play_meanwhile;
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
