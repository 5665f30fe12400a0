/* admin/complete.h - what the files of `postroad complete` share */
#pragma once

#include "admin/command.h"

struct completion {
	struct admin *admin;
	const char *typed; /* the beginning of the word */
	const char
	    *before; /* what stands in front of each candidate: "group:", or "" */
	const char *account; /* whose mailboxes can be named; or null */
	size_t shown;
	struct buf words; /* of commands that were shown, each in line feeds */
};

/* Shows it when it begins with what was typed. */
void complete_offer(struct completion *c, struct span candidate);

/* complete_names.c: all that the word can stand for in the arguments of a command of
 * that noun: "USER@DOMAIN" each account, "none" itself. */
void complete_word(struct completion *c, const char *noun, struct span word);
