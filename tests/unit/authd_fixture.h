/* tests/unit/authd_fixture.h - authd with real channels, a clock of our own, no master
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "authd/authd.h"

/* What common/proc would be. */
struct proc {
	struct event_base *base;
	struct settings settings;
	void *context;
	struct ipc_peer *local;
	struct proc_job *jobs;
	size_t n_jobs;
	bool refuse_jobs;
};

/* The other ends of the channels. */
enum side {
	SMTPD,
	GATE,
	POP3D,
	LOCAL,
	ADMIN,
	SIDES,
};

struct far {
	struct ipc_peer *ours, *theirs;
	bool down;
	size_t n; /* messages got since the last ask */
	size_t rows;
	struct ipc_message last;
	struct arena arena; /* holds the spans of `last` */
};

struct fixture {
	char folder[64];
	struct proc proc;
	struct authd *authd;
	struct far sides[SIDES];
	uint64_t you, off, big;
	uint64_t now_ms; /* the clock */
};

extern struct fixture fix;

void run_jobs(struct proc *p);
/* Everything that can be delivered now is. */
void settle(void);
void cut_side(enum side side);
/* Sends one message and gives back what came last in answer. */
const struct ipc_message *ask(enum side side, struct ipc_message m);
/* Time goes by, and with it what waits for it. */
void pass(uint64_t ms);
int authd_setup(void **state);
int authd_teardown(void **state);
int authd_remove_folder(void **state);

#define ASK(side, name, ...)                                                           \
	ask((side),                                                                    \
	    (struct ipc_message){.number = IPC_NUMBER_##name, .name = {__VA_ARGS__}})

#define WITH(test) cmocka_unit_test_setup_teardown(test, authd_setup, authd_teardown)
