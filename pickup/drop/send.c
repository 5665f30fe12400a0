#include "pickup/drop/send.h"

#include "common/smtp/smtp.h"
#include "pickup/drop/drop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

struct sending {
	const struct send_request *request;
	int file, socket;
	struct stat about;
	struct buf head; /* start of the file, its head at least */
	struct drop drop;
	bool eight_bit, utf8;
	struct buf out, in;
	struct smtp_reply reply;
	size_t n_accepted, n_refused;
	struct buf *reason;
};

static enum send_result
fail(struct sending *s, enum send_result result, const char *why)
{
	buf_reset(s->reason);
	buf_put_str(s->reason, why);
	return result;
}

/* --- the file ------------------------------------------------------------- */

static enum send_result
file_open(struct sending *s)
{
	s->file = openat(s->request->dir_fd, s->request->name,
			 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (s->file < 0)
		return fail(s, errno == ENOENT ? SEND_DONE : SEND_BAD,
			    "cannot be opened");
	if (fstat(s->file, &s->about) != 0 || !S_ISREG(s->about.st_mode) ||
	    s->about.st_nlink != 1)
		return fail(s, SEND_BAD, "is no ordinary file");
	if ((uint64_t)s->about.st_size > s->request->bytes_max)
		return fail(s, SEND_BAD, "is too large");
	return SEND_DONE;
}

static ssize_t
file_read(struct sending *s, struct buf *into)
{
	char *room = buf_extend(into, CHUNK_BYTES);
	ssize_t n;

	if (!room)
		return -1;
	n = read(s->file, room, CHUNK_BYTES);
	into->n -= CHUNK_BYTES - (size_t)(n > 0 ? n : 0);
	return n;
}

static enum send_result
head_read(struct sending *s)
{
	enum drop_result result = DROP_MORE;

	while (result == DROP_MORE) {
		if (file_read(s, &s->head) <= 0)
			return fail(s, SEND_BAD, "ends within its head");
		result = drop_parse(buf_span(&s->head), &s->drop);
	}
	if (result == DROP_BAD)
		return fail(s, SEND_BAD, "has a bad head");
	return SEND_DONE;
}

static bool
has_8bit(struct span bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.at[i] & 0x80)
			return true;
	return false;
}

/* Which extensions MAIL must ask for; the file is then read anew from the body. */
static enum send_result
body_survey(struct sending *s)
{
	struct buf chunk = buf_make(CHUNK_BYTES);
	struct span body = span_after(buf_span(&s->head), s->drop.head_bytes);

	s->utf8 = has_8bit(span_first(buf_span(&s->head), s->drop.head_bytes));
	s->eight_bit = s->utf8 || has_8bit(body);
	while (!s->eight_bit && file_read(s, &chunk) > 0) {
		s->eight_bit = has_8bit(buf_span(&chunk));
		buf_reset(&chunk);
	}
	buf_release(&chunk);
	if (lseek(s->file, (off_t)s->drop.head_bytes, SEEK_SET) < 0)
		return fail(s, SEND_LATER, "cannot be read");
	return SEND_DONE;
}

/* --- the dialogue --------------------------------------------------------- */

static bool
out_flush(struct sending *s)
{
	struct span rest = buf_span(&s->out);

	while (rest.n > 0) {
		ssize_t n = send(s->socket, rest.at, rest.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		rest = span_after(rest, (size_t)n);
	}
	buf_reset(&s->out);
	return true;
}

static bool
in_read(struct sending *s)
{
	char *room = buf_extend(&s->in, 4096);
	ssize_t n;

	if (!room)
		return false;
	do
		n = recv(s->socket, room, 4096, 0);
	while (n < 0 && errno == EINTR);
	s->in.n -= 4096 - (size_t)(n > 0 ? n : 0);
	return n > 0;
}

/* The next reply; 0 when there is none. */
static unsigned
reply_get(struct sending *s)
{
	smtp_reply_reset(&s->reply);
	for (;;) {
		struct span in = buf_span(&s->in);
		enum smtp_reply_result result = smtp_reply_feed(&s->reply, &in);

		buf_drop_front(&s->in, s->in.n - in.n);
		if (result == SMTP_REPLY_DONE)
			return s->reply.code;
		if (result == SMTP_REPLY_BAD || !in_read(s))
			return 0;
	}
}

/* Sends the command that stands in s->out; 0 when the connection is gone. */
static unsigned
ask(struct sending *s)
{
	return out_flush(s) ? reply_get(s) : 0;
}

/* What a reply that is no success leads to. */
static enum send_result
refused(struct sending *s)
{
	if (s->reply.code < 500)
		return fail(s, SEND_LATER,
			    s->reply.code ? "a temporary failure"
					  : "the connection ended");
	buf_reset(s->reason);
	buf_putf(s->reason, "%u ", s->reply.code);
	buf_put(s->reason, span_trim(buf_span(&s->reply.text), "\n"));
	return SEND_REFUSED;
}

static enum send_result
server_connect(struct sending *s)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = SEND_WAIT_S};

	if (!span_copy(span_str(s->request->socket), to.sun_path, sizeof(to.sun_path)))
		return fail(s, SEND_LATER, "the socket's path is too long");
	s->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->socket < 0 ||
	    setsockopt(s->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(s->socket, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(s->socket, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return fail(s, SEND_LATER, "the server does not listen");
	return SEND_DONE;
}

/* Greeting, whose mail it is, EHLO. A server that does not let us say whose it is
 * takes it as ours. */
static enum send_result
hello(struct sending *s)
{
	if (reply_get(s) != 220)
		return refused(s);
	buf_put_str(&s->out, "EHLO localhost\r\n");
	if (ask(s) != 250)
		return refused(s);
	buf_putf(&s->out, "XCLIENT LOGIN=uid%u\r\n", (unsigned)s->about.st_uid);
	if (ask(s) != 220)
		return s->reply.code ? SEND_DONE : refused(s);
	buf_put_str(&s->out, "EHLO localhost\r\n");
	return ask(s) == 250 ? SEND_DONE : refused(s);
}

static enum send_result
mail(struct sending *s)
{
	buf_put_str(&s->out, "MAIL FROM:<");
	buf_put(&s->out, s->drop.sender);
	buf_put_str(&s->out, s->eight_bit ? "> BODY=8BITMIME" : ">");
	buf_put_str(&s->out, s->utf8 ? " SMTPUTF8\r\n" : "\r\n");
	return ask(s) == 250 ? SEND_DONE : refused(s);
}

/* One that is refused for good keeps the others from nothing; one that is to be
 * tried later stops all, for a second try would reach the others twice. */
static enum send_result
recipients(struct sending *s)
{
	struct span rest = s->drop.recipients, address;
	enum send_result result = SEND_DONE;

	while (drop_recipient(&rest, &address)) {
		buf_put_str(&s->out, "RCPT TO:<");
		buf_put(&s->out, address);
		buf_put_str(&s->out, ">\r\n");
		if (ask(s) == 250) {
			s->n_accepted++;
			continue;
		}
		result = refused(s);
		if (result == SEND_LATER)
			return result;
		s->n_refused++;
		buf_put_str(s->reason, " <");
		buf_put(s->reason, address);
		buf_put_char(s->reason, '>');
	}
	return s->n_accepted > 0 ? SEND_DONE : result;
}

static enum send_result
body(struct sending *s)
{
	struct buf chunk = buf_make(CHUNK_BYTES);
	struct dot_put put = {0};
	bool ok = true;

	buf_put_str(&s->out, "DATA\r\n");
	if (ask(s) != 354)
		return refused(s);
	while (ok && file_read(s, &chunk) > 0) {
		dot_put(&put, &s->out, buf_span(&chunk));
		buf_reset(&chunk);
		ok = out_flush(s);
	}
	buf_release(&chunk);
	dot_put_end(&put, &s->out);
	if (!ok || ask(s) != 250)
		return refused(s);
	return s->n_refused > 0 ? SEND_REFUSED : SEND_DONE;
}

static enum send_result (*const steps[])(struct sending *s) = {
    file_open, head_read, body_survey, server_connect, hello, mail, recipients, body,
};

enum send_result
send_file(const struct send_request *request, struct buf *reason)
{
	struct sending s = {
	    .request = request, .file = -1, .socket = -1, .reason = reason};
	enum send_result result = SEND_DONE;

	s.head = buf_make(DROP_HEAD_MAX + CHUNK_BYTES);
	s.out = buf_make(CHUNK_BYTES * 4);
	s.in = buf_make(CHUNK_BYTES);
	smtp_reply_init(&s.reply);
	for (size_t i = 0; i < N_ELEMS(steps) && result == SEND_DONE; i++)
		result = steps[i](&s);
	if (s.socket >= 0) {
		buf_reset(&s.out);
		buf_put_str(&s.out, "QUIT\r\n");
		(void)out_flush(&s);
		close(s.socket);
	}
	if (s.file >= 0)
		close(s.file);
	smtp_reply_release(&s.reply);
	buf_release(&s.head);
	buf_release(&s.out);
	buf_release(&s.in);
	return result;
}
