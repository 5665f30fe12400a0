/* common/proc/services.h - the table of programs: who they are, what they may
 *
 * master walks it to start programs and to connect them; the skeleton looks up
 * its own row for the jail. docs/architecture.md shows it.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/ipc/ipc.h"

/* Processes of one kind; settings.h knows the same limit. */
#define SERVICE_INSTANCES_MAX 64

/* What "sts.policies" may grow to. */
#define SERVICE_STS_FILE_BYTES (8u << 20)

enum service_user {
	SERVICE_USER_NET,
	SERVICE_USER_QUEUE,
	SERVICE_USER_AUTH,
	SERVICE_USER_MAIL,
};

struct service_jail {
	bool empty_root;       /* chroot into an empty directory */
	bool no_network;       /* a network namespace of its own, with nothing in it */
	bool database;         /* but for one that settings say is asked over TCP */
	bool no_children;      /* RLIMIT_NPROC 0: neither processes nor threads */
	bool no_files;         /* RLIMIT_FSIZE: no file grows beyond file_bytes */
	uint32_t file_bytes;   /* 0, but for the one file it is given to write to */
	uint32_t open_files;   /* RLIMIT_NOFILE */
	uint64_t memory_bytes; /* RLIMIT_AS; not under a sanitizer */
};

struct service {
	enum ipc_kind kind;
	enum service_user user;
	unsigned stop_order; /* programs of a lower order are drained first */
	uint32_t peers;      /* IPC_FROM() bits of the kinds it has channels to */
	/* Names of listeners it gets, ended by null. */
	const char *listeners[6];
	bool tls_files; /* gets tls.cert and tls.key */
	bool sts_file;  /* gets sts.policies, to read and to write */
	struct service_jail jail;
};

MUST_USE const struct service *services(size_t *n);
/* Null for master and admin, which master does not start. */
MUST_USE const struct service *service_find(enum ipc_kind kind);
/* "smtpd" */
MUST_USE const char *service_name(const struct service *s);
MUST_USE const char *
service_user_name(const struct service *s, const struct settings *settings);
/* How many processes of a kind run, with `cores` processors. */
MUST_USE uint32_t service_instances(enum ipc_kind kind, const struct settings *settings,
				    uint32_t cores);
