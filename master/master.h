/* master/master.h - the program that starts and watches all others
 *
 * What    reads the settings, makes directories, binds ports, starts the
 *         programs of the service table, connects them by socket pairs, starts
 *         them again when they die, reloads, and stops them in order.
 * Trust   runs as root and therefore touches no byte from the network or from a
 *         mail. What the other programs send is checked by ipc and believed for
 *         nothing but "ready", "pong" and texts that are shown.
 * Files   main.c (start, loop, signals), process.c (one process: its states),
 *         spawn.c (fork and exec), wiring.c (what a process is told),
 *         directories.c, listeners.c, files.c (TLS), logs.c (where the log goes),
 *         loggers.c (who writes it), reload.c, stop.c, control.c (the admin
 *         command), notify.c (systemd), lock.c. Programs of their own: logger.c,
 *         pair/pair.c.
 */
#pragma once

#include "common/base/base.h"
#include "common/conf/conf.h"
#include "common/ipc/ipc.h"
#include "common/proc/proc.h"

#include <event2/event.h>
#include <limits.h>
#include <sys/types.h>

#define LISTENERS_MAX     256
#define CONTROL_PEERS_MAX 64
#define QUERIES_MAX       16
#define QUERY_TIMEOUT_MS  1500
#define PING_EVERY_S      3

/* --- processes ------------------------------------------------------------ */

struct master;

struct process {
	struct master *master;
	const struct service *service;
	uint32_t instance;
	enum process_state state;
	pid_t pid;             /* 0 when there is none */
	struct ipc_peer *peer; /* null when there is none */
	int log;               /* the logger's end of its stderr; -1: none yet */
	struct event *restart; /* timer */
	uint64_t started_ms;
	uint64_t asked_ms; /* first ping that it owes an answer to; 0: none */
	uint64_t starts;
	unsigned failures; /* starts in a row that ended soon */
	/* The first program that it says its channel to is gone; null: none. */
	struct process *lost;
	uint64_t lost_start, lost_ms; /* which start of that, and when it said so */
};

/* A place for clients to connect to; one row for each socket. */
struct listener {
	const char *name; /* as in the service table */
	char *text;       /* as in the settings; for Unix sockets the path */
	enum ipc_kind kind;
	int fd;
};

struct listeners {
	struct listener at[LISTENERS_MAX];
	size_t n;
};

/* Copies of files that only root may read, sealed, handed to programs: a pair that TLS
 * can use. -1 when not set. */
struct files {
	int certificate, key;
};

/* Where log lines go: from each program by a socket of its own to postroad-logger, and
 * from there to the destination. */
struct logs {
	int usual;       /* the stderr that master was started with */
	int destination; /* what the logger writes to */
	int control;     /* to the logger */
	int mine, log;   /* master's own socket, and the logger's end of that */
	pid_t logger;    /* 0: there is none just now */
	bool gone;       /* the logger wants another destination */
	enum log_form form;
};

/* A status_ask of the admin command while the programs are asked. */
struct query {
	struct master *master;
	struct ipc_peer *asker; /* null: the row is free */
	uint64_t tag;
	uint64_t id; /* the tag that the programs are asked with */
	struct event *timeout;
	bool *waiting; /* for process n */
};

/* The settings as sealed texts, by enum conf_secrets. */
struct texts {
	int fds[2];
};

struct master {
	struct event_base *base;
	char config_path[PATH_MAX];
	char libexec[PATH_MAX];
	bool root;
	struct settings settings;
	struct texts texts;
	struct listeners listeners;
	struct files files;
	struct logs logs;
	int policies_fd; /* what resolved keeps MTA-STS policies in */
	int lock_fd;     /* held by master */
	int life_fd;     /* held by all programs too */
	struct process *processes;
	size_t n;
	uint64_t started_ms;
	bool ready; /* all were up once */
	bool stopping;
	bool stop_now;
	bool done;
	unsigned stop_order;
	struct event *stop_timer, *ping_timer, *watchdog_timer;
	uint64_t pinged_ms; /* all of them, last; 0: never */
	struct event *signals[5];
	struct event *control_event;
	struct ipc_peer *controls[CONTROL_PEERS_MAX];
	struct query queries[QUERIES_MAX];
	uint64_t queries_asked;
};

/* process.c */
void processes_init(struct master *m, uint32_t cores);
void processes_release(struct master *m);
void process_start(struct process *p);
/* waitpid() said so. */
void process_ended(struct process *p, int status);
void process_kill(struct process *p, const char *why);
void process_drain(struct process *p, bool now);
MUST_USE struct process *process_by_pid(struct master *m, pid_t pid);
/* Pings all; kills those that did not answer for too long. */
void processes_ping(struct master *m);
MUST_USE bool process_alive(const struct process *p);
void processes_reap(struct master *m);

/* channels.c: two programs that live and have no channel any more, after one of them
 * broke the rules or read too late, would never have one again. */
/* It says that its channel is gone. */
void channels_lost(struct process *p, const struct ipc_ctl_lost *m);
/* One of such two is killed, for its next start comes with fresh channels. */
void channels_judge(struct master *m, uint64_t now_ms);

/* spawn.c */
struct spawn {
	const char *program;          /* "smtpd" */
	const char *const *arguments; /* after the name, ended by null */
	int fds[5]; /* become 0 to 4; -1 is /dev/null for the first three */
};
MUST_USE pid_t spawn(struct master *m, const struct spawn *s, struct err *err);
MUST_USE int libexec_find(struct master *m, struct err *err);

/* wiring.c: everything a fresh process needs, and its channels. */
void wiring_tell_start(struct process *p);
void wiring_connect(struct process *p);
void wiring_send_files(struct process *p);
void wiring_send_listeners(struct process *p, const char *name);
void wiring_send_log(struct process *p, int log);
MUST_USE int
texts_open(struct texts *out, const struct settings *settings, struct err *err);
void texts_close(struct texts *texts);
/* The one for this program: only remote logs in elsewhere, and gets passwords. */
MUST_USE int texts_for(const struct process *p);

/* directories.c */
MUST_USE int directories_make(const struct master *m, struct err *err);

/* listeners.c: all that the settings ask for. Sockets of `old` that are still
 * wanted are taken over (their fd there becomes -1). */
MUST_USE int listeners_open(struct listeners *out, const struct settings *settings,
			    struct listeners *old, struct err *err);
/* Gives taken-over sockets back, closes the others. */
void listeners_undo(struct listeners *fresh, struct listeners *old);
void listeners_close(struct listeners *l);
/* Do both have the same sockets of this name? */
MUST_USE bool
listeners_same(const struct listeners *a, const struct listeners *b, const char *name);
void listener_address(const struct listener *l, struct buf *out);

/* files.c: certificate and key that do not belong together are an error, as those that
 * are not there. */
MUST_USE int files_open(struct master *m, struct files *out,
			const struct settings *settings, struct err *err);
void files_close(struct files *f);
/* "resolved/policies" below spool_directory; made when it is not there. */
MUST_USE int
files_open_policies(int *out, const struct settings *settings, struct err *err);
/* From now on nobody can change what is in this memory file. */
MUST_USE int file_seal(int fd);

/* logs.c */
void logs_init(struct logs *logs);
MUST_USE int logs_open(struct master *m, struct logs *logs,
		       const struct settings *settings, struct err *err);
/* Master itself logs there, too, from now on. */
void logs_use(const struct logs *logs);
void logs_close(struct logs *logs);
/* The destination anew, when the logger has said that it is gone. */
void logs_mend(struct master *m);

/* loggers.c */
MUST_USE int logger_start(struct master *m, struct logs *logs,
			  const struct settings *settings, struct err *err);
/* A socket for log lines: the end to write to. The logger has the other and *kept, too,
 * in place of what was there, for the logger's successor. */
MUST_USE int logger_socket(struct logs *logs, int *kept, struct err *err);
/* It writes there from now on. */
void logger_redirect(const struct logs *logs);
/* False when that was no logger. */
MUST_USE bool logger_ended(struct master *m, pid_t pid, int status);
/* Starts a logger where there is none, and gives it what it asked for. */
void logger_watch(struct master *m);
/* After logs_close(), at the very end: until the last line is written. */
void logger_wait(void);

/* reload.c: -1 and nothing changed when the new settings are wrong; the reasons
 * are logged and, one a line, in `told`. Else the names of settings that have changed
 * but need a restart are. */
MUST_USE int reload(struct master *m, struct buf *told);

/* stop.c */
void stop_begin(struct master *m, bool now);
/* Something ended: is it the turn of the next? */
void stop_go_on(struct master *m);

/* control.c */
MUST_USE int control_open(struct master *m, struct err *err);
void control_close(struct master *m);
/* A program answered a status_ask, or is gone (lines empty). */
void
control_status(struct master *m, struct process *p, uint64_t tag, struct span lines);
void control_gone(struct master *m, struct process *p);

/* notify.c */
void notify_ready(struct master *m);
void notify_reloading(void);
void notify_stopping(void);
void notify_start(struct master *m);

/* lock.c */
MUST_USE int lock_take(struct master *m, struct err *err);
void lock_release(struct master *m);
