/* common/movein/postfixadmin.h - the tables of Postfixadmin
 *
 * domain, mailbox, alias, alias_domain, domain_admins, admin, vacation, quota2. A
 * mailbox has an alias of its own name, from which come forwarding and, by a target
 * at the vacation domain, the auto-reply.
 */
#pragma once

#include "common/movein/table.h"

struct movein_postfixadmin {
	struct movein *m;
	struct span base; /* where mailbox.maildir begins; may be empty */
	unsigned super;   /* administrators of all domains that were met */
};

/* The tables to read, in the order to read them; ended by null. */
extern const char *const movein_postfixadmin_tables[];

/* One row; rows come in the order of the tables, those of others are passed over. */
void movein_postfixadmin_row(void *postfixadmin, const struct movein_row *row);

/* Once all rows were taken, before movein_settle(). */
void movein_postfixadmin_end(struct movein_postfixadmin *p);
