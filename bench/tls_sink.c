/* bench/tls_sink.c - the next hop of ./dev bench relay: takes mail, stores nothing
 *
 *   tls_sink PORT COUNTER [CERTIFICATE KEY]
 *
 * What    smtp-sink knows no TLS. This one offers STARTTLS when it has a certificate,
 * takes every message and adds one to the 64-bit counters in the file COUNTER:
 * messages, connections, bytes of content. One thread a connection.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define IN_BYTES       65536
#define OUT_BYTES      8192

struct counters {
	_Atomic uint64_t messages, connections, bytes;
};

static struct counters *counters;
static SSL_CTX *context;

struct session {
	SSL *tls; /* NULL: plain */
	int fd;
	size_t at, end, out_bytes;
	char in[IN_BYTES];
	char out[OUT_BYTES];
};

static void
stop(const char *why)
{
	perror(why);
	exit(1);
}

static bool
flush(struct session *s)
{
	size_t n = s->out_bytes;
	ssize_t sent;

	s->out_bytes = 0;
	if (n == 0)
		return true;
	sent = s->tls ? SSL_write(s->tls, s->out, (int)n) : write(s->fd, s->out, n);
	return sent == (ssize_t)n;
}

static void
reply(struct session *s, const char *text)
{
	size_t n = strlen(text);

	if (s->out_bytes + n <= OUT_BYTES) {
		memcpy(s->out + s->out_bytes, text, n);
		s->out_bytes += n;
	}
}

/* Reads on; what was answered so far goes out first. */
static bool
fill(struct session *s)
{
	ssize_t n;

	if (!flush(s))
		return false;
	if (s->at > 0) {
		memmove(s->in, s->in + s->at, s->end - s->at);
		s->end -= s->at;
		s->at = 0;
	}
	if (s->end == IN_BYTES)
		return false;
	n = s->tls ? SSL_read(s->tls, s->in + s->end, (int)(IN_BYTES - s->end))
		   : read(s->fd, s->in + s->end, IN_BYTES - s->end);
	if (n <= 0)
		return false;
	s->end += (size_t)n;
	return true;
}

/* The next line, its CRLF cut off. */
static bool
take_line(struct session *s, char line[LINE_MAX_BYTES])
{
	char *stop_at;
	size_t n;

	while (!(stop_at = memchr(s->in + s->at, '\n', s->end - s->at)))
		if (!fill(s))
			return false;
	n = (size_t)(stop_at - (s->in + s->at));
	if (n >= LINE_MAX_BYTES)
		return false;
	memcpy(line, s->in + s->at, n);
	line[n > 0 && line[n - 1] == '\r' ? n - 1 : n] = '\0';
	s->at += n + 1;
	return true;
}

/* Reads up to CRLF.CRLF; the last four bytes of what is thrown away stay to be looked
 * at. */
static bool
take_content(struct session *s)
{
	static const char mark[] = "\r\n.\r\n";
	char *found;

	while (!(found = memmem(s->in + s->at, s->end - s->at, mark, 5))) {
		size_t keep = s->end - s->at < 4 ? s->end - s->at : 4;

		counters->bytes += s->end - s->at - keep;
		s->at = s->end - keep;
		if (!fill(s))
			return false;
	}
	counters->bytes += (size_t)(found - (s->in + s->at));
	s->at = (size_t)(found - s->in) + 5;
	counters->messages++;
	return true;
}

static bool
run_ehlo(struct session *s)
{
	reply(s, "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n");
	if (context && !s->tls)
		reply(s, "250-STARTTLS\r\n");
	reply(s, "250 SIZE 52428800\r\n");
	return true;
}

static bool
run_starttls(struct session *s)
{
	reply(s, "220 go ahead\r\n");
	if (!context || s->tls || !flush(s))
		return false;
	s->at = s->end = 0;
	s->tls = SSL_new(context);
	return s->tls && SSL_set_fd(s->tls, s->fd) == 1 && SSL_accept(s->tls) == 1;
}

static bool
run_data(struct session *s)
{
	reply(s, "354 go ahead\r\n");
	if (!take_content(s))
		return false;
	reply(s, "250 taken\r\n");
	return true;
}

static bool
run_quit(struct session *s)
{
	reply(s, "221 bye\r\n");
	(void)flush(s);
	return false;
}

static bool
run_other(struct session *s)
{
	reply(s, "250 ok\r\n");
	return true;
}

static const struct command {
	const char *verb;
	bool (*run)(struct session *);
} commands[] = {
    {"EHLO",     run_ehlo    },
    {"STARTTLS", run_starttls},
    {"DATA",     run_data    },
    {"QUIT",     run_quit    },
    {"",	 run_other   },
};

static bool
run_line(struct session *s, const char *line)
{
	const struct command *c = commands;

	while (strncasecmp(line, c->verb, strlen(c->verb)) != 0)
		c++;
	return c->run(s);
}

static void *
serve(void *fd)
{
	struct session *s = calloc(1, sizeof *s);
	char line[LINE_MAX_BYTES];

	if (!s)
		stop("memory");
	s->fd = (int)(intptr_t)fd;
	counters->connections++;
	reply(s, "220 sink.test ESMTP\r\n");
	while (take_line(s, line) && run_line(s, line)) {
	}
	SSL_free(s->tls);
	close(s->fd);
	free(s);
	return NULL;
}

static void
open_counters(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	if (fd < 0 || ftruncate(fd, sizeof *counters))
		stop(path);
	counters =
	    mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		stop(path);
	close(fd);
}

static void
open_tls(const char *certificate, const char *key)
{
	context = SSL_CTX_new(TLS_server_method());
	if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		exit(1);
	}
}

static int
open_listener(const char *port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1000))
		stop("listen");
	return fd;
}

int
main(int argc, char **argv)
{
	int listener, fd, on = 1;
	pthread_t thread;

	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: tls_sink PORT COUNTER [CERTIFICATE KEY]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	open_counters(argv[2]);
	if (argc == 5)
		open_tls(argv[3], argv[4]);
	listener = open_listener(argv[1]);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
			stop("thread");
		pthread_detach(thread);
	}
	stop("accept");
}
