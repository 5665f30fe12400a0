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
	struct ipc_peer *peers[IPC_KIND_COUNT];
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
	BOUNCE,
	IMAPD,
	SIDES,
};

enum database {
	NEAR, /* answers at once */
	SLOW, /* with run_tasks() */
	DOWN, /* not at all */
};

struct task;

struct far {
	struct ipc_peer *ours, *theirs;
	bool down;
	size_t n; /* messages got since the last ask */
	size_t rows;
	size_t of[256]; /* by number, since the last ask */
	struct ipc_message last;
	struct arena arena; /* holds the spans of `last` */
};

struct fixture {
	char folder[64];
	struct proc proc;
	struct authd *authd;
	struct far sides[SIDES];
	uint64_t you, off, big;
	size_t n_tasks;
	struct task *tasks; /* of a slow database */
	uint64_t now_ms;    /* the clock */
	uint64_t later_s;   /* how far the wall clock has gone */
};

extern struct fixture fix;

/* The job that was given last. */
void run_job(struct proc *p);
void run_jobs(struct proc *p);
/* What a slow directory was asked is answered. */
void run_tasks(void);
/* From now on the database is this. */
void set_database(enum database database);
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
