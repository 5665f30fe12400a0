/* Reading envelopes: at once when the page is in memory, else by a thread. */
#include "qmgr/qmgr.h"

#include <sys/uio.h>
#include <unistd.h>

#define LOADS_A_TURN 256
#define LOADS_MAX    64 /* in threads */

/* Head and envelope of one record. */
struct reading {
	char head[SPOOL_HEAD_BYTES];
	char *envelope; /* allocated */
};

static ssize_t
reading_get(int fd, const struct place *p, struct reading *r, int flags)
{
	struct iovec v[2] = {
	    {r->head,     sizeof(r->head)  },
            {r->envelope, p->envelope_bytes}
        };

	return preadv2(fd, v, 2, (off_t)(p->offset + LOG_HEAD_BYTES), flags);
}

static bool
reading_right(const struct reading *r, uint64_t id, const struct place *p,
	      struct spool_head *head)
{
	return spool_head_parse(span_make(r->head, sizeof(r->head)),
				SPOOL_HEAD_BYTES + p->envelope_bytes + p->content_bytes,
				head) &&
	       head->id == id && head->envelope_bytes == p->envelope_bytes;
}

static void
loaded(struct qmgr *m, const struct queue_load *load, struct reading *r, ssize_t n)
{
	size_t want = SPOOL_HEAD_BYTES + load->place.envelope_bytes;
	struct spool_head head;

	if (n == (ssize_t)want && reading_right(r, load->id, &load->place, &head)) {
		queue_loaded(m->queue, load->ref, head.arrived_us, r->envelope,
			     qmgr_now_s());
		return;
	}
	free(r->envelope);
	queue_load_failed(m->queue, load->ref,
			  SPAN("its record in the spool cannot be read"));
}

struct slow_load {
	struct proc_job job;
	struct qmgr *qmgr;
	struct queue_load load;
	struct reading reading;
	int fd; /* our own */
	ssize_t n;
};

static void
slow_work(struct proc_job *job)
{
	struct slow_load *s = (struct slow_load *)job;

	s->n = reading_get(s->fd, &s->load.place, &s->reading, 0);
	close(s->fd);
}

static void
slow_done(struct proc_job *job)
{
	struct slow_load *s = (struct slow_load *)job;

	s->qmgr->n_loads--;
	loaded(s->qmgr, &s->load, &s->reading, s->n);
	free(s);
}

static void
load_slowly(struct qmgr *m, const struct queue_load *load, struct reading *r, int fd)
{
	struct slow_load *s = memory_new(1, sizeof(*s));

	s->job = (struct proc_job){.work = slow_work, .done = slow_done};
	s->qmgr = m;
	s->load = *load;
	s->reading = *r;
	s->fd = dup(fd);
	if (s->fd >= 0 && proc_work(m->proc, &s->job)) {
		m->n_loads++;
		return;
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	loaded(m, load, r, reading_get(fd, &load->place, r, 0));
}

static void
load_one(struct qmgr *m, const struct queue_load *load)
{
	struct reading r = {0};
	struct err err;
	struct segment_fd *s = segment_fd_get(m, load->place.segment, &err);
	ssize_t n;

	if (!s) {
		queue_load_failed(m->queue, load->ref, span_str(err.text));
		return;
	}
	r.envelope = memory_new(load->place.envelope_bytes, 1);
	n = reading_get(s->file.fd, &load->place, &r, RWF_NOWAIT);
	if (n == (ssize_t)(SPOOL_HEAD_BYTES + load->place.envelope_bytes))
		loaded(m, load, &r, n);
	else
		load_slowly(m, load, &r, s->file.fd);
}

void
load_turn(struct qmgr *m)
{
	struct queue_load load;
	uint32_t now_s = qmgr_now_s();

	for (size_t i = 0; i < LOADS_A_TURN; i++) {
		if (m->n_loads >= LOADS_MAX)
			return;
		if (!queue_next_load(m->queue, now_s, &load)) {
			if (m->queue->more_due)
				qmgr_again(m);
			return;
		}
		load_one(m, &load);
	}
	qmgr_again(m);
}

char *
load_envelope(struct qmgr *m, const struct entry *e)
{
	struct place p = entry_place(e);
	struct reading r = {.envelope = memory_new(p.envelope_bytes, 1)};
	struct spool_head head;
	struct err err;
	struct segment_fd *s = segment_fd_get(m, p.segment, &err);

	if (s &&
	    reading_get(s->file.fd, &p, &r, 0) ==
		(ssize_t)(SPOOL_HEAD_BYTES + p.envelope_bytes) &&
	    reading_right(&r, e->id, &p, &head))
		return r.envelope;
	free(r.envelope);
	return NULL;
}
