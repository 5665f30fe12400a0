/* admin/owner.h - writing files as the user they belong to
 *
 * The operator is usually root; what root writes into a folder of a Postroad user
 * that user could not change any more. So the command steps down to the owner of
 * the folder for as long as it works there. Does nothing for an ordinary user.
 */
#pragma once

#include "common/base/base.h"

/* From now on effective user and group are those of the folder's owner. */
MUST_USE int owner_become(const char *folder, struct err *err);
/* The same by the name of the user; where there is none of that name, nothing. */
MUST_USE int owner_become_user(const char *name, struct err *err);
/* Back to who started the command. */
void owner_restore(void);

/* As owner, may read every file all the same, as root may: mail of other systems
 * belongs to others. Without effect for who was not root. */
void owner_read_all(void);
