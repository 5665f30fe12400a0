/* tests/unit/hosted.h - one real program, with the test as its master and neighbours
 *
 * The program is started from the build folder's libexec as master would start it.
 * As root it gets its whole jail, under the user "nobody".
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/base.h"
#include "common/ipc/ipc.h"

#include <event2/event.h>
#include <sys/types.h>

/* An event loop of the test; what a hosted program says and what clients get is
 * looked at in it. */
struct hosted {
	struct event_base *base;
	pid_t pid;
	struct ipc_peer *master; /* to the program */
	bool ready, failed;
	/* What else it says to its master; null: nobody listens. */
	void (*said)(struct hosted *h, const struct ipc_message *m);
	char folder[64]; /* of the test's own, for spool, mail and so on */
};

void hosted_folder(struct hosted *h);
/* `settings` is added to those that name the folder. Returns when it is ready. */
void hosted_start(struct hosted *h, enum ipc_kind kind, const char *settings);
/* Other settings from now on. */
void hosted_reload(struct hosted *h, const char *settings);
/* A channel as if from another program. */
struct ipc_peer *hosted_peer(struct hosted *h, enum ipc_kind kind,
			     const struct ipc_callbacks *callbacks, void *context);
void hosted_file(struct hosted *h, const char *name, struct span bytes);
/* A listening socket on loopback; returns its port. */
uint16_t hosted_listener(struct hosted *h, const char *name);
/* Turns the loop until true() says so; fails the test when it takes 10 s. */
void hosted_until(struct hosted *h, bool (*true_now)(void *), void *context);
/* An orderly stop; the program must end with 0. */
void hosted_stop(struct hosted *h);
/* Removes the folder. */
void hosted_end(struct hosted *h);

/* --- a client ------------------------------------------------------------- */

struct talker {
	struct hosted *h;
	int fd;
	struct buf got;
	bool ended;
	const char *until;
};

void talker_init(struct talker *t, struct hosted *h, int fd);
void talker_connect(struct talker *t, struct hosted *h, uint16_t port);
void talker_say(struct talker *t, const char *text);
/* Reads until `text` is the end of all that came, then forgets what came. */
void talker_expect(struct talker *t, const char *text);
/* The same, but what came is moved to `out`. */
void talker_collect(struct talker *t, const char *text, struct buf *out);
/* The other side closes, after `text` as the last words. */
void talker_expect_end(struct talker *t, const char *text);
void talker_release(struct talker *t);
