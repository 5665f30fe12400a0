/* authd/reply.c - may who wrote to an account be told what it tells everybody
 *
 * Once for each sender in an interval [RFC3834 2]: that is noted, durably, before the
 * answer, so that a crash tells nobody twice.
 */
#include "authd/authd.h"

struct asked {
	struct errand errand;
	uint64_t tag, account;
	struct directory_note note; /* `about` points behind this struct */

	struct arena arena;
	struct directory_reply reply;
	enum reply_outcome outcome;
	struct err err;
	char sender[];
};

static void
asked_free(struct errand *e)
{
	struct asked *q = (struct asked *)e;

	arena_release(&q->arena);
	free(q);
}

/* 1 it is to be told, 0 not, -1 */
static int
decide(struct directory *d, struct asked *q, uint64_t now)
{
	enum directory_result r =
	    directory_reply_find(d, q->account, now, &q->arena, &q->reply, &q->err);
	uint64_t when;
	int told;

	if (r == DIRECTORY_FAULT)
		return -1;
	if (r != DIRECTORY_DONE || !q->reply.on)
		return 0;
	told = directory_note_find(d, q->note.kind, q->account, q->note.about, now,
				   &when, &q->err);
	if (told != 0)
		return told < 0 ? -1 : 0;
	q->note.value = now;
	q->note.ends = now + q->reply.interval_s;
	return directory_note_put(d, &q->note, &q->err) == DIRECTORY_DONE ? 1 : -1;
}

static void
look_up(struct directory *d, struct errand *e)
{
	static const enum reply_outcome of[] = {REPLY_LATER, REPLY_NOT, REPLY_SEND};
	struct asked *q = (struct asked *)e;

	arena_release(&q->arena);
	arena_init(&q->arena, DIRECTORY_ARENA_BYTES);
	q->outcome = of[decide(d, q, proc_now_us() / 1000000) + 1];
}

static void
answer(struct errand *e)
{
	struct asked *q = (struct asked *)e;
	struct ipc_reply_answer m = {.tag = q->tag, .outcome = (uint8_t)q->outcome};

	if (q->outcome == REPLY_LATER)
		logline(LOGLINE_ERROR, "reply.fault", L_U64("account", q->account),
			L_ERR(&q->err));
	if (q->outcome == REPLY_SEND) {
		e->authd->count.replies++;
		m.subject = q->reply.subject;
		m.text = q->reply.text;
		m.address = q->reply.address;
		m.name = q->reply.name;
	}
	ipc_send_reply_answer(e->peer, &m);
	asked_free(e);
}

static const struct errand_kind looking = {DIRECTORY_CHANGES, look_up, answer,
					   asked_free};

void
reply_ask(struct authd *a, struct ipc_peer *peer, const struct ipc_reply_ask *m)
{
	struct asked *q = memory_new(1, sizeof(*q) + m->sender.n);

	q->errand = (struct errand){.kind = &looking, .authd = a, .peer = peer};
	q->tag = m->tag;
	q->account = m->account;
	arena_init(&q->arena, DIRECTORY_ARENA_BYTES);
	/* In whatever case it is written, it is the same sender. */
	for (size_t i = 0; i < m->sender.n; i++)
		q->sender[i] = ascii_lower(m->sender.at[i]);
	q->note = (struct directory_note){
	    .kind = DIRECTORY_NOTE_REPLIED,
	    .account = m->account,
	    .about =
		span_first(span_make(q->sender, m->sender.n), DIRECTORY_NOTE_ABOUT_MAX),
	};
	if (errand_run(&q->errand))
		return;
	q->outcome = REPLY_LATER;
	err_set(&q->err, "too many wait for the directory");
	answer(&q->errand);
}
