/* admin/account_password.c - postroad account passwd, and password: those for single
 * programs */
#include <unistd.h>

#include "admin/account.h"
#include "admin/listing.h"
#include "admin/prompt.h"

/* ---- the account's own */

static bool
ask_password(struct admin *admin, struct directory_password *out)
{
	bool once =
	    admin_option(admin, "--password-stdin") != NULL || !isatty(STDIN_FILENO);
	char first[PROMPT_MAX], second[PROMPT_MAX];
	struct err err;
	bool good = prompt_secret("Password: ", first, sizeof(first));

	if (good && !once) {
		good = prompt_secret("Again: ", second, sizeof(second)) &&
		       strcmp(first, second) == 0;
		if (!good)
			admin_complain("the two passwords differ");
		explicit_bzero(second, sizeof(second));
	} else if (!good) {
		admin_complain("no password was given");
	}
	if (good && directory_password_make(span_str(first), out, &err) != 0) {
		admin_complain("%s", err.text);
		good = false;
	}
	explicit_bzero(first, sizeof(first));
	return good;
}

enum exit_status
account_send_password(struct admin *admin, struct directory_request *request)
{
	struct buf secret = buf_make(DIRECTORY_REQUEST_MAX);
	struct directory_password password;
	enum exit_status status;

	if (!ask_password(admin, &password))
		return EXIT_FAILED;
	directory_password_put(&password, &secret);
	directory_password_wipe(&password);
	directory_put_text(&request->object, FIELD_ACCOUNT_PASSWORD, buf_span(&secret));
	status = directory_ask(admin, request, NULL, NULL);
	explicit_bzero(secret.at, secret.n);
	buf_release(&secret);
	return status;
}

enum exit_status
account_passwd(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = account_request(DIRECTORY_UPDATE, argv[0]);

	(void)argc;
	return account_send_password(admin, &request);
}

/* ---- those for single programs */

static struct directory_request
app_request(enum directory_verb verb, const char *address, const char *label)
{
	return (struct directory_request){
	    .verb = verb,
	    .object = {.kind = DIRECTORY_APP_PASSWORD,
		       .name = span_str(address),
		       .label = span_str(label)}
        };
}

static void
take_app_password(void *context, const struct directory_object *row)
{
	const struct directory_value *v = row->values;
	struct buf scope = buf_make(64);
	struct listing *l = context;

	directory_value_write(
	    directory_field(DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_SCOPE),
	    &v[FIELD_APP_PASSWORD_SCOPE], &scope);
	listing_text(l, row->label);
	listing_text(l, buf_span(&scope));
	listing_time(l, v[FIELD_APP_PASSWORD_CREATED].number * 1000000);
	listing_time(l, v[FIELD_APP_PASSWORD_LAST_USE].number * 1000000);
	listing_text(l, v[FIELD_APP_PASSWORD_LAST_ADDRESS].text);
	buf_release(&scope);
}

enum exit_status
account_app_list(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"label",    "scope",        "created",
					      "last_use", "last_address", NULL};
	struct listing *l = listing_new(admin, columns);
	enum exit_status status =
	    directory_list(admin, DIRECTORY_LISTING, DIRECTORY_APP_PASSWORD, argv[0],
			   take_app_password, l);

	(void)argc;
	listing_done(&l, status);
	return status;
}

/* The one time that it is seen. */
static void
show_made(struct admin *admin, const char *label, const char *password)
{
	static const char *const columns[] = {"label", "password", NULL};
	struct listing *l = listing_new(admin, columns);

	listing_text(l, span_str(label));
	listing_text(l, span_str(password));
	listing_end_single(&l);
}

static bool
take_scope(struct admin *admin, struct directory_object *o)
{
	const char *scope = admin_option(admin, "--scope");
	struct err err;

	if (!scope ||
	    directory_value_parse(
		directory_field(DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_SCOPE),
		span_str(scope), NULL, &o->values[FIELD_APP_PASSWORD_SCOPE], &err) == 0)
		return true;
	admin_complain("%s", err.text);
	return false;
}

enum exit_status
account_app_add(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = app_request(DIRECTORY_ADD, argv[0], argv[1]);
	char password[DIRECTORY_APP_PASSWORD_MAX];
	struct buf secret = buf_make(DIRECTORY_REQUEST_MAX);
	enum exit_status status;
	struct err err;

	(void)argc;
	if (!take_scope(admin, &request.object))
		return EXIT_USAGE;
	if (directory_app_password_make(password, &secret, &err) != 0) {
		admin_complain("%s", err.text);
		return EXIT_FAILED;
	}
	directory_put_text(&request.object, FIELD_APP_PASSWORD_SECRET,
			   buf_span(&secret));
	status = directory_ask(admin, &request, NULL, NULL);
	if (status == EXIT_DONE)
		show_made(admin, argv[1], password);
	explicit_bzero(password, sizeof(password));
	buf_release(&secret);
	return status;
}

enum exit_status
account_app_remove(struct admin *admin, int argc, char **argv)
{
	struct directory_request request =
	    app_request(DIRECTORY_REMOVE, argv[0], argv[1]);

	(void)argc;
	return directory_ask(admin, &request, NULL, NULL);
}
