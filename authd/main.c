#include "authd/authd.h"

/* Changes are durable when they are answered: nothing is left to finish. */
static void
drain(struct proc *p, bool now)
{
	(void)now;
	proc_drained(p);
}

int
main(int argc, char **argv)
{
	static const struct proc_program program = {
	    .kind = IPC_KIND_AUTHD,
	    .start = authd_start,
	    .listener = authd_listener,
	    .unlisten = authd_unlisten,
	    .message = authd_message,
	    .peer_up = authd_peer_up,
	    .peer_down = authd_peer_down,
	    .reload = authd_reload,
	    .drain = drain,
	    .status = authd_status,
	};

	return proc_main(argc, argv, &program);
}
