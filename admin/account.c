/* admin/account.c - postroad account add, remove, list, show, passwd, quota, disable,
 * enable */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/prompt.h"

/* Asks for a password, twice at a terminal, and makes what is kept of it. */
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

static bool
parse_quota(const char *text, uint64_t *quota_bytes)
{
	if (strcmp(text, "none") == 0)
		*quota_bytes = 0;
	else if (!number_parse_bytes(span_str(text), quota_bytes)) {
		admin_complain("'%s' is no size: write 500M, 10G, or none", text);
		return false;
	}
	return true;
}

static enum exit_status
send_with_password(struct admin *admin, enum directory_verb verb, const char *address,
		   uint64_t quota_bytes)
{
	struct directory_request request = {
	    .verb = verb, .name = span_str(address), .quota_bytes = quota_bytes};
	enum exit_status status = EXIT_FAILED;

	if (ask_password(admin, &request.password))
		status = directory_ask(admin, &request, NULL, NULL);
	directory_password_wipe(&request.password);
	return status;
}

static enum exit_status
add_account(struct admin *admin, int argc, char **argv)
{
	const char *quota = admin_option(admin, "--quota");
	uint64_t quota_bytes = 0;

	(void)argc;
	if (quota && !parse_quota(quota, &quota_bytes))
		return EXIT_USAGE;
	return send_with_password(admin, DIRECTORY_ACCOUNT_ADD, argv[0], quota_bytes);
}

static enum exit_status
set_password(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return send_with_password(admin, DIRECTORY_ACCOUNT_PASSWORD, argv[0], 0);
}

static enum exit_status
set_quota(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = {.verb = DIRECTORY_ACCOUNT_QUOTA,
					    .name = span_str(argv[0])};

	(void)argc;
	if (!parse_quota(argv[1], &request.quota_bytes))
		return EXIT_USAGE;
	return directory_ask(admin, &request, NULL, NULL);
}

static enum exit_status
remove_account(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return directory_simple(admin, DIRECTORY_ACCOUNT_REMOVE, argv[0]);
}

static enum exit_status
disable_account(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return directory_simple(admin, DIRECTORY_ACCOUNT_DISABLE, argv[0]);
}

static enum exit_status
enable_account(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return directory_simple(admin, DIRECTORY_ACCOUNT_ENABLE, argv[0]);
}

static const char *const account_columns[] = {"account", "id",       "enabled", "quota",
					      "created", "password", NULL};

static void
take_account(void *context, const struct directory_row *row)
{
	struct listing *l = context;

	listing_text(l, row->name);
	listing_number(l, row->id);
	listing_flag(l, !row->disabled);
	listing_bytes(l, row->quota_bytes);
	listing_time(l, row->created * 1000000);
	listing_text(l, row->scheme);
}

static enum exit_status
list_accounts(struct admin *admin, int argc, char **argv)
{
	struct listing *l = listing_new(admin, account_columns);
	enum exit_status status = directory_list(
	    admin, DIRECTORY_ACCOUNT_LIST, argc > 0 ? argv[0] : "", take_account, l);

	listing_end(&l);
	return status;
}

static enum exit_status
show_account(struct admin *admin, int argc, char **argv)
{
	const struct directory_request request = {.verb = DIRECTORY_ACCOUNT_SHOW,
						  .name = span_str(argv[0])};
	struct listing *l = listing_new(admin, account_columns);
	enum exit_status status = directory_ask(admin, &request, take_account, l);

	(void)argc;
	if (status == EXIT_DONE)
		listing_end_single(&l);
	else
		listing_free(&l);
	return status;
}

const struct command commands_account[] = {
    {"account",					"add", "USER@DOMAIN [--quota SIZE] [--password-stdin]", 1, 1,
     "--quota= --password-stdin", add_account, "a new mailbox"},
    {"account", "remove", "USER@DOMAIN", 1, 1, NULL, remove_account,
     "no mail, no login any more"},
    {"account",					       "list", "[DOMAIN]", 0, 1, NULL, list_accounts, "all accounts"},
    {"account",				     "show", "USER@DOMAIN", 1, 1, NULL, show_account, "one account"},
    {"account",						"passwd", "USER@DOMAIN [--password-stdin]", 1, 1, "--password-stdin",
     set_password, "set a new password"},
    {"account",					"quota", "USER@DOMAIN SIZE|none", 2, 2, NULL, set_quota,
     "how much it may hold"},
    {"account",					       "disable", "USER@DOMAIN", 1, 1, NULL, disable_account,
     "no mail and no login"},
    {"account",					    "enable", "USER@DOMAIN", 1, 1, NULL, enable_account, "undo disable"},
    {0		    },
};
