/* common/spool/queue_id.h - the name of a message in the queue
 *
 * 64 bits: the second in which spoold started, then a counter; so numbers grow
 * and are never used again. As text 13 letters and digits of base32hex in lower
 * case [RFC4648 7], which sort as the numbers do.
 */
#pragma once

#include "common/base/base.h"

#define QUEUE_ID_TEXT      13
#define QUEUE_ID_TEXT_SIZE (QUEUE_ID_TEXT + 1)
#define QUEUE_ID_BLOCK     256u /* ids in one grant to an smtpd */

/* 13 characters and a NUL. */
void queue_id_format(uint64_t id, char out[QUEUE_ID_TEXT_SIZE]);

/* Exactly 13 characters, letters in either case; never gives 0. */
MUST_USE bool queue_id_parse(struct span text, uint64_t *id);
