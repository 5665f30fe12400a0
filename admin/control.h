/* admin/control.h - talking to a running program through its control socket */
#pragma once

#include "admin/command.h"
#include "common/ipc/ipc.h"

#define CONTROL_TIMEOUT_MS 30000

/* "master", "authd", "qmgr". Null when it does not run or does not let us; *err
 * says which, and its code is ENOENT or ECONNREFUSED for the first. */
MUST_USE struct ipc_client *
control_connect(struct admin *admin, const char *program, struct err *err);

/* Did control_connect() fail because nothing runs? */
MUST_USE bool control_is_down(const struct err *err);

/* Does it run? It holds its control socket open from its start on; yes, too, when it
 * does not let us. */
MUST_USE bool control_runs(struct admin *admin, const char *program);

/* Tells why on standard error and gives the exit status for it. */
MUST_USE enum exit_status control_failed(const char *program, const struct err *err);

/* Sends one question and gives each answer to `take` until that says it was the
 * last (false). A fault is told; the status is then for returning. */
typedef bool control_take(void *context, const struct ipc_message *m);
MUST_USE enum exit_status
control_ask(struct admin *admin, const char *program,
	    const struct ipc_message *question, control_take *take, void *context);
