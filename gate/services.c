#include "gate/gate.h"

const struct gate_service gate_services[GATE_SERVICES] = {
    {"pop3",  &login_pop3, false, AUTH_SERVICE_POP3, IPC_KIND_POP3D},
    {"pop3s", &login_pop3, true,  AUTH_SERVICE_POP3, IPC_KIND_POP3D},
    {"imap",  &login_imap, false, AUTH_SERVICE_IMAP, IPC_KIND_IMAPD},
    {"imaps", &login_imap, true,  AUTH_SERVICE_IMAP, IPC_KIND_IMAPD},
};

const struct gate_service *
gate_service_find(struct span listener)
{
	for (size_t i = 0; i < GATE_SERVICES; i++)
		if (span_equal(listener, span_str(gate_services[i].listener)))
			return &gate_services[i];
	return NULL;
}
