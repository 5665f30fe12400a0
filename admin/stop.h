/* admin/stop.h - long commands that end in order when the operator stops them */
#pragma once

#include <stdbool.h>

/* From now on SIGINT and SIGTERM only ask for the end. */
void stop_watch(void);
/* Was it asked for? */
bool stop_wanted(void);
