/* common/front/auth.h - the beginning of a login, for authd */
#pragma once

#include "common/ipc/ipc.h"
#include "common/net/net.h"

/* Sends *m, in which `initial` is the client's first message, with the channel binding
 * of the stream that this names, or the one that could have been [RFC5802 6]. */
void auth_begin(struct ipc_peer *authd, const struct net_stream *stream,
		const struct ipc_auth_start *m);
