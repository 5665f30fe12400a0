/* bench/rcpt_client.c - how long a server takes to say what it thinks of a recipient
 *
 * usage: rcpt_client PORT DOMAINS ACCOUNTS ROUNDS SEED
 *
 * One session; each RCPT names an account uN@dM.example by chance and waits for its
 * answer, which must be 250. Printed: "p50 p99 max" in microseconds.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRANSACTION 1000 /* recipients of one message */

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
dial(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		fail("connect");
	return fd;
}

/* The last line of a reply begins with the code and a space. */
static void
expect(int fd, const char *code)
{
	char reply[4096];
	size_t n = 0;

	for (;;) {
		ssize_t got = read(fd, reply + n, sizeof(reply) - 1 - n);
		char *line;

		if (got <= 0)
			fail("read");
		n += (size_t)got;
		reply[n] = '\0';
		if (reply[n - 1] != '\n')
			continue;
		line = reply;
		for (char *end; (end = strchr(line, '\n')) && end[1]; line = end + 1)
			;
		if (line[3] != ' ')
			continue;
		if (strncmp(line, code, 3) != 0) {
			fprintf(stderr, "wanted %s, got %s", code, line);
			exit(1);
		}
		return;
	}
}

static void
say(int fd, const char *text, const char *code)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail("write");
	expect(fd, code);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	unsigned long domains, accounts, rounds;
	double *took;
	int fd;

	if (argc != 6) {
		fprintf(stderr,
			"usage: rcpt_client PORT DOMAINS ACCOUNTS ROUNDS SEED\n");
		return 2;
	}
	domains = strtoul(argv[2], NULL, 10);
	accounts = strtoul(argv[3], NULL, 10);
	rounds = strtoul(argv[4], NULL, 10);
	srandom((unsigned)strtoul(argv[5], NULL, 10));
	took = calloc(rounds, sizeof(*took));
	if (!took || rounds == 0 || domains == 0 || accounts < domains)
		fail("arguments");
	fd = dial((int)strtol(argv[1], NULL, 10));
	expect(fd, "220");
	say(fd, "EHLO bench.example\r\n", "250");
	for (unsigned long i = 0; i < rounds; i++) {
		unsigned long who = (unsigned long)random() % accounts;
		char line[128];
		double start;

		if (i % TRANSACTION == 0) {
			say(fd, "RSET\r\n", "250");
			say(fd, "MAIL FROM:<bench@bench.example>\r\n", "250");
		}
		snprintf(line, sizeof(line), "RCPT TO:<u%lu@d%lu.example>\r\n",
			 who / domains, who % domains);
		start = now_us();
		say(fd, line, "250");
		took[i] = now_us() - start;
	}
	qsort(took, rounds, sizeof(*took), compare);
	printf("%.0f %.0f %.0f\n", took[rounds / 2], took[rounds * 99 / 100],
	       took[rounds - 1]);
	close(fd);
	free(took);
	return 0;
}
