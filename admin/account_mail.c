/* admin/account_mail.c - postroad account forward, reply */
#include "admin/account.h"

enum exit_status
account_forward(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = account_request(DIRECTORY_UPDATE, argv[0]);
	struct buf items = buf_make(DIRECTORY_REQUEST_MAX);
	bool off = argc == 2 && strcmp(argv[1], "off") == 0;
	enum exit_status status = EXIT_USAGE;

	for (int i = 1; i < argc && !off; i++)
		directory_item_put(&items, span_str(argv[i]));
	directory_put_text(&request.object, FIELD_ACCOUNT_FORWARD, buf_span(&items));
	directory_put_number(&request.object, FIELD_ACCOUNT_FORWARD_KEEP,
			     admin_option(admin, "--keep") != NULL);
	if (items.full)
		admin_complain("too many addresses at once");
	else
		status = directory_ask(admin, &request, NULL, NULL);
	buf_release(&items);
	return status;
}

static const struct {
	const char *option;
	size_t field;
} reply_options[] = {
    {"--subject", FIELD_ACCOUNT_REPLY_SUBJECT},
    {"--text",    FIELD_ACCOUNT_REPLY_TEXT   },
    {"--from",    FIELD_ACCOUNT_REPLY_FROM   },
    {"--until",   FIELD_ACCOUNT_REPLY_UNTIL  },
};

static bool
take_options(struct admin *admin, struct arena *arena, struct directory_object *o)
{
	struct err err;

	for (size_t i = 0; i < N_ELEMS(reply_options); i++) {
		const char *value = admin_option(admin, reply_options[i].option);
		size_t field = reply_options[i].field;

		if (!value || directory_value_parse(
				  directory_field(DIRECTORY_ACCOUNT, field),
				  span_str(value), arena, &o->values[field], &err) == 0)
			continue;
		admin_complain("%s", err.text);
		return false;
	}
	return true;
}

enum exit_status
account_reply(struct admin *admin, int argc, char **argv)
{
	struct directory_request request = account_request(DIRECTORY_UPDATE, argv[0]);
	bool on = strcmp(argv[1], "on") == 0;
	enum exit_status status = EXIT_USAGE;
	struct arena arena;

	(void)argc;
	if (!on && strcmp(argv[1], "off") != 0) {
		admin_complain("a reply is on or off, not '%s'", argv[1]);
		return EXIT_USAGE;
	}
	arena_init(&arena, DIRECTORY_REQUEST_MAX);
	directory_put_number(&request.object, FIELD_ACCOUNT_REPLY_ENABLED, on);
	if (take_options(admin, &arena, &request.object))
		status = directory_ask(admin, &request, NULL, NULL);
	arena_release(&arena);
	return status;
}
