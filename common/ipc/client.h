/* common/ipc/client.h - the blocking side, for the admin command
 *
 * Connects to a control socket, says hello as IPC_KIND_ADMIN and checks the
 * answer, so a wrong version fails at once with a text that says so.
 */
#pragma once

#include "common/ipc/message.h"

struct ipc_client;

/* Null on a fault: nobody listens (code ECONNREFUSED or ENOENT), no right to
 * (EACCES), other version (EPROTO), no hello within timeout_ms (ETIMEDOUT). */
MUST_USE struct ipc_client *
ipc_client_connect(const char *path, int timeout_ms, struct err *err);
void ipc_client_free(struct ipc_client **client);

/* Who answered. */
MUST_USE enum ipc_kind ipc_client_kind(const struct ipc_client *client);

MUST_USE int ipc_client_send(struct ipc_client *client, const struct ipc_message *m,
			     struct err *err);

/* The next message, which lives until the next call. A fault with code
 * ETIMEDOUT when none comes in time, ECONNRESET when the other side is gone. */
MUST_USE int ipc_client_receive(struct ipc_client *client, int timeout_ms,
				struct ipc_message *out, struct err *err);
