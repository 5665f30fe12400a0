#include "common/tls/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define SAID_MAX 160u

void
tls_say(char **text, const char *format, ...)
{
	char said[SAID_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
	free(*text);
	*text = span_dup(span_str(said));
}

struct tls_session *
tls_session_new(struct tls_context *c, int fd)
{
	struct tls_session *t = memory_new(1, sizeof(*t));

	t->ssl = SSL_new(c->ssl);
	ASSERT(t->ssl && SSL_set_fd(t->ssl, fd) == 1);
	SSL_set_accept_state(t->ssl);
	return t;
}

void
tls_session_free(struct tls_session **t)
{
	if (!*t)
		return;
	SSL_free((*t)->ssl);
	tls_wish_free(&(*t)->wish);
	free((*t)->fault);
	free(*t);
	*t = NULL;
}

static enum tls_io
fault(struct tls_session *t, const char *reason)
{
	tls_say(&t->fault, "%s", reason);
	ERR_clear_error();
	return TLS_FAULT;
}

/* What a call that returned `result` <= 0 means; code is errno right after it. */
static enum tls_io
explain(struct tls_session *t, int result, int code)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		if (code == 0 && ERR_peek_error() == 0)
			return TLS_CLOSED;
		return fault(t, code ? strerror(code) : tls_reason());
	default:
		return fault(t, tls_reason());
	}
}

enum tls_io
tls_handshake(struct tls_session *t)
{
	enum tls_io io;
	int result;

	if (t->fault)
		return TLS_FAULT;
	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(t->ssl);
	io = result == 1 ? TLS_DONE : explain(t, result, errno);
	if (t->wish && io == TLS_DONE)
		tls_wish_done(t);
	else if (t->wish && (io == TLS_FAULT || io == TLS_CLOSED))
		tls_wish_failed(t);
	return io;
}

enum tls_io
tls_read(struct tls_session *t, char *at, size_t n, size_t *got)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(t->ssl, at, n, got);
	return result == 1 ? TLS_DONE : explain(t, result, errno);
}

/* The ticket goes out with our first answer, not right after the handshake: some
 * clients write from one thread while another reads (imaplib2), and a ticket that comes
 * while they write their first command locks both up in OpenSSL. A TLS 1.2 handshake
 * has sent its own. */
static void
offer_ticket(struct tls_session *t)
{
	if (t->answered || t->wish)
		return;
	t->answered = true;
	if (SSL_version(t->ssl) >= TLS1_3_VERSION)
		(void)SSL_new_session_ticket(t->ssl);
}

enum tls_io
tls_write(struct tls_session *t, struct span bytes, size_t *sent)
{
	int result;

	offer_ticket(t);
	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(t->ssl, bytes.at, bytes.n, sent);
	return result == 1 ? TLS_DONE : explain(t, result, errno);
}

void
tls_goodbye(struct tls_session *t)
{
	if (SSL_is_init_finished(t->ssl))
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

const char *
tls_session_fault(const struct tls_session *t)
{
	return t->fault ? t->fault : "";
}

const char *
tls_session_version(const struct tls_session *t)
{
	return SSL_get_version(t->ssl);
}

const char *
tls_session_cipher(const struct tls_session *t)
{
	return SSL_get_cipher_name(t->ssl);
}

unsigned
tls_session_bits(const struct tls_session *t)
{
	return (unsigned)SSL_get_cipher_bits(t->ssl, NULL);
}

bool
tls_session_resumed(const struct tls_session *t)
{
	return SSL_session_reused(t->ssl) == 1;
}
