#include "tests/unit/smtp_sink.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct net_sizes sizes = {
    .input_max = 65536, .output_high = 65536, .output_low = 1, .output_max = 1 << 20};

static void
client_free(struct sink_client *c)
{
	LIST_REMOVE(c, link);
	c->sink->open--;
	net_stream_free(&c->stream);
	buf_release(&c->content);
	free(c);
}

/* False: it has closed the connection. */
static bool
answer(struct sink_client *c, struct span line, const char *usual)
{
	struct sink *s = c->sink;
	const char *reply = s->reply ? s->reply(s, c, line) : NULL;

	if (!reply)
		reply = usual;
	if (reply[0] == '\0') {
		client_free(c);
		return false;
	}
	c->class = reply[0];
	net_stream_write(c->stream, span_str(reply));
	return true;
}

static bool
message_end(struct sink_client *c)
{
	struct sink *s = c->sink;
	size_t n = s->lmtp ? c->recipients : 1;

	buf_reset(&s->content);
	buf_put(&s->content, buf_span(&c->content));
	buf_reset(&c->content);
	for (size_t i = 0; i < n; i++)
		if (!answer(c, SPAN("."), "250 2.0.0 taken\r\n"))
			return false;
	s->messages++;
	s->recipients += c->recipients;
	c->messages++;
	c->recipients = 0;
	return true;
}

static bool
on_hello(struct sink_client *c, struct span line)
{
	struct sink *s = c->sink;
	struct buf out = buf_make(2000);
	bool open;

	buf_put_str(&out, "250-sink.example\r\n");
	buf_put_str(&out, s->offers ? s->offers : "");
	if ((s->tls && !net_stream_tls(c->stream)) || s->broken_tls)
		buf_put_str(&out, "250-STARTTLS\r\n");
	buf_put_str(&out, "250 ENHANCEDSTATUSCODES\r\n");
	buf_put_char(&out, '\0');
	open = answer(c, line, out.at);
	buf_release(&out);
	return open;
}

static bool
on_rcpt(struct sink_client *c, struct span line)
{
	if (!answer(c, line, "250 2.1.5 ok\r\n"))
		return false;
	c->recipients += c->class == '2';
	return true;
}

static bool
on_bdat(struct sink_client *c, struct span line)
{
	struct span rest = span_after(line, 5), number = span_cut(&rest, ' ');

	assert_true(number_parse(number, 1u << 30, &c->chunk_left));
	c->chunk_last = rest.n > 0;
	return c->chunk_left > 0 || !c->chunk_last || message_end(c);
}

static bool
on_line(struct sink_client *c, struct span line)
{
	buf_put(&c->sink->commands, line);
	buf_put_char(&c->sink->commands, '\n');
	if (span_starts(line, SPAN("EHLO")) || span_starts(line, SPAN("LHLO")))
		return on_hello(c, line);
	if (span_starts(line, SPAN("RCPT")))
		return on_rcpt(c, line);
	if (span_starts(line, SPAN("BDAT")))
		return on_bdat(c, line);
	if (span_equal(line, SPAN("DATA"))) {
		c->in_data = true;
		return answer(c, line, "354 go on\r\n");
	}
	if (span_equal(line, SPAN("QUIT"))) {
		c->sink->quits++;
		c->quits = true;
		return answer(c, line, "221 2.0.0 bye\r\n");
	}
	if (span_starts(line, SPAN("AUTH")) && c->sink->login)
		return answer(c, line, "235 2.7.0 welcome\r\n");
	if (span_equal(line, SPAN("STARTTLS")) && c->sink->broken_tls) {
		c->greets = true;
		return answer(c, line, "220 go on\r\n");
	}
	if (span_equal(line, SPAN("STARTTLS"))) {
		net_stream_write(c->stream, SPAN("220 go on\r\n"));
		net_stream_secure(c->stream, c->sink->tls);
		return true;
	}
	return answer(c, line, "250 2.0.0 ok\r\n");
}

static bool
line_take(struct sink_client *c, struct span *in, struct span *line)
{
	size_t end = span_find_span(*in, SPAN("\r\n"));

	if (end == in->n)
		return false;
	*line = span_first(*in, end);
	net_stream_take(c->stream, end + 2);
	*in = span_after(*in, end + 2);
	return true;
}

/* A line of content; false: closed. */
static bool
on_content(struct sink_client *c, struct span line)
{
	if (span_equal(line, SPAN("."))) {
		c->in_data = false;
		return message_end(c);
	}
	buf_put(&c->content, span_after(line, line.n > 0 && line.at[0] == '.'));
	buf_put_str(&c->content, "\r\n");
	return true;
}

static bool
on_chunk(struct sink_client *c, struct span in)
{
	struct span some = span_first(in, (size_t)c->chunk_left);

	buf_put(&c->content, some);
	net_stream_take(c->stream, some.n);
	c->chunk_left -= some.n;
	if (c->chunk_left > 0)
		return true;
	if (c->chunk_last)
		return message_end(c);
	return answer(c, SPAN("chunk"), "250 2.0.0 chunk\r\n");
}

static void
on_input(struct net_stream *stream, void *context)
{
	struct sink_client *c = context;
	struct span in, line;

	while ((in = net_stream_input(stream)).n > 0) {
		if (c->greets) {
			net_stream_write(c->stream, SPAN("no TLS\r\n"));
			net_stream_close(&c->stream, 1000);
			client_free(c);
			return;
		}
		if (c->chunk_left > 0) {
			if (!on_chunk(c, in))
				return;
			continue;
		}
		if (!line_take(c, &in, &line))
			return;
		if (!(c->in_data ? on_content(c, line) : on_line(c, line)))
			return;
		if (c->quits) {
			net_stream_close(&c->stream, 1000);
			client_free(c);
			return;
		}
	}
}

static void
on_secured(struct net_stream *stream, void *context)
{
	struct sink_client *c = context;

	(void)stream;
	c->sink->secured++;
}

static void
on_ended(struct net_stream *stream, enum net_end how, void *context)
{
	(void)stream;
	(void)how;
	client_free(context);
}

static const struct net_callbacks callbacks = {
    .input = on_input, .secured = on_secured, .ended = on_ended};

static void
on_accepted(void *context, int fd, const struct net_peer *peer)
{
	struct sink *s = context;
	struct sink_client *c = memory_new(1, sizeof(*c));

	(void)peer;
	c->sink = s;
	c->stream = net_stream_new(s->base, fd, &sizes, &callbacks, c);
	buf_init(&c->content, 64u << 20);
	LIST_INSERT_HEAD(&s->clients, c, link);
	s->connections++;
	s->open++;
	(void)answer(c, SPAN(""), "220 sink.example ready\r\n");
}

void
sink_start(struct sink *s, struct event_base *base, const char *address, uint16_t port)
{
	static const int on = 1;
	struct net_address a;
	struct sockaddr_storage at;
	socklen_t n;
	int fd;

	assert_true(net_address_parse(span_str(address), &a));
	a.port = port;
	n = net_address_to_sockaddr(&a, &at);
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(fd, 128), 0);
	n = sizeof(at);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	assert_true(net_address_from_sockaddr((struct sockaddr *)&at, &a));
	s->base = base;
	s->port = a.port;
	LIST_INIT(&s->clients);
	buf_init(&s->content, 64u << 20);
	buf_init(&s->commands, 64u << 20);
	s->listener = net_listener_new(base, fd, on_accepted, s);
}

void
sink_drop_all(struct sink *s)
{
	while (LIST_FIRST(&s->clients))
		client_free(LIST_FIRST(&s->clients));
}

void
sink_stop(struct sink *s)
{
	sink_drop_all(s);
	net_listener_free(&s->listener);
	buf_release(&s->content);
	buf_release(&s->commands);
}
