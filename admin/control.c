#include "admin/control.h"

#include <errno.h>
#include <limits.h>

struct ipc_client *
control_connect(struct admin *admin, const char *program, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/control/%s", admin->settings.run_directory,
		 program);
	return ipc_client_connect(path, CONTROL_TIMEOUT_MS, err);
}

bool
control_is_down(const struct err *err)
{
	return err->code == ENOENT || err->code == ECONNREFUSED;
}

bool
control_runs(struct admin *admin, const char *program)
{
	struct err err;
	struct ipc_client *client = control_connect(admin, program, &err);
	bool runs = client || !control_is_down(&err);

	ipc_client_free(&client);
	return runs;
}

enum exit_status
control_failed(const char *program, const struct err *err)
{
	if (control_is_down(err))
		admin_complain(
		    "postroad is not running (%s does not answer): `postroad "
		    "run`, or the service manager, starts it",
		    program);
	else
		admin_complain("%s: %s", program, err->text);
	return err->code == ETIMEDOUT ? EXIT_LATER : EXIT_FAILED;
}

enum exit_status
control_ask(struct admin *admin, const char *program,
	    const struct ipc_message *question, control_take *take, void *context)
{
	struct ipc_message answer;
	struct ipc_client *client;
	struct err err;
	bool more;

	if (!admin_settings(admin))
		return EXIT_FAILED;
	client = control_connect(admin, program, &err);
	if (!client)
		return control_failed(program, &err);
	if (ipc_client_send(client, question, &err) != 0) {
		ipc_client_free(&client);
		return control_failed(program, &err);
	}
	do {
		if (ipc_client_receive(client, CONTROL_TIMEOUT_MS, &answer, &err) !=
		    0) {
			ipc_client_free(&client);
			return control_failed(program, &err);
		}
		more = take(context, &answer);
	} while (more);
	ipc_client_free(&client);
	return EXIT_DONE;
}
