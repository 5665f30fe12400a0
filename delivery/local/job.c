/* jobs from qmgr and lists of them */
#include "delivery/local/local.h"

void
jobs_init(struct jobs *list)
{
	*list = (struct jobs){.last = &list->first};
}

void
jobs_add(struct jobs *list, struct job *job)
{
	job->next = NULL;
	*list->last = job;
	list->last = &job->next;
	list->n++;
}

struct job *
jobs_take(struct jobs *list)
{
	struct job *job = list->first;

	if (!job)
		return NULL;
	list->first = job->next;
	if (!list->first)
		list->last = &list->first;
	list->n--;
	return job;
}

void
jobs_move(struct jobs *to, struct jobs *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	to->n += from->n;
	jobs_init(from);
}

void
jobs_free(struct jobs *list)
{
	struct job *job;

	while ((job = jobs_take(list)))
		free(job);
}

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

struct job *
job_new(const struct ipc_deliver *m, uint64_t epoch)
{
	size_t n = m->sender.n + m->recipient.n + m->original_recipient.n;
	struct job *job = memory_new(1, sizeof(*job) + n);
	char *at = job->text;

	job->number = m->job;
	job->epoch = epoch;
	job->id = m->id;
	job->ordinal = m->ordinal;
	job->replay = m->replay != 0;
	job->account = m->account;
	job->segment = m->segment;
	job->offset = m->offset;
	job->content_bytes = m->content_bytes;
	job->arrived_us = m->arrived_us;
	job->sender = text_take(&at, m->sender);
	job->recipient = text_take(&at, m->recipient);
	job->original = text_take(&at, m->original_recipient);
	return job;
}
