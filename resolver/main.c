/* resolver/main.c - the program that asks the DNS, for all the others */
#include "common/proc/proc.h"

static const struct proc_program program = {
    .kind = IPC_KIND_RESOLVED,
};

int
main(int argc, char **argv)
{
	return proc_main(argc, argv, &program);
}
