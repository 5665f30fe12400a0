#include "common/proc/services.h"

#define GIB            (1ull << 30)
#define CORES_USED_MAX 4 /* processes of a kind when the setting is 0 */
#define K(kind)        IPC_FROM(kind)

/* clang-format off */
static const struct service table[] = {
    {
        .kind = IPC_KIND_SPOOLD,
        .user = SERVICE_USER_QUEUE,
        .stop_order = 2,
        .peers = K(SMTPD) | K(BOUNCE) | K(QMGR),
        .jail = {.no_network = true, .open_files = 4096, .memory_bytes = 64 * GIB},
    },
    {
        .kind = IPC_KIND_AUTHD,
        .user = SERVICE_USER_AUTH,
        .stop_order = 5,
        .peers = K(SMTPD) | K(GATE) | K(POP3D) | K(IMAPD) | K(LOCAL) | K(BOUNCE),
        .listeners = {"control", "administrators"},
        .jail = {.no_network = true,
                 .database = true,
                 .open_files = 4096,
                 .memory_bytes = 16 * GIB},
    },
    {
        .kind = IPC_KIND_QMGR,
        .user = SERVICE_USER_QUEUE,
        .stop_order = 3,
        .peers = K(SPOOLD) | K(LOCAL) | K(REMOTE) | K(BOUNCE),
        .listeners = {"control"},
        .jail = {.no_network = true, .open_files = 4096, .memory_bytes = 64 * GIB},
    },
    {
        .kind = IPC_KIND_LOCAL,
        .user = SERVICE_USER_MAIL,
        .stop_order = 4,
        .peers = K(QMGR) | K(AUTHD) | K(IMAPD),
        .jail = {.no_network = true, .open_files = 65536, .memory_bytes = 256 * GIB},
    },
    {
        .kind = IPC_KIND_RESOLVED,
        .user = SERVICE_USER_NET,
        .stop_order = 5,
        .peers = K(REMOTE) | K(SMTPD),
        .sts_file = true,
        .jail = {.empty_root = true,
                 .no_children = true,
                 .no_files = true,
                 .file_bytes = SERVICE_STS_FILE_BYTES,
                 .open_files = 16384,
                 .memory_bytes = 16 * GIB},
    },
    {
        .kind = IPC_KIND_REMOTE,
        .user = SERVICE_USER_NET,
        .stop_order = 2, /* qmgr hears what it leaves undone */
        .peers = K(QMGR) | K(RESOLVED),
        .jail = {.empty_root = true,
                 .no_children = true,
                 .no_files = true,
                 .open_files = 65536,
                 .memory_bytes = 16 * GIB},
    },
    {
        .kind = IPC_KIND_BOUNCE,
        .user = SERVICE_USER_NET,
        .stop_order = 1,
        .peers = K(QMGR) | K(SPOOLD) | K(AUTHD),
        .jail = {.empty_root = true,
                 .no_network = true,
                 .no_children = true,
                 .no_files = true,
                 .open_files = 4096,
                 .memory_bytes = 16 * GIB},
    },
    {
        .kind = IPC_KIND_SMTPD,
        .user = SERVICE_USER_NET,
        .stop_order = 0,
        .peers = K(AUTHD) | K(SPOOLD) | K(RESOLVED),
        .listeners = {"smtp", "submission", "submissions", "lmtp", "submit"},
        .tls_files = true,
        .jail = {.empty_root = true,
                 .no_network = true,
                 .no_children = true,
                 .no_files = true,
                 .open_files = 65536,
                 .memory_bytes = 16 * GIB},
    },
    {
        .kind = IPC_KIND_POP3D,
        .user = SERVICE_USER_MAIL,
        .stop_order = 1,
        .peers = K(GATE) | K(AUTHD) | K(IMAPD),
        .jail = {.no_network = true, .open_files = 65536, .memory_bytes = 256 * GIB},
    },
    {
        .kind = IPC_KIND_IMAPD,
        .user = SERVICE_USER_MAIL,
        .stop_order = 1,
        .peers = K(GATE) | K(AUTHD) | K(LOCAL) | K(POP3D),
        .jail = {.no_network = true, .open_files = 65536, .memory_bytes = 256 * GIB},
    },
    {
        .kind = IPC_KIND_GATE,
        .user = SERVICE_USER_NET,
        .stop_order = 0,
        .peers = K(AUTHD) | K(POP3D) | K(IMAPD),
        .listeners = {"pop3", "pop3s", "imap", "imaps"},
        .tls_files = true,
        .jail = {.empty_root = true,
                 .no_network = true,
                 .no_children = true,
                 .no_files = true,
                 .open_files = 65536,
                 .memory_bytes = 16 * GIB},
    },
    {
        .kind = IPC_KIND_PICKUP,
        .user = SERVICE_USER_QUEUE,
        .stop_order = 0,
        .jail = {.no_network = true, .open_files = 1024, .memory_bytes = 4 * GIB},
    },
};
/* clang-format on */

const struct service *
services(size_t *n)
{
	*n = N_ELEMS(table);
	return table;
}

const struct service *
service_find(enum ipc_kind kind)
{
	for (size_t i = 0; i < N_ELEMS(table); i++)
		if (table[i].kind == kind)
			return &table[i];
	return NULL;
}

const char *
service_name(const struct service *s)
{
	return ipc_kind_name(s->kind);
}

const char *
service_user_name(const struct service *s, const struct settings *settings)
{
	switch (s->user) {
	case SERVICE_USER_NET:
		return settings->user_net;
	case SERVICE_USER_QUEUE:
		return settings->user_queue;
	case SERVICE_USER_AUTH:
		return settings->user_auth;
	case SERVICE_USER_MAIL:
		return settings->user_mail;
	}
	return NULL;
}

static uint64_t
wanted(enum ipc_kind kind, const struct settings *settings)
{
	switch (kind) {
	case IPC_KIND_SMTPD:
		return settings->smtpd_processes;
	case IPC_KIND_GATE:
		return settings->gate_processes;
	case IPC_KIND_LOCAL:
		return settings->local_processes;
	case IPC_KIND_REMOTE:
		return settings->remote_processes;
	case IPC_KIND_POP3D:
		return settings->pop3d_processes;
	case IPC_KIND_IMAPD:
		return settings->imapd_processes;
	default:
		return 1;
	}
}

uint32_t
service_instances(enum ipc_kind kind, const struct settings *settings, uint32_t cores)
{
	uint64_t n = wanted(kind, settings);

	if (n > 0)
		return (uint32_t)(n < SERVICE_INSTANCES_MAX ? n
							    : SERVICE_INSTANCES_MAX);
	if (cores == 0)
		return 1;
	return cores < CORES_USED_MAX ? cores : CORES_USED_MAX;
}
