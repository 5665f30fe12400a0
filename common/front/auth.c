#include "common/front/auth.h"

/* How many bytes; 0 without TLS. */
static size_t
binding_of(const struct net_stream *stream, struct span text, enum tls_binding *type,
	   uint8_t *out)
{
	const struct tls_session *tls = net_stream_tls(stream);
	size_t n;

	*type = TLS_BINDING_NONE;
	if (!tls)
		return 0;
	*type = tls_binding_named(text);
	if (*type == TLS_BINDING_NONE)
		*type = TLS_BINDING_EXPORTER;
	n = tls_session_binding(tls, *type, out);
	if (n == 0)
		*type = TLS_BINDING_NONE;
	return n;
}

void
auth_begin(struct ipc_peer *authd, const struct net_stream *stream,
	   const struct ipc_auth_start *m)
{
	uint8_t binding[TLS_BINDING_MAX];
	struct ipc_auth_start bound = *m;
	enum tls_binding type;

	bound.binding =
	    span_make(binding, binding_of(stream, m->initial, &type, binding));
	/* The numbers of enum tls_binding are those of the message. */
	bound.binding_type = (uint8_t)type;
	ipc_send_auth_start(authd, &bound);
}
