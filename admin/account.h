/* admin/account.h - what the files of `postroad account` share */
#pragma once

#include "admin/object.h"

/* A request on the account of that address. */
struct directory_request account_request(enum directory_verb verb, const char *address);

/* Asks for a password, twice at a terminal, puts what is kept of it into the request
 * and sends that. */
MUST_USE enum exit_status
account_send_password(struct admin *admin, struct directory_request *request);

/* One row each of the table in account.c. */
enum exit_status account_passwd(struct admin *admin, int argc, char **argv);
enum exit_status account_app_list(struct admin *admin, int argc, char **argv);
enum exit_status account_app_add(struct admin *admin, int argc, char **argv);
enum exit_status account_app_remove(struct admin *admin, int argc, char **argv);
enum exit_status account_forward(struct admin *admin, int argc, char **argv);
enum exit_status account_reply(struct admin *admin, int argc, char **argv);
