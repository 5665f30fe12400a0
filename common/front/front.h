/* common/front/front.h - the door to what programs that face the network share
 *
 * What    their listening sockets, the certificate they are given, logins that are
 *         relayed to authd, and their part of what all processes of a kind allow one
 *         client.
 * RFC     [RFC5802 6] [RFC9266] channel bindings.
 * Trust   files come from master; what a client says of its login is authd's to judge.
 */
#pragma once

#include "common/front/auth.h"
#include "common/front/certificate.h"
#include "common/front/limits.h"
#include "common/front/listeners.h"
