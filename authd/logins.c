#include "authd/logins.h"
#include "authd/authd.h"

#define SEEN_SETS 2048
#define SEEN_WAYS 4

struct seen {
	uint64_t key;
	uint64_t at_ms; /* 0: free */
};

struct note {
	uint64_t account, at;
	char label[DIRECTORY_LABEL_MAX + 1];
	const char *service;
	char client[NET_ADDRESS_TEXT_MAX];
};

struct batch {
	struct note notes[LOGINS_MAX];
	size_t n;
};

struct logins {
	struct errand errand; /* while `writing` */
	bool writing;
	struct authd *authd;
	struct batch gathered, written;
	uint64_t first_ms; /* when the first of `gathered` came */
	enum directory_result result;
	struct err err;
	struct seen seen[SEEN_SETS][SEEN_WAYS];
};

struct logins *
logins_new(struct authd *a)
{
	struct logins *l = memory_new(1, sizeof(*l));

	l->authd = a;
	return l;
}

void
logins_free(struct logins **l)
{
	if (*l && (*l)->writing)
		errand_cancel(&(*l)->errand);
	free(*l);
	*l = NULL;
}

bool
logins_wait(const struct logins *l)
{
	return l->gathered.n > 0;
}

/* ---- what was noted a moment ago */

static uint64_t
key_of(uint64_t account, const char *label)
{
	uint64_t key = account * 0x9e3779b97f4a7c15u;

	for (; *label; label++)
		key = (key ^ (uint8_t)*label) * 0x100000001b3u;
	return key ^ key >> 29;
}

/* False when it was; else it is from now on. */
static bool
is_new(struct logins *l, uint64_t key, uint64_t now_ms)
{
	struct seen *set = l->seen[key % SEEN_SETS], *place = &set[0];

	for (size_t i = 0; i < SEEN_WAYS; i++) {
		bool same = set[i].at_ms && set[i].key == key;

		if (same && now_ms - set[i].at_ms < LOGIN_AGAIN_MS)
			return false;
		if (same || set[i].at_ms < place->at_ms)
			place = &set[i];
		if (same)
			break;
	}
	*place = (struct seen){key, now_ms ? now_ms : 1};
	return true;
}

void
logins_note(struct logins *l, uint64_t account, const char *label, const char *service,
	    const struct net_address *client)
{
	uint64_t now_ms = proc_ticks_ms();
	struct note *note = &l->gathered.notes[l->gathered.n];
	char text[NET_ADDRESS_TEXT_MAX];

	if (l->gathered.n == LOGINS_MAX || !is_new(l, key_of(account, label), now_ms))
		return;
	if (l->gathered.n++ == 0)
		l->first_ms = now_ms;
	*note = (struct note){
	    .account = account, .at = proc_now_us() / 1000000, .service = service};
	if (!span_copy(span_str(label), note->label, sizeof(note->label)) ||
	    !span_copy(span_str(net_address_text(client, text)), note->client,
		       sizeof(note->client)))
		l->gathered.n--;
	authd_tick_later(l->authd);
}

/* ---- writing */

static void
write_down(struct directory *d, struct errand *e)
{
	struct logins *l = (struct logins *)e;
	struct directory_login logins[LOGINS_MAX];

	for (size_t i = 0; i < l->written.n; i++) {
		const struct note *n = &l->written.notes[i];

		logins[i] =
		    (struct directory_login){n->account, span_str(n->label), n->at,
					     span_str(n->service), span_str(n->client)};
	}
	l->result = directory_note_logins(d, logins, l->written.n, &l->err);
}

static void
written(struct errand *e)
{
	struct logins *l = (struct logins *)e;

	l->writing = false;
	if (l->result != DIRECTORY_DONE)
		logline(LOGLINE_WARNING, "auth.unnoted", L_U64("logins", l->written.n),
			L_ERR(&l->err));
}

static const struct errand_kind writing = {DIRECTORY_CHANGES, write_down, written,
					   written};

void
logins_tick(struct logins *l, uint64_t now_ms)
{
	if (l->writing || l->gathered.n == 0 || now_ms - l->first_ms < LOGIN_GATHER_MS)
		return;
	l->written = l->gathered;
	l->gathered.n = 0;
	l->writing = true;
	l->errand = (struct errand){.kind = &writing, .authd = l->authd};
	if (!errand_run(&l->errand))
		l->writing = false;
}
