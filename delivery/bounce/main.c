/* delivery/bounce/main.c - the program that writes reports to senders */
#include "common/proc/proc.h"

static const struct proc_program program = {
    .kind = IPC_KIND_BOUNCE,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
