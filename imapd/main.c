#include "common/proc/proc.h"

#include <unistd.h>

static void
message(struct proc *p, struct ipc_peer *peer, const struct ipc_message *m, int fd)
{
	(void)p;
	(void)peer;
	(void)m;
	if (fd >= 0)
		close(fd);
}

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
	    .kind = IPC_KIND_IMAPD,
	    .message = message,
	    .drain = drain,
	};

	return proc_main(argc, argv, &program);
}
