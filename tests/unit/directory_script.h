/* tests/unit/directory_script.h - operations on a directory as lines of text
 *
 *   add|set KIND NAME [FIELD=VALUE...]   FIELD+=VALUE, FIELD-=VALUE
 *   remove KIND NAME
 *   show KIND NAME FIELD...              "done FIELD=VALUE..."
 *   list KIND [DOMAIN]                   "done NAME..."
 *   resolve ADDRESS [from=SENDER] [login=ACCOUNT]
 *       "targets TARGET...": ADDRESS[/DETAIL][<SENDER][!reply|!only-reply], "->" before
 *       those outside; and "skipped=N" behind
 *   find ADDRESS                         the account's address
 *   send ACCOUNT ADDRESS                 "yes" or "no": may it?
 *   rules ACCOUNT DOMAIN                 does it administer the domain?
 * An answer begins with the name of its result. It is November 14th of 2023.
 */
#pragma once

#include "common/directory/directory.h"

struct script_row {
	const char *line, *want;
};

struct script_scenario {
	const char *name;
	const struct script_row *rows; /* on an empty directory */
	size_t n;
};

/* directory_rows.c */
extern const struct script_scenario script_scenarios[];
extern const size_t script_scenarios_n;

struct script {
	struct directory *d;
	struct buf rows; /* of the last request, each behind its length */
	struct buf answer;
	struct err err;
	/* Asked before a request is run, when there is one: DONE lets it run. */
	enum directory_result (*permit)(struct directory *d,
					const struct directory_request *r,
					struct err *err);
};

struct script *script_new(struct directory *d);
/* Gives back the directory. */
struct directory *script_free(struct script **s);

/* False after printing what came instead. */
bool script_check(struct script *s, const struct script_row *row);
void script_expect(struct script *s, const struct script_row *row);
/* That it is "done". */
void script_do(struct script *s, const char *line);

enum directory_result
script_request(struct script *s, const struct directory_request *r);
uint64_t script_id(struct script *s, const char *address);
/* Its address, or "". */
const char *script_of_id(struct script *s, uint64_t id);
int script_match(struct script *s, const char *address, const char *password,
		 unsigned scope, char *label);
enum directory_result
script_note(struct script *s, const struct directory_login *logins, size_t n);
