/* authd/opening.h - the directory from its opening to when it can be asked
 *
 * A database that is not there, or whose tables are another version's, keeps nobody
 * from starting: until it is right, whoever asks hears that it is down.
 */
#pragma once

#include "authd/authd.h"

/* Opens it as the settings say, and makes those domains of the setting `domains` that
 * it does not have; in its own time where that has to wait. */
MUST_USE int opening_start(struct authd *a, struct err *err);
/* The same domains after a reload. None goes that the setting has no more. */
void opening_again(struct authd *a);
void opening_free(struct opening **o);
