/* common/directory/task.h - work on a directory whose database may make one wait
 *
 * What    the operations of directory.h are plain functions that return when they
 *         are done. Behind a database that answers over a network, that would stop
 *         the whole program, so what an asker wants done is given here as one
 *         function. When it needs a record that is not here yet, the query starts,
 *         the operation fails, the function returns, and once the answer is here the
 *         same function runs again from its beginning; what was read before is
 *         remembered, so it gets further each time. The last run is the one whose
 *         outputs count.
 * Memory  a task belongs to its directory; the asker holds a pointer to cancel it.
 */
#pragma once

/* The door includes this file at its end. */
#include "common/directory/directory.h"

struct directory_task;

enum directory_task_kind {
	DIRECTORY_READS,
	DIRECTORY_CHANGES, /* all it reads and changes is one transaction */
};

/* May run several times: begins by emptying its outputs. Has no effects but on
 * *context and, at its end, at most one change of the directory. */
typedef void directory_work(struct directory *d, void *context);
typedef void directory_finished(void *context);

/* True: done on return, and `finished` is not called (always so with Berkeley DB).
 * False: *task is set, and `finished` comes from the event loop after the last run.
 * With the database down or slow that run sees faults, as any other fault. */
MUST_USE bool
directory_do(struct directory *d, enum directory_task_kind kind, directory_work *work,
	     directory_finished *finished, void *context, struct directory_task **task);

/* The asker is gone: no call comes any more. Nulls the pointer; null is fine. A change
 * that was on its way may still be made. */
void directory_cancel(struct directory_task **task);

/* The same for programs without a loop: waits until it is done. */
void directory_do_now(struct directory *d, enum directory_task_kind kind,
		      directory_work *work, void *context);
