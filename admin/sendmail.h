/* admin/sendmail.h - the commands that other programs expect of a mail server */
#pragma once

#include "admin/command.h"

/* sendmail(8) as Postfix and others have it: -t -i -f -F -bs -bp -bi -q
 * -qR -qS -qI. */
command_run sendmail_run;
/* mailq(1). */
command_run mailq_run;
/* newaliases(1): aliases are in the directory; there is nothing to rebuild. */
command_run newaliases_run;
