#include "gate/gate.h"

const struct net_sizes pump_sizes = {
    .input_max = 16384, .output_high = 32768, .output_low = 8192, .output_max = 65536};

/* What one side sent goes to the other, unless that is full; it then stays, and
 * reading stops by itself. True when all of it is through and no more comes. */
static bool
pump_one(struct gate *g, struct net_stream *from, struct net_stream *to, bool ended)
{
	struct span in = net_stream_input(from);

	if (in.n > 0 && !net_stream_full(to)) {
		net_stream_write(to, in);
		net_stream_take(from, in.n);
		g->pumped_bytes += in.n;
	}
	return ended && net_stream_input(from).n == 0;
}

void
pump(struct client *c)
{
	struct gate *g = c->gate;

	/* The session program is through: the client gets its last words. */
	if (pump_one(g, c->session, c->stream, c->session_ended)) {
		client_close(c, "end of session");
		return;
	}
	if (pump_one(g, c->stream, c->session, c->client_ended))
		net_stream_shutdown(c->session);
}
