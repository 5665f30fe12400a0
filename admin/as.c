#include "admin/as.h"
#include "admin/prompt.h"
#include "common/directory/directory.h"

#include <errno.h>
#include <limits.h>

#define LOGIN_TIMEOUT_MS 90000 /* a wrong password is answered late */

/* The one connection of this command, logged in; null before. */
static struct ipc_client *office;

bool
as_wanted(const struct admin *admin)
{
	return admin_option(admin, "--as") != NULL;
}

bool
as_fits(const char *noun)
{
	static const char *const nouns[] = {"domain", "account", "alias", "list",
					    "group"};

	for (size_t i = 0; i < N_ELEMS(nouns); i++)
		if (strcmp(nouns[i], noun) == 0)
			return true;
	admin_complain(
	    "--as is for the commands domain, account, alias, list and group");
	return false;
}

void
as_leave(void)
{
	ipc_client_free(&office);
}

static struct ipc_client *
connect_office(struct admin *admin, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/administrators",
		 admin->settings.run_directory);
	return ipc_client_connect(path, CONTROL_TIMEOUT_MS, err);
}

/* What authd says to the password. */
static enum exit_status
take_verdict(struct err *err)
{
	struct ipc_message m;

	if (ipc_client_receive(office, LOGIN_TIMEOUT_MS, &m, err) != 0)
		return control_failed("authd", err);
	if (m.number != IPC_NUMBER_directory_done) {
		admin_complain("authd gave an answer that was not asked for");
		return EXIT_FAILED;
	}
	if (directory_result_of(m.directory_done.outcome) == DIRECTORY_DONE)
		return EXIT_DONE;
	admin_complain("%.*s", SPAN_ARG(span_first(m.directory_done.text, 200)));
	return directory_result_of(m.directory_done.outcome) == DIRECTORY_FAULT
		   ? EXIT_LATER
		   : EXIT_FAILED;
}

static enum exit_status
send_login(struct admin *admin, const char *password)
{
	struct ipc_message m = {.number = IPC_NUMBER_directory_login};
	struct err err;

	m.directory_login = (struct ipc_directory_login){
	    1, span_str(admin_option(admin, "--as")), span_str(password)};
	if (ipc_client_send(office, &m, &err) != 0)
		return control_failed("authd", &err);
	return take_verdict(&err);
}

enum exit_status
as_enter(struct admin *admin)
{
	char password[PROMPT_MAX];
	enum exit_status status;
	struct err err;

	if (!admin_settings(admin))
		return EXIT_FAILED;
	office = connect_office(admin, &err);
	if (!office)
		return control_failed("authd", &err);
	if (!prompt_secret("Your password: ", password, sizeof(password))) {
		admin_complain("no password was given");
		as_leave();
		return EXIT_FAILED;
	}
	status = send_login(admin, password);
	explicit_bzero(password, sizeof(password));
	if (status != EXIT_DONE)
		as_leave();
	return status;
}

enum exit_status
as_ask(const struct ipc_message *question, control_take *take, void *context)
{
	struct ipc_message answer;
	struct err err;
	bool more = true;

	if (ipc_client_send(office, question, &err) != 0)
		return control_failed("authd", &err);
	while (more) {
		if (ipc_client_receive(office, CONTROL_TIMEOUT_MS, &answer, &err) != 0)
			return control_failed("authd", &err);
		more = take(context, &answer);
	}
	return EXIT_DONE;
}
