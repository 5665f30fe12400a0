/* admin/account.c - postroad account add, remove, list, show, set, quota, disable,
 * enable, and the table of all its commands */
#include "admin/account.h"
#include "admin/listing.h"

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

struct directory_request
account_request(enum directory_verb verb, const char *address)
{
	return (struct directory_request){
	    .verb = verb,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = span_str(address)}
        };
}

static enum exit_status
add_account(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = account_request(DIRECTORY_ADD, argv[0]);
	const char *quota = admin_option(admin, "--quota");
	const char *name = admin_option(admin, "--name");
	uint64_t quota_bytes = 0;

	(void)argc;
	if (quota && !parse_quota(quota, &quota_bytes))
		return EXIT_USAGE;
	if (quota)
		directory_put_number(&request.object, FIELD_ACCOUNT_QUOTA_BYTES,
				     quota_bytes);
	if (name)
		directory_put_text(&request.object, FIELD_ACCOUNT_NAME, span_str(name));
	return account_send_password(admin, &request);
}

static enum exit_status
set_quota(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = account_request(DIRECTORY_UPDATE, argv[0]);
	uint64_t quota_bytes;

	(void)argc;
	if (!parse_quota(argv[1], &quota_bytes))
		return EXIT_USAGE;
	directory_put_number(&request.object, FIELD_ACCOUNT_QUOTA_BYTES, quota_bytes);
	return directory_ask(admin, &request, NULL, NULL);
}

static enum exit_status
set_disabled(struct admin *admin, const char *address, bool disabled)
{
	struct directory_request request = account_request(DIRECTORY_UPDATE, address);

	directory_put_number(&request.object, FIELD_ACCOUNT_DISABLED, disabled);
	return directory_ask(admin, &request, NULL, NULL);
}

static enum exit_status
disable_account(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return set_disabled(admin, argv[0], true);
}

static enum exit_status
enable_account(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return set_disabled(admin, argv[0], false);
}

static void
take_account(void *context, const struct directory_object *row)
{
	const struct directory_value *v = row->values;
	struct listing *l = context;

	listing_text(l, row->name);
	listing_number(l, v[FIELD_ACCOUNT_ID].number);
	listing_flag(l, v[FIELD_ACCOUNT_DISABLED].number == 0);
	listing_limit(l, v[FIELD_ACCOUNT_QUOTA_BYTES].number);
	listing_time(l, v[FIELD_ACCOUNT_CREATED].number * 1000000);
	listing_text(l, v[FIELD_ACCOUNT_PASSWORD_SCHEME].text);
	listing_text(l, v[FIELD_ACCOUNT_NAME].text);
}

static enum exit_status
list_accounts(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"account", "id",       "enabled", "quota",
					      "created", "password", "name",    NULL};

	return object_list(admin, columns, take_account, argc, argv);
}

/* clang-format off */
const struct command commands_account[] = {
    {"account", "add", "USER@DOMAIN [--quota SIZE] [--name NAME] [--password-stdin]", 1, 1,
     "--quota= --name= --password-stdin", add_account, "a new mailbox"},
    {"account", "remove", "USER@DOMAIN", 1, 1, NULL, object_remove,
     "no mail, no login any more; what it has is kept"},
    {"account", "list", "[DOMAIN]", 0, 1, NULL, list_accounts, "all accounts"},
    {"account", "show", "USER@DOMAIN", 1, 1, NULL, object_show, "one account, all fields"},
    {"account", "set", "USER@DOMAIN FIELD=VALUE ...", 2, -1, NULL, object_set,
     "change its fields"},
    {"account", "passwd", "USER@DOMAIN [--password-stdin]", 1, 1, "--password-stdin",
     account_passwd, "set a new password"},
    {"account", "password list", "USER@DOMAIN", 1, 1, NULL, account_app_list,
     "passwords of single programs"},
    {"account", "password add", "USER@DOMAIN LABEL [--scope SERVICE]", 2, 2, "--scope=",
     account_app_add, "make one for a program, and show it"},
    {"account", "password remove", "USER@DOMAIN LABEL", 2, 2, NULL, account_app_remove,
     "that program must not log in any more"},
    {"account", "quota", "USER@DOMAIN SIZE|none", 2, 2, NULL, set_quota,
     "how much it may hold"},
    {"account", "forward", "USER@DOMAIN off|ADDRESS ... [--keep]", 2, -1, "--keep",
     account_forward, "send its mail on"},
    {"account", "reply", "USER@DOMAIN on|off [--subject TEXT] [--text TEXT] [--from DATE]"
     " [--until DATE]", 2, 2, "--subject= --text= --from= --until=", account_reply,
     "answer senders"},
    {"account", "disable", "USER@DOMAIN", 1, 1, NULL, disable_account,
     "no mail and no login"},
    {"account", "enable", "USER@DOMAIN", 1, 1, NULL, enable_account, "undo disable"},
    {0},
};
