#include "delivery/remote/remote.h"

/* Copies s to *at and moves it on. */
static struct span
text_take(char **at, struct span s)
{
	struct span copy = {*at, s.n};

	if (s.n > 0)
		memcpy(*at, s.at, s.n);
	*at += s.n;
	return copy;
}

static size_t
recipients_count(struct span list)
{
	struct cursor c = cursor_make(list);
	struct relay_recipient r;
	size_t n = 0;

	while (relay_recipient_next(&c, &r))
		n++;
	return c.failed || n > RELAY_RECIPIENTS_MAX ? 0 : n;
}

static void
recipients_take(struct job *job, struct span list, char **at)
{
	struct cursor c = cursor_make(text_take(at, list));

	for (size_t i = 0; i < job->n; i++)
		ASSERT(relay_recipient_next(&c, &job->recipients[i]));
}

struct job *
job_new(const struct ipc_relay *m, uint64_t epoch)
{
	size_t n = recipients_count(m->recipients);
	struct job *job;
	size_t list = n * sizeof(job->recipients[0]);
	char *at;

	if (n == 0 || m->offset > UINT64_MAX - m->content_bytes)
		return NULL;
	job = memory_new(1, sizeof(*job) + list + m->sender.n + m->envid.n +
				m->recipients.n);
	job->number = m->job;
	job->epoch = epoch;
	job->id = m->id;
	job->segment = m->segment;
	job->offset = m->offset;
	job->content_bytes = m->content_bytes;
	job->flags = m->flags;
	job->ret = m->ret;
	job->n = n;
	at = (char *)&job->recipients[n];
	job->sender = text_take(&at, m->sender);
	job->envid = text_take(&at, m->envid);
	recipients_take(job, m->recipients, &at);
	buf_init(&job->pending, (size_t)RELAY_RECIPIENTS_MAX * (RELAY_TEXT_MAX + 512));
	return job;
}

void
job_free(struct job **owner)
{
	struct job *job = *owner;

	if (!job)
		return;
	*owner = NULL;
	ASSERT(!job->waits && !job->connection);
	way_unref(&job->way);
	buf_release(&job->pending);
	free((char *)job->why.text.at);
	free((char *)job->why.host.at);
	free(job);
}
