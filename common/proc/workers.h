/* common/proc/workers.h - a few threads for work that blocks
 *
 * Private to this room; proc_work() is the way in.
 */
#pragma once

#include "common/proc/proc.h"

struct workers;

MUST_USE struct workers *workers_new(struct event_base *base, unsigned threads);
void workers_set_threads(struct workers *w, unsigned threads);
MUST_USE bool workers_add(struct workers *w, struct proc_job *job);
