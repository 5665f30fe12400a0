/* authd/errand.h - work on the directory that somebody waits for
 *
 * What    a directory task [common/directory/task.h] with who asked for it. With a
 *         database that answers at once it is done before errand_run() returns and
 *         costs nothing; otherwise it is kept until the answer comes, or until its
 *         asker goes away.
 * Memory  a struct errand is the first member of what is asked; at most ERRANDS_MAX
 *         wait at a time.
 */
#pragma once

#include "common/directory/directory.h"
#include "common/ipc/ipc.h"

#include <sys/queue.h>

#define ERRANDS_MAX 10000

struct authd;
struct errand;

struct errand_kind {
	enum directory_task_kind task;
	/* Asks the directory; may run several times: begins by emptying its outputs,
	 * and has no other effects. */
	void (*work)(struct directory *d, struct errand *e);
	/* After the last run: answers with what it found, and frees. */
	void (*done)(struct errand *e);
	/* Nobody waits for it any more: frees. */
	void (*drop)(struct errand *e);
};

struct errand {
	TAILQ_ENTRY(errand) link;
	const struct errand_kind *kind;
	struct authd *authd;
	struct ipc_peer *peer;       /* who asked; null: authd itself */
	struct directory_task *task; /* while it waits */
	bool parked;
};

TAILQ_HEAD(errand_list, errand);

/* False, and nothing was done, when too many wait already. Otherwise done() has been
 * called or will be. */
MUST_USE bool errand_run(struct errand *e);
/* In done(): it waits for something else than the directory, and is run again or goes
 * away by itself. */
void errand_park(struct errand *e);
/* It goes away by itself; drop() is not called. Nothing for one that does not wait. */
void errand_cancel(struct errand *e);
/* The peer is gone: its errands are dropped. */
void errands_drop_peer(struct authd *a, const struct ipc_peer *peer);
