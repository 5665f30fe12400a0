#include "admin/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t wanted;

static void
on_signal(int number)
{
	(void)number;
	wanted = 1;
}

void
stop_watch(void)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
}

bool
stop_wanted(void)
{
	return wanted;
}
