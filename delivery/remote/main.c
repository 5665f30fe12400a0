/* delivery/remote/main.c - the program that sends mail to other servers */
#include "common/proc/proc.h"

static const struct proc_program program = {
    .kind = IPC_KIND_REMOTE,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
