/* common/reply/reply.h - the door: answers that an account gives by itself
 *
 * What    decide.h says whether a message is one that may be answered by a program,
 *         compose.h writes the answer.
 * RFC     [RFC3834] automatic responses; [RFC5230 4.5, 4.6] who is not answered.
 * Loops   an answer has the null sender and Auto-Submitted, so that none is made to
 *         it; whether one was made lately for the same sender is the asker's to know.
 * Trust   pure: no I/O, no clock. Every byte of a header is a stranger's.
 * Memory  nothing is kept.
 */
#pragma once

#include "common/base/base.h"

#include "common/reply/compose.h"
#include "common/reply/decide.h"
