/* admin/backend.h - what the commands on the directory's database share */
#pragma once

#include "admin/command.h"

/* Becomes the user of authd, whom the database knows, until owner_restore(). -1 is
 * told. */
MUST_USE int backend_become(struct admin *admin);

/* postroad directory copy, as that user. */
MUST_USE enum exit_status backend_copy(struct admin *admin);
