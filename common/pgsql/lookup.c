#include "common/pgsql/internal.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ADDRESSES_MAX 8 /* that are tried of one host */

/* The system's resolver can take half a minute, so it has a thread. Thread and loop
 * share this; whoever comes last frees it. */
struct lookup {
	pthread_mutex_t mutex;
	bool done, abandoned; /* under the mutex */
	char *hosts[HOSTS_MAX];
	char *addresses[HOSTS_MAX];
	size_t n;
	struct err err;
	int wake; /* eventfd */
	/* the loop's */
	struct event event;
	lookup_done *on_done;
	void *context;
};

static void
lookup_destroy(struct lookup *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->hosts[i]);
		free(l->addresses[i]);
	}
	if (l->wake >= 0)
		close(l->wake);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}

/* ---- in the thread */

static char *
addresses_text(const struct addrinfo *found)
{
	struct buf text = buf_make((NI_MAXHOST + 1) * ADDRESSES_MAX);
	char address[NI_MAXHOST];
	char *out;
	int n = 0;

	for (; found && n < ADDRESSES_MAX; found = found->ai_next) {
		if (getnameinfo(found->ai_addr, found->ai_addrlen, address,
				sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		if (n++ > 0)
			buf_put_char(&text, ',');
		buf_put_str(&text, address);
	}
	out = n > 0 ? span_dup(buf_span(&text)) : NULL;
	buf_release(&text);
	return out;
}

static void
look_up(struct lookup *l, size_t i)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int code = getaddrinfo(l->hosts[i], NULL, &hints, &found);

	if (code != 0) {
		err_set(&l->err, "the name %.100s: %s", l->hosts[i],
			gai_strerror(code));
		return;
	}
	l->addresses[i] = addresses_text(found);
	freeaddrinfo(found);
}

static void *
lookup_thread(void *context)
{
	struct lookup *l = context;
	uint64_t one = 1;
	bool abandoned;

	for (size_t i = 0; i < l->n; i++)
		if (l->hosts[i][0] != '\0')
			look_up(l, i);
	pthread_mutex_lock(&l->mutex);
	l->done = true;
	abandoned = l->abandoned;
	/* The loop frees it only under the mutex or after this word. */
	if (!abandoned && write(l->wake, &one, sizeof(one)) < 0)
		assert_failed("an eventfd takes a number", __FILE__, __LINE__);
	pthread_mutex_unlock(&l->mutex);
	if (abandoned)
		lookup_destroy(l);
	return NULL;
}

/* ---- in the loop */

static void
on_wake(evutil_socket_t fd, short what, void *context)
{
	struct lookup *l = context;

	(void)fd, (void)what;
	/* The thread lets go of the mutex before anything is freed. */
	pthread_mutex_lock(&l->mutex);
	pthread_mutex_unlock(&l->mutex);
	event_del(&l->event);
	l->on_done(l->context, l->addresses, l->err.text[0] ? &l->err : NULL);
}

static int
start_thread(struct lookup *l)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	code = pthread_create(&thread, &attr, lookup_thread, l);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

struct lookup *
hosts_lookup_new(struct event_base *base, const char *const *hosts, size_t n,
		 lookup_done *done, void *context)
{
	struct lookup *l = memory_new(1, sizeof(*l));
	int code;

	pthread_mutex_init(&l->mutex, NULL);
	l->n = n;
	l->on_done = done;
	l->context = context;
	for (size_t i = 0; i < n; i++)
		l->hosts[i] = span_dup(span_str(hosts[i]));
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event_assign(&l->event, base, l->wake, EV_READ, on_wake, l);
	code = l->wake < 0 ? errno : start_thread(l);
	if (code == 0) {
		event_add(&l->event, NULL);
		return l;
	}
	err_set(&l->err, "a thread to look up names: %s", strerror(code));
	l->done = true;
	event_active(&l->event, EV_READ, 0);
	return l;
}

void
hosts_lookup_free(struct lookup **owner)
{
	struct lookup *l = *owner;
	bool done;

	*owner = NULL;
	if (!l)
		return;
	event_del(&l->event);
	pthread_mutex_lock(&l->mutex);
	done = l->done;
	l->abandoned = true;
	pthread_mutex_unlock(&l->mutex);
	if (done)
		lookup_destroy(l);
}
