#include "common/proc/workers.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WORKER_STACK_BYTES (512u << 10)

struct jobs {
	struct proc_job *first, **end;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct jobs waiting, finished;
	unsigned threads, threads_max;
	unsigned idle; /* threads that wait for a job */
	size_t n;      /* jobs waiting */
	int wake;      /* eventfd: something is finished */
	struct event *woken;
};

static void
jobs_init(struct jobs *jobs)
{
	jobs->first = NULL;
	jobs->end = &jobs->first;
}

static void
jobs_put(struct jobs *jobs, struct proc_job *job)
{
	job->next = NULL;
	*jobs->end = job;
	jobs->end = &job->next;
}

static struct proc_job *
jobs_take(struct jobs *jobs)
{
	struct proc_job *job = jobs->first;

	jobs->first = job->next;
	if (!jobs->first)
		jobs->end = &jobs->first;
	return job;
}

static struct proc_job *
next_job(struct workers *w)
{
	struct proc_job *job;

	pthread_mutex_lock(&w->lock);
	w->idle++;
	while (!w->waiting.first)
		pthread_cond_wait(&w->more, &w->lock);
	w->idle--;
	w->n--;
	job = jobs_take(&w->waiting);
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void
finish(struct workers *w, struct proc_job *job)
{
	static const uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&w->lock);
	first = !w->finished.first;
	jobs_put(&w->finished, job);
	pthread_mutex_unlock(&w->lock);
	/* An eventfd takes every write short of 2^64 wakes. */
	if (first)
		ASSERT(write(w->wake, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

static void *
thread_main(void *context)
{
	struct workers *w = context;

	for (;;) {
		struct proc_job *job = next_job(w);

		job->work(job);
		finish(w, job);
	}
	return NULL;
}

static void
on_woken(int fd, short what, void *context)
{
	struct workers *w = context;
	struct proc_job *job, *next;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&w->lock);
	job = w->finished.first;
	jobs_init(&w->finished);
	pthread_mutex_unlock(&w->lock);
	for (; job; job = next) {
		next = job->next;
		job->done(job);
	}
}

struct workers *
workers_new(struct event_base *base, unsigned threads)
{
	struct workers *w = memory_new(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	jobs_init(&w->waiting);
	jobs_init(&w->finished);
	w->threads_max = threads;
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT(w->wake >= 0);
	w->woken = event_new(base, w->wake, EV_READ | EV_PERSIST, on_woken, w);
	ASSERT(w->woken && event_add(w->woken, NULL) == 0);
	return w;
}

void
workers_set_threads(struct workers *w, unsigned threads)
{
	w->threads_max = threads > 0 ? threads : 1;
}

/* Threads take no signals; those are the loop's. */
static bool
thread_add(struct workers *w)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int result;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&thread, &attributes, thread_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (result == 0)
		w->threads++;
	return result == 0;
}

bool
workers_add(struct workers *w, struct proc_job *job)
{
	bool more;

	pthread_mutex_lock(&w->lock);
	more = w->n >= w->idle && w->threads < w->threads_max;
	pthread_mutex_unlock(&w->lock);
	if (more && !thread_add(w) && w->threads == 0)
		return false;
	pthread_mutex_lock(&w->lock);
	if (w->n == PROC_JOBS_MAX) {
		pthread_mutex_unlock(&w->lock);
		return false;
	}
	jobs_put(&w->waiting, job);
	w->n++;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return true;
}
