/* admin/directory.h - one request to the directory, whoever owns it now
 *
 * While the server runs authd owns the directory and is asked over its control
 * socket; otherwise the command opens it itself, as the owner of its files.
 */
#pragma once

#include "admin/command.h"
#include "common/directory/directory.h"

typedef void directory_take(void *context, const struct directory_object *row);

/* Rows go to `take` (may be null). Anything but DIRECTORY_DONE is told on
 * standard error, and gives the exit status for it. */
MUST_USE enum exit_status
directory_ask(struct admin *admin, const struct directory_request *request,
	      directory_take *take, void *context);

/* The same, but what the directory says to it is the caller's: in *result, and *err
 * unless that is DIRECTORY_DONE. Anything but EXIT_DONE when it cannot be asked. */
MUST_USE enum exit_status
directory_try(struct admin *admin, const struct directory_request *request,
	      directory_take *take, void *context, enum directory_result *result,
	      struct err *err);

/* For many requests in a row: without a server the directory is opened once, and
 * nobody else can have it until directory_drop(). */
void directory_hold(void);
void directory_drop(void);

/* ADD, REMOVE or SHOW of what has that name, with nothing else to say. */
MUST_USE enum exit_status
directory_simple(struct admin *admin, enum directory_verb verb,
		 enum directory_kind kind, const char *name);

/* Every row of a LISTING or DUMP, asked for page by page; `in` is a domain, for app
 * passwords an account, or "". */
MUST_USE enum exit_status
directory_list(struct admin *admin, enum directory_verb verb, enum directory_kind kind,
	       const char *in, directory_take *take, void *context);
