/* admin/trace.h - the history of a message, out of the log
 *
 * The log is read three times: for the queue ids of all events that name what is
 * searched (a queue id, a Message-ID, an address), and of the reports about those
 * messages; for the sessions they came by; and for the events themselves.
 * Trust   values in the log are escaped, but were a peer's.
 */
#pragma once

#include <jansson.h>

#include "admin/command.h"

struct trace_event {
	struct span line;
	struct span at; /* what stands before the event: time, program */
	struct span name;
	struct span fields;
};

typedef void trace_take(void *context, const struct trace_event *e);

/* Gives the events in the order of the log. False when it cannot be read, which is
 * told. */
MUST_USE bool trace_read(const struct settings *settings, struct span needle,
			 trace_take *take, void *context);

/* {"at": .., "event": .., "fields": {..}} */
MUST_USE json_t *trace_event_json(const struct trace_event *e);
