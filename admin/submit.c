#include "admin/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/smtp/smtp.h"

#define REPLY_TIMEOUT_S 300

int
submit_connect(const struct settings *settings, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = REPLY_TIMEOUT_S};
	int fd;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/submit",
		     settings->run_directory) >= (int)sizeof(address.sun_path))
		return err_set(err, "run_directory is too long for a socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		err_sys(err, "%s", address.sun_path);
		close(fd);
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0) {
		err_sys(err, "%s", address.sun_path);
		close(fd);
		return -1;
	}
	return fd;
}

/* --- one SMTP dialogue, step by step -------------------------------------- */

struct dialogue {
	int fd;
	struct smtp_reply reply;
	struct buf in;
};

static int
send_all(struct dialogue *d, struct span bytes, struct err *err)
{
	while (bytes.n > 0) {
		ssize_t n = send(d->fd, bytes.at, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return err_sys(err, "sending to the server");
		if (n > 0)
			bytes = span_after(bytes, (size_t)n);
	}
	return 0;
}

/* Waits for one whole reply; its code, or -1. */
static int
receive_reply(struct dialogue *d, struct err *err)
{
	smtp_reply_reset(&d->reply);
	for (;;) {
		struct span in = buf_span(&d->in);
		enum smtp_reply_result result = smtp_reply_feed(&d->reply, &in);
		char bytes[4096];
		ssize_t n;

		buf_drop_front(&d->in, d->in.n - in.n);
		if (result == SMTP_REPLY_DONE)
			return (int)d->reply.code;
		if (result == SMTP_REPLY_BAD)
			return err_set(err, "the server's reply makes no sense");
		n = recv(d->fd, bytes, sizeof(bytes), 0);
		if (n == 0)
			return err_set(err, "the server closed the connection");
		if (n < 0 && errno != EINTR)
			return err_sys(err, "waiting for the server");
		if (n > 0)
			buf_put(&d->in, span_make(bytes, (size_t)n));
	}
}

static int
converse(struct dialogue *d, struct span line, struct err *err)
{
	if (send_all(d, line, err) != 0)
		return -1;
	return receive_reply(d, err);
}

static enum submit_result
judge(const struct dialogue *d, int code, const char *what, struct err *err)
{
	if (code >= 200 && code < 400)
		return SUBMIT_DONE;
	if (code < 0 || code < 500) /* err is set for -1 */
		return SUBMIT_DOWN;
	fprintf(stderr, "sendmail: %s: %d %.*s\n", what, code,
		SPAN_ARG(span_trim(buf_span(&d->reply.text), "\n")));
	err_set(err, "refused");
	return SUBMIT_REFUSED;
}

static bool
has_8bit(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((uint8_t)text.at[i] >= 0x80)
			return true;
	return false;
}

static bool
needs_utf8(const struct submission *s)
{
	for (size_t i = 0; i < s->recipients->n; i++)
		if (has_8bit(span_str(s->recipients->at[i])))
			return true;
	return has_8bit(s->sender);
}

static enum submit_result
send_mail_from(struct dialogue *d, const struct submission *s, struct err *err)
{
	struct buf line = buf_make(4096);
	enum submit_result result;

	buf_put(&line, SPAN("MAIL FROM:<"));
	buf_put(&line, s->sender);
	buf_putf(&line, "> SIZE=%zu%s%s\r\n", s->message.n,
		 has_8bit(s->message) ? " BODY=8BITMIME" : "",
		 needs_utf8(s) ? " SMTPUTF8" : "");
	result = judge(d, converse(d, buf_span(&line), err), "sender", err);
	buf_release(&line);
	return result;
}

/* Refused recipients are told and left out; *n is how many were taken. */
static enum submit_result
send_recipients(struct dialogue *d, const struct submission *s, size_t *n,
		struct err *err)
{
	enum submit_result worst = SUBMIT_DONE;

	*n = 0;
	for (size_t i = 0; i < s->recipients->n; i++) {
		struct buf line = buf_make(4096);
		enum submit_result result;

		buf_put(&line, SPAN("RCPT TO:<"));
		buf_put_str(&line, s->recipients->at[i]);
		buf_put(&line, SPAN(">\r\n"));
		result = judge(d, converse(d, buf_span(&line), err),
			       s->recipients->at[i], err);
		buf_release(&line);
		if (result == SUBMIT_DOWN)
			return SUBMIT_DOWN;
		*n += result == SUBMIT_DONE;
		worst = result == SUBMIT_REFUSED ? SUBMIT_REFUSED : worst;
	}
	return worst;
}

static enum submit_result
send_content(struct dialogue *d, const struct submission *s, struct err *err)
{
	struct buf stuffed = buf_make(s->message.n * 2 + 16);
	struct dot_put put = {0};
	enum submit_result result =
	    judge(d, converse(d, SPAN("DATA\r\n"), err), "message", err);

	if (result == SUBMIT_DONE) {
		dot_put(&put, &stuffed, s->message);
		dot_put_end(&put, &stuffed);
		result = judge(d, converse(d, buf_span(&stuffed), err), "message", err);
	}
	buf_release(&stuffed);
	return result;
}

static enum submit_result
run_dialogue(struct dialogue *d, const struct submission *s, struct err *err)
{
	enum submit_result result, recipients;
	size_t n;

	result = judge(d, receive_reply(d, err), "server", err);
	if (result == SUBMIT_DONE)
		result = judge(d, converse(d, SPAN("EHLO localhost\r\n"), err),
			       "server", err);
	if (result == SUBMIT_DONE)
		result = send_mail_from(d, s, err);
	if (result != SUBMIT_DONE)
		return result;
	recipients = send_recipients(d, s, &n, err);
	if (recipients == SUBMIT_DOWN || n == 0)
		return recipients;
	result = send_content(d, s, err);
	if (result == SUBMIT_DONE && send_all(d, SPAN("QUIT\r\n"), err) != 0)
		return recipients; /* the message was taken; a lost farewell is no
				      matter */
	return result == SUBMIT_DONE ? recipients : result;
}

enum submit_result
submit_message(const struct settings *settings, const struct submission *s,
	       struct err *err)
{
	struct dialogue d = {.fd = submit_connect(settings, err)};
	enum submit_result result;

	if (d.fd < 0)
		return SUBMIT_DOWN;
	buf_init(&d.in, (size_t)SMTP_REPLY_LINE_BYTES_MAX * SMTP_REPLY_LINES_MAX);
	smtp_reply_init(&d.reply);
	result = run_dialogue(&d, s, err);
	smtp_reply_release(&d.reply);
	buf_release(&d.in);
	close(d.fd);
	return result;
}

/* --- the drop folder ------------------------------------------------------ */

static void
put_drop_head(struct buf *out, const struct submission *s)
{
	buf_put(out, SPAN("postroad-drop 1\nsender "));
	buf_put(out, s->sender);
	buf_put_char(out, '\n');
	for (size_t i = 0; i < s->recipients->n; i++) {
		buf_put(out, SPAN("recipient "));
		buf_put_str(out, s->recipients->at[i]);
		buf_put_char(out, '\n');
	}
	buf_put_char(out, '\n');
}

static int
write_all(int fd, struct span bytes, struct err *err)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.at, bytes.n);

		if (n < 0 && errno != EINTR)
			return err_sys(err, "writing to the drop folder");
		if (n > 0)
			bytes = span_after(bytes, (size_t)n);
	}
	return 0;
}

/* Content, then name, then both synced: what this returns 0 for is safe. */
static int
write_drop(int fd, const char *temporary, const char *final, const struct submission *s,
	   struct err *err)
{
	struct buf head = buf_make(1u << 20);
	int result;

	put_drop_head(&head, s);
	result = head.full ? err_set(err, "too many recipients") : 0;
	if (result == 0)
		result = write_all(fd, buf_span(&head), err);
	buf_release(&head);
	if (result == 0)
		result = write_all(fd, s->message, err);
	if (result == 0 &&
	    (fchmod(fd, 0640) != 0 || fsync(fd) != 0 || rename(temporary, final) != 0))
		result = err_sys(err, "%s", final);
	/* The folder may not be read by us, so it cannot be synced on its own; a second
	 * sync of the file carries its new name with it. */
	if (result == 0 && fsync(fd) != 0)
		result = err_sys(err, "%s", final);
	return result;
}

int
submit_drop(const struct settings *settings, const struct submission *s,
	    struct err *err)
{
	char temporary[4200], final[4200], name[33];
	uint8_t random[16];
	int fd, result;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(err, "random bytes");
	hex_put(random, sizeof(random), name);
	snprintf(temporary, sizeof(temporary), "%s/drop/%s.tmp",
		 settings->spool_directory, name);
	snprintf(final, sizeof(final), "%s/drop/%s.msg", settings->spool_directory,
		 name);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_sys(err, "%s", temporary);
	result = write_drop(fd, temporary, final, s, err);
	close(fd);
	if (result != 0)
		unlink(temporary);
	return result;
}
