/* master/pair/pair.c - postroad-pair: do certificate and key belong together?
 *
 * What    makes of the certificate in descriptor 0 and the key in descriptor 1 what
 *         smtpd and gate would, and ends: with 0 when TLS can use them; with 1 and a
 *         sentence on descriptor 2 when it cannot.
 * Trust   others wrote the certificate, so root does not read it: this one does,
 *         jailed.
 * Usage   postroad-pair USER RUN_DIRECTORY
 */
#include "common/proc/proc.h"
#include "common/tls/tls.h"

#include <stdio.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)

static const struct service pair_service = {
    .user = SERVICE_USER_NET,
    .jail = {.empty_root = true,
	     .no_network = true,
	     .no_children = true,
	     .no_files = true,
	     .open_files = 16,
	     .memory_bytes = 1ull << 30},
};

static int
enter_jail(char *user, char *run_directory, struct err *err)
{
	struct settings settings = {.user_net = user, .run_directory = run_directory};
	struct jail jail;

	if (tls_global_init(err) != 0 ||
	    jail_prepare(&jail, &pair_service, &settings, err) != 0)
		return -1;
	return jail_enter(&jail, err);
}

static int
check(struct err *err)
{
	struct buf chain = buf_make(FILE_BYTES_MAX), key = buf_make(FILE_BYTES_MAX);
	struct tls_context *context = NULL;
	int result = -1;

	if (proc_read_fd(STDIN_FILENO, &chain, err) == 0 &&
	    proc_read_fd(STDOUT_FILENO, &key, err) == 0)
		result =
		    tls_context_new(buf_span(&chain), buf_span(&key), &context, err);
	if (key.at)
		explicit_bzero(key.at, key.size);
	tls_context_free(&context);
	buf_release(&chain);
	buf_release(&key);
	return result;
}

int
main(int argc, char **argv)
{
	struct err err;

	if (argc != 3)
		return 2;
	if (enter_jail(argv[1], argv[2], &err) == 0 && check(&err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return 1;
}
