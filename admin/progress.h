/* admin/progress.h - how far a long command is, told on standard error
 *
 * At a terminal one line is drawn over and over, a few times a second; elsewhere
 * (a log, a pipe) a line is written each PROGRESS_LINE_S, so nothing is told of what
 * is done at once. Standard output stays the result's.
 */
#pragma once

#include "admin/command.h"

#define PROGRESS_DRAW_MS 200
#define PROGRESS_LINE_S  10
#define PROGRESS_TEXT    200 /* bytes of a line, with its NUL */

struct progress;

/* `what` ("importing") and `unit` ("messages") must outlive it. A total of 0 is not
 * known. */
MUST_USE struct progress *
progress_new(const char *what, const char *unit, uint64_t total);
/* `done` of the total are; `at`, which may be empty, is what is worked on. Cheap: to be
 * called for every one. */
void progress_at(struct progress *p, uint64_t done, struct span at);
/* Takes the line away again; frees. */
void progress_free(struct progress **p);

/* The line: "importing  1,234 of 50,000 messages (2%), 411/s, 2 min left: INBOX". Pure;
 * `at` is escaped. */
void progress_text(const char *what, const char *unit, uint64_t done, uint64_t total,
		   uint64_t elapsed_ms, struct span at, char out[PROGRESS_TEXT]);
