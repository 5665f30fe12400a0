/* common/ipc/ipc.h - the door of the room in which programs talk to each other
 *
 * What    one table of messages (messages.h), its structs and codec (message.h),
 *         channels on the event loop (channel.h), a blocking client (client.h).
 * Trust   the other side may be a stolen program. A message that is short,
 *         unknown, sent in a wrong direction or with descriptors that do not
 *         belong to it takes that channel down; it never ends the receiver.
 * Memory  a peer owns its socket and its queue; nothing is allocated a message.
 */
#pragma once

#include "common/ipc/message.h"
#include "common/ipc/channel.h"
#include "common/ipc/client.h"
