/* common/proc/proc.h - the door of the room that every program is built on
 *
 * What    the table of programs (services.h), the skeleton of a program: start,
 *         jail (jail.h), event loop, control channel to master, channels to the
 *         other programs, log sink (sink.h), worker threads.
 * Trust   master is believed. Other programs are not; ipc checks them.
 * Memory  struct proc lives as long as the process.
 *
 * The order in a program's life:
 *   prepare   still with the rights it was started with; load what libraries
 *             need from files (OpenSSL, charsets), touch nothing else
 *   start     jailed; settings and counts are known, there are no peers yet
 *   then, from the loop and in any order: file, listener, peer_up, message,
 *   peer_down, reload, status
 *   turn      at the end of each turn of the loop, before ipc and logs go out
 *   drain     stop taking new work; call proc_drained() once all acknowledged
 *             work is done; the process then exits 0. Called also when master
 *             is gone. With `now` there is no time: finish in this call.
 */
#pragma once

#include "common/base/base.h"
#include "common/conf/conf.h"
#include "common/ipc/ipc.h"
#include "common/proc/jail.h"
#include "common/proc/services.h"
#include "common/proc/sink.h"

struct event_base;
struct proc;

struct proc_program {
	enum ipc_kind kind;
	int (*prepare)(struct proc *p, struct err *err);
	int (*start)(struct proc *p, struct err *err);
	/* fd is the program's from now on. The same name may come several times
	 * (one socket for each address). At a reload every listener that is gone
	 * is told by unlisten, and new ones come by listener. */
	void (*listener)(struct proc *p, struct span name, int fd);
	/* All listeners of this name are to be closed; the ones to use instead, if
	 * any, follow. Sessions go on. */
	void (*unlisten)(struct proc *p, struct span name);
	/* "tls.cert", "tls.key"; again at each reload. fd is the program's, at
	 * offset 0; read it with proc_read_fd(). "sts.policies": once, before any
	 * peer. */
	void (*file)(struct proc *p, struct span name, int fd);
	void (*peer_up)(struct proc *p, struct ipc_peer *peer);
	/* The peer is freed when this returns. */
	void (*peer_down)(struct proc *p, struct ipc_peer *peer);
	void (*message)(struct proc *p, struct ipc_peer *peer,
			const struct ipc_message *m, int fd);
	void (*turn)(struct proc *p);
	void (*reload)(struct proc *p);
	void (*drain)(struct proc *p, bool now);
	/* Appends lines "name value\n": figures_put() of common/base. */
	void (*status)(struct proc *p, struct buf *out);
};

/* main() of a program: `return proc_main(argc, argv, &program);` */
MUST_USE int proc_main(int argc, char **argv, const struct proc_program *program);

MUST_USE struct event_base *proc_base(struct proc *p);
/* Valid until the next reload() returns: do not keep pointers into it. */
MUST_USE const struct settings *proc_settings(const struct proc *p);
MUST_USE uint32_t proc_instance(const struct proc *p);
/* How many processes of a kind there are; at least 1. */
MUST_USE uint32_t proc_count(const struct proc *p, enum ipc_kind kind);
/* The channel, or null while the other side is away. */
MUST_USE struct ipc_peer *
proc_peer(struct proc *p, enum ipc_kind kind, uint32_t instance);
MUST_USE bool proc_draining(const struct proc *p);
void proc_drained(struct proc *p);

MUST_USE void *proc_context(const struct proc *p);
void proc_set_context(struct proc *p, void *context);

/* Wall clock, microseconds since 1970. */
MUST_USE uint64_t proc_now_us(void);
/* Never jumps; milliseconds since some start. */
MUST_USE uint64_t proc_ticks_ms(void);

/* A file handed over by fd, from offset 0, at most out->max bytes. Closes fd. */
MUST_USE int proc_read_fd(int fd, struct buf *out, struct err *err);

/* Work off the loop. work() runs in one of `threads` threads, done() in the loop
 * some time later; the job is the caller's, usually inside a bigger struct, and
 * must live until done() is called. */
struct proc_job {
	void (*work)(struct proc_job *job);
	void (*done)(struct proc_job *job);
	struct proc_job *next; /* the pool's */
};

#define PROC_JOBS_MAX 65536

/* False when too many jobs wait, or no thread can be had; done() is then never
 * called. Threads are started at the first job. */
MUST_USE bool proc_work(struct proc *p, struct proc_job *job);
/* How many threads there may be; before the first job, 4 without this call. */
void proc_set_threads(struct proc *p, unsigned threads);
