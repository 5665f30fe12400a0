/* common/imap/imap.h - the door to IMAP's grammar
 *
 * What    commands taken off a stream whole (frame.h) and turned into values
 *         (command.h, parse.h); names of mailboxes (name.h), sets of numbers
 *         (set.h), dates (date.h); and what responses are made of (put.h).
 * RFC     [RFC3501] IMAP4rev1, [RFC9051] IMAP4rev2, and the extensions that
 *         docs/imap.md lists, each named where it is parsed.
 * Trust   every byte is a client's: nothing here asserts on one, allocates without
 *         a limit, or looks beyond a span.
 * Memory  pure: no I/O, no clock. Values of a command live in the caller's arena and
 *         in the frame they were parsed from.
 */
#pragma once

#include "common/base/base.h"

#include "common/imap/command.h"
#include "common/imap/date.h"
#include "common/imap/frame.h"
#include "common/imap/name.h"
#include "common/imap/parse.h"
#include "common/imap/put.h"
#include "common/imap/set.h"
