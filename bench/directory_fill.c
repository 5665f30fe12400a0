/* bench/directory_fill.c - very many accounts, loaded as rows of a dump are
 *
 * usage: bench_directory_fill CONTROL_SOCKET DOMAINS ACCOUNTS
 *
 * Domains d0.example ..., and in them the accounts u0@d0.example, u0@d1.example, ...,
 * all with the password "secret". Sent to the running authd in requests as large as
 * they may be; each is one change.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/directory/directory.h"
#include "common/ipc/ipc.h"

#define ROWS_MAX   (DIRECTORY_REQUEST_MAX - 2048)
#define ROW_MAX    4096
#define TIMEOUT_MS 60000

struct fill {
	struct ipc_client *authd;
	struct buf rows;
	struct buf secret;
};

static void
fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void
take_answer(struct fill *f)
{
	struct ipc_message m;
	struct err err;

	do {
		if (ipc_client_receive(f->authd, TIMEOUT_MS, &m, &err) != 0)
			fail(&err);
	} while (m.number == IPC_NUMBER_directory_row);
	if (m.number == IPC_NUMBER_directory_done &&
	    directory_result_of(m.directory_done.outcome) == DIRECTORY_DONE)
		return;
	err_set(&err, "authd: %.*s", SPAN_ARG(span_first(m.directory_done.text, 200)));
	fail(&err);
}

static void
send_rows(struct fill *f)
{
	const struct directory_request load = {.verb = DIRECTORY_LOAD,
					       .rows = buf_span(&f->rows)};
	struct ipc_message m = {.number = IPC_NUMBER_directory_ask};
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);
	struct err err;

	if (f->rows.n == 0)
		return;
	directory_request_put(&load, &bytes);
	m.directory_ask.request = buf_span(&bytes);
	if (ipc_client_send(f->authd, &m, &err) != 0)
		fail(&err);
	take_answer(f);
	buf_release(&bytes);
	buf_reset(&f->rows);
}

static void
put(struct fill *f, const struct directory_object *o)
{
	if (!buf_room(&f->rows, ROW_MAX))
		send_rows(f);
	directory_object_put(o, &f->rows);
}

static void
put_domain(struct fill *f, unsigned long i)
{
	struct directory_object o = {.kind = DIRECTORY_DOMAIN};
	char name[64];

	snprintf(name, sizeof(name), "d%lu.example", i);
	o.name = span_str(name);
	directory_put_number(&o, FIELD_DOMAIN_ENABLED, 1);
	put(f, &o);
}

static void
put_account(struct fill *f, unsigned long i, unsigned long domains)
{
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT};
	char address[64];

	snprintf(address, sizeof(address), "u%lu@d%lu.example", i / domains,
		 i % domains);
	o.name = span_str(address);
	directory_put_number(&o, FIELD_ACCOUNT_CREATED, 1700000000);
	directory_put_text(&o, FIELD_ACCOUNT_NAME, SPAN("Somebody Or Other"));
	directory_put_text(&o, FIELD_ACCOUNT_PASSWORD, buf_span(&f->secret));
	put(f, &o);
}

int
main(int argc, char **argv)
{
	struct fill f = {.rows = buf_make(ROWS_MAX), .secret = buf_make(1024)};
	struct directory_password password;
	unsigned long domains, accounts;
	struct err err;

	if (argc != 4) {
		fprintf(stderr,
			"usage: bench_directory_fill SOCKET DOMAINS ACCOUNTS\n");
		return 2;
	}
	domains = strtoul(argv[2], NULL, 10);
	accounts = strtoul(argv[3], NULL, 10);
	f.authd = ipc_client_connect(argv[1], TIMEOUT_MS, &err);
	if (!f.authd || directory_password_make(SPAN("secret"), &password, &err) != 0)
		fail(&err);
	directory_password_put(&password, &f.secret);
	for (unsigned long i = 0; i < domains; i++)
		put_domain(&f, i);
	for (unsigned long i = 0; i < accounts; i++)
		put_account(&f, i, domains);
	send_rows(&f);
	ipc_client_free(&f.authd);
	buf_release(&f.rows);
	buf_release(&f.secret);
	return 0;
}
