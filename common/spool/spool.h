/* common/spool/spool.h - the door: what smtpd, spoold, qmgr and authd agree on
 *
 * What    the envelope and target list codecs, queue ids as text, and the shape
 *         of spool/seg. Formats byte by byte: docs/spool.md.
 * RFC     [RFC3461] what DSN parameters an envelope keeps.
 * Trust   pure. An envelope comes from smtpd, which talks to strangers: it is parsed
 *         whole before anything is believed.
 * Memory  the codecs allocate nothing; parsed spans point into the input.
 */
#pragma once

#include "common/base/base.h"

#include "common/spool/queue_id.h"
#include "common/spool/target.h"
#include "common/spool/demand.h"
#include "common/spool/envelope.h"
#include "common/spool/relay.h"
#include "common/spool/segment.h"
