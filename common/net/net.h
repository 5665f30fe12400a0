/* common/net/net.h - the door to the network
 *
 * What    addresses, listening sockets, connections being made, streams with
 *         bounded buffers and deadlines (plain or TLS), and what one client may do.
 * RFC     [RFC4291 2.5.5.2] IPv4-mapped addresses.
 * Trust   every byte read is a peer's. Who may connect, how much is buffered and
 *         how long anything waits is bounded here or by the caller's sizes.
 * Memory  an idle plain stream costs under 1 KB, an idle one under TLS 17 KB.
 */
#pragma once

#include "common/net/accept.h"
#include "common/net/address.h"
#include "common/net/connect.h"
#include "common/net/limits.h"
#include "common/net/stream.h"
