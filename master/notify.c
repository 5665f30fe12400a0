#include "master/master.h"

#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

void
notify_ready(struct master *m)
{
	logline(LOGLINE_INFO, "master.ready", L_U64("processes", m->n),
		L_U64("ms", proc_ticks_ms() - m->started_ms));
	(void)sd_notify(0, "READY=1\nSTATUS=all programs run");
}

void
notify_reloading(void)
{
	char text[96];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 proc_ticks_ms() * 1000);
	(void)sd_notify(0, text);
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=finishing what was acknowledged");
}

static void
on_watchdog(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	(void)sd_notify(0, "WATCHDOG=1");
}

void
notify_start(struct master *m)
{
	uint64_t period_us;
	struct timeval half;

	if (sd_watchdog_enabled(0, &period_us) <= 0)
		return;
	half = (struct timeval){(time_t)(period_us / 2000000),
				(suseconds_t)(period_us / 2 % 1000000)};
	m->watchdog_timer = event_new(m->base, -1, EV_PERSIST, on_watchdog, m);
	ASSERT(m->watchdog_timer && event_add(m->watchdog_timer, &half) == 0);
}
