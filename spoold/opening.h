/* spoold/opening.h - a segment of its own for one large message
 *
 * Between stream.c and opening.c only.
 */
#pragma once

#include "spoold/stream.h"

/* The only place that changes a stream's state. */
void stream_enter(struct stream *st, enum stream_state to);
void stream_refuse(struct stream *st, enum spool_outcome outcome);
void stream_write(struct stream *st, struct span bytes);
/* All of it has come: on to its sync, its answer, and the end of the stream. */
void stream_finish(struct stream *st);

/* Starts making the file, for a message of about so many bytes (0: unknown). */
void stream_open(struct stream *st, uint64_t bytes);
