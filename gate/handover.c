#include "gate/gate.h"

#include <sys/socket.h>
#include <unistd.h>

#define PENDING_MAX 16384u /* as much input as a stream may have */

static void
log_login(const struct client *c)
{
	const struct tls_session *tls = net_stream_tls(c->stream);
	char text[NET_ADDRESS_TEXT_MAX];

	logline(LOGLINE_INFO, "gate.login", L_HEX("sid", c->sid),
		L_STR("service", c->service->listener),
		L_STR("client", net_address_text(&c->address, text)),
		L_STR("address", c->name), L_U64("account", c->account),
		L_STR("tls", tls ? tls_session_version(tls) : "none"),
		L_STR("cipher", tls ? tls_session_cipher(tls) : "none"),
		L_SPAN("agent", login_agent(c->login)));
}

static void
send_open(struct client *c, struct ipc_peer *program, int fd, struct span pending)
{
	struct ipc_session_open m = {
	    .account = c->account,
	    .tls = login_tls(c->login),
	    .client = span_make(c->address.ip, sizeof(c->address.ip)),
	    .ticket = span_make(c->ticket, sizeof(c->ticket)),
	    .pending = pending,
	    .tag = login_tag(c->login),
	};

	ipc_send_session_open(program, &m, fd);
	close(fd); /* ipc has its own */
	explicit_bzero(c->ticket, sizeof(c->ticket));
}

/* The socket itself; nothing of the client stays here. */
static void
give_socket(struct client *c, struct ipc_peer *program)
{
	struct buf pending = buf_make(PENDING_MAX);
	int fd = net_stream_detach(&c->stream, &pending);

	send_open(c, program, fd, buf_span(&pending));
	buf_release(&pending);
	client_free(c);
}

/* One end of a pair, whose other end is pumped. */
static bool
give_pair(struct client *c, struct ipc_peer *program)
{
	struct span pending = net_stream_input(c->stream);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) !=
	    0)
		return false;
	send_open(c, program, pair[1], pending);
	net_stream_take(c->stream, pending.n);
	client_pumped(c, net_stream_new(proc_base(c->gate->proc), pair[0], &pump_sizes,
					client_callbacks(), c));
	return true;
}

bool
handover(struct client *c)
{
	struct proc *p = c->gate->proc;
	enum ipc_kind kind = c->service->program;
	uint32_t instance = (uint32_t)(c->account % proc_count(p, kind));
	struct ipc_peer *program = proc_peer(p, kind, instance);

	if (!program)
		return false;
	log_login(c);
	if (login_tls(c->login))
		return give_pair(c, program);
	give_socket(c, program);
	return true;
}
