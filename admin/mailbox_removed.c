/* admin/mailbox_removed.c - postroad mailbox removed list, restore, export, erase
 *
 * Mail of an account that is removed stays in the store under the account's number.
 * Which numbers are nobody's is for the directory to say, which knows, too, whose they
 * were. Numbers are taken from the store first: one that is given meanwhile is then not
 * among them.
 */
#include <inttypes.h>

#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/mailbox.h"
#include "admin/owner.h"
#include "admin/restore.h"

#define ABOVE         "Restored"
#define ASKED_AT_ONCE 250

/* --- which there are ------------------------------------------------------ */

struct removed_set {
	struct removed *at;
	size_t n, size;
};

static void
take_row(void *context, const struct directory_object *row)
{
	struct removed_set *set = context;
	struct removed *r;

	if (set->n == set->size) {
		set->size = set->size ? 2 * set->size : 64;
		set->at = memory_resize(set->at, set->size, sizeof(*set->at));
	}
	r = &set->at[set->n++];
	*r = (struct removed){.id = row->values[FIELD_ACCOUNT_ID].number,
			      .until_s = row->values[FIELD_ACCOUNT_REMOVED].number};
	(void)!span_copy(row->name, r->address, sizeof(r->address));
}

/* Those among the numbers that are nobody's. */
static enum exit_status
set_ask(struct admin *admin, const uint64_t *ids, size_t n, struct removed_set *set)
{
	struct buf numbers = buf_make(8 * ASKED_AT_ONCE);
	enum exit_status status = EXIT_DONE;

	while (status == EXIT_DONE && n > 0) {
		struct directory_request request = {
		    .verb = DIRECTORY_WHOSE, .object = {.kind = DIRECTORY_ACCOUNT}};

		buf_reset(&numbers);
		for (; n > 0 && buf_room(&numbers, 8); ids++, n--)
			wire_put_u64(&numbers, *ids);
		request.rows = buf_span(&numbers);
		status = directory_ask(admin, &request, take_row, set);
	}
	buf_release(&numbers);
	return status;
}

/* The numbers that have mail. */
static enum exit_status
store_ask(struct admin *admin, uint64_t **ids, size_t *n)
{
	const char *folder = admin->settings.mail_directory;
	const struct store_settings settings = {0};
	struct store *store = NULL;
	int result = -1;
	struct err err;

	if (owner_become(folder, &err) == 0)
		store = store_new(folder, &settings, &err);
	if (store)
		result = store_accounts(store, ids, n, &err);
	store_free(&store);
	owner_restore();
	if (result == 0)
		return EXIT_DONE;
	admin_complain("%s", err.text);
	return EXIT_FAILED;
}

enum exit_status
removed_each(struct admin *admin, removed_take *each, void *context)
{
	struct removed_set set = {0};
	enum exit_status status;
	uint64_t *ids = NULL;
	size_t n = 0;

	if (!admin_settings(admin))
		return EXIT_FAILED;
	status = store_ask(admin, &ids, &n);
	directory_hold();
	if (status == EXIT_DONE)
		status = set_ask(admin, ids, n, &set);
	directory_drop();
	for (size_t i = 0; status == EXIT_DONE && i < set.n; i++)
		each(context, &set.at[i]);
	free(set.at);
	free(ids);
	return status;
}

/* --- one of them ---------------------------------------------------------- */

/* The removed account of that number; what is wrong was told when it is not EXIT_DONE.
 */
static enum exit_status
removed_find(struct admin *admin, const char *number, struct removed *out)
{
	struct removed_set set = {0};
	enum exit_status status;
	uint64_t id;

	if (!number_parse(span_str(number), UINT64_MAX, &id) || id == 0) {
		admin_complain("'%s' is no number: `postroad mailbox removed list` has "
			       "those of removed accounts",
			       number);
		return EXIT_USAGE;
	}
	status = set_ask(admin, &id, 1, &set);
	if (status == EXIT_DONE && set.n == 0) {
		admin_complain(
		    "%s is the number of an account that is there; `postroad "
		    "mailbox` has commands for its mail, too",
		    number);
		status = EXIT_FAILED;
	}
	if (status == EXIT_DONE)
		*out = set.at[0];
	free(set.at);
	return status;
}

static enum exit_status
say_none(const char *number)
{
	admin_complain("there is no mail of a removed account %s: `postroad mailbox "
		       "removed list` shows what there is",
		       number);
	return EXIT_FAILED;
}

enum exit_status
removed_open(struct admin *admin, const char *number, enum store_open_mode mode,
	     struct mailbox *box)
{
	struct removed r;
	enum exit_status status = removed_find(admin, number, &r);

	*box = (struct mailbox){0};
	if (status == EXIT_DONE)
		status = mailbox_open_id(admin, number, r.id, mode, box);
	if (status == EXIT_DONE && !box->account) {
		mailbox_close(box);
		status = say_none(number);
	}
	return status;
}

/* --- list ----------------------------------------------------------------- */

struct removed_rows {
	struct admin *admin;
	struct listing *l;
	struct store *store;
	uint64_t unread; /* accounts whose mail cannot be read */
};

/* Told where it cannot be read; it can be erased all the same. */
static uint64_t
messages_of(struct removed_rows *rows, const struct removed *r)
{
	struct store_account *account = NULL;
	uint64_t messages = 0;
	struct err err;

	if (store_account_open(rows->store, r->id, STORE_MUST_EXIST, mailbox_now_us(),
			       &account, &err) == STORE_FAULT) {
		admin_complain("%" PRIu64 ": %s", r->id, err.text);
		rows->unread++;
	} else if (account) {
		messages = store_usage(account).messages;
	}
	store_account_close(&account);
	return messages;
}

static void
put_removed(struct listing *l, const struct removed *r, uint64_t messages,
	    uint64_t bytes)
{
	listing_number(l, r->id);
	listing_text(l, span_str(r->address));
	listing_time(l, r->until_s * 1000000);
	listing_number(l, messages);
	listing_bytes(l, bytes);
}

static void
list_row(void *context, const struct removed *r)
{
	struct removed_rows *rows = context;
	const char *folder = rows->admin->settings.mail_directory;
	const struct store_settings settings = {0};
	enum store_result result = STORE_FAULT;
	uint64_t messages = 0, bytes = 0;
	struct err err;

	if (owner_become(folder, &err) == 0 && !rows->store)
		rows->store = store_new(folder, &settings, &err);
	if (rows->store)
		result = store_disk_use(rows->store, r->id, &bytes, &err);
	if (result == STORE_OK)
		messages = messages_of(rows, r);
	owner_restore();
	if (result == STORE_OK)
		put_removed(rows->l, r, messages, bytes);
	if (result == STORE_FAULT) {
		admin_complain("%s", err.text);
		rows->unread++;
	}
}

enum exit_status
removed_list(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"number",   "account", "removed",
					      "messages", "size",    NULL};
	struct removed_rows rows = {.admin = admin, .l = listing_new(admin, columns)};
	enum exit_status status = removed_each(admin, list_row, &rows);

	(void)argc, (void)argv;
	listing_done(&rows.l, status);
	store_free(&rows.store);
	return rows.unread > 0 ? EXIT_FAILED : status;
}

/* --- restore, export ------------------------------------------------------ */

static void
show_restored(const struct merge *merge, const char *to, const struct restoring *done)
{
	static const char *const columns[] = {"number", "account", "messages",
					      "damaged", NULL};
	struct listing *l = listing_new(done->admin, columns);

	listing_number(l, store_account_id(merge->from));
	listing_text(l, span_str(to));
	listing_number(l, done->n.messages);
	listing_number(l, done->n.damaged);
	listing_end_single(&l);
}

/* Into mailboxes of the same names where there is nothing that it could mix with. */
static enum exit_status
restore_into(struct admin *admin, char **argv, struct mailbox *from, struct mailbox *to)
{
	bool empty = store_usage(to->account).messages == 0;
	const struct merge merge = {
	    .from = from->account, .to = to->account, .above = empty ? NULL : ABOVE};
	struct restoring done = {.admin = admin};
	struct err err;

	if (restore_merge(&done, &merge, &err) != 0) {
		admin_complain("%s: %s; what came so far is there", argv[1], err.text);
		return EXIT_FAILED;
	}
	show_restored(&merge, argv[1], &done);
	if (!empty && !admin->json)
		puts("it is in mailboxes below \"" ABOVE "\"");
	return done.n.damaged > 0 ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status
removed_restore(struct admin *admin, int argc, char **argv)
{
	struct mailbox from, to;
	enum exit_status status = removed_open(admin, argv[0], STORE_MUST_EXIST, &from);

	(void)argc;
	if (status != EXIT_DONE)
		return status;
	owner_restore(); /* who may ask for the other account */
	status = mailbox_open(admin, argv[1], STORE_MAY_CREATE, &to);
	if (status == EXIT_DONE) {
		status = restore_into(admin, argv, &from, &to);
		mailbox_close(&to);
	}
	mailbox_close(&from);
	return status;
}

enum exit_status
removed_export(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return mailbox_export_opened(admin, removed_open, argv);
}

/* --- erase ---------------------------------------------------------------- */

/* What the directory knows of it goes, too, and nobody keeps its files open. */
static enum exit_status
erase_known(struct admin *admin, uint64_t id)
{
	struct directory_request request = {.verb = DIRECTORY_FORGET,
					    .object = {.kind = DIRECTORY_ACCOUNT}};
	struct err err;

	directory_put_number(&request.object, FIELD_ACCOUNT_ID, id);
	if (restore_all_close(admin, id, &err) == 0)
		return directory_ask(admin, &request, NULL, NULL);
	admin_complain("%s", err.text);
	return EXIT_FAILED;
}

/* Without `erase`, what it would be. OK, NONE, FAULT. */
static enum store_result
erase_files(struct admin *admin, uint64_t id, bool erase, uint64_t *bytes,
	    struct err *err)
{
	const char *folder = admin->settings.mail_directory;
	const struct store_settings settings = {0};
	enum store_result result = STORE_FAULT;
	struct store *store = NULL;

	if (owner_become(folder, err) == 0)
		store = store_new(folder, &settings, err);
	if (store && erase)
		result = store_erase(store, id, bytes, err);
	else if (store)
		result = store_disk_use(store, id, bytes, err);
	if (result == STORE_OK && erase && store_sync_disk(store, err) < 0)
		result = STORE_FAULT;
	store_free(&store);
	owner_restore();
	return result;
}

static enum exit_status
erase_one(struct admin *admin, const char *number, bool erase, struct listing *l)
{
	struct removed r;
	enum exit_status status = removed_find(admin, number, &r);
	uint64_t bytes = 0;
	struct err err;

	if (status != EXIT_DONE)
		return status;
	switch (erase_files(admin, r.id, erase, &bytes, &err)) {
	case STORE_OK:
		break;
	case STORE_NONE: /* nothing ever came for it, or an erasing was cut off */
		return erase && r.until_s > 0 ? erase_known(admin, r.id)
					      : say_none(number);
	default:
		admin_complain("%s: %s", number, err.text);
		return EXIT_FAILED;
	}
	listing_number(l, r.id);
	listing_text(l, span_str(r.address));
	listing_time(l, r.until_s * 1000000);
	listing_bytes(l, bytes);
	listing_flag(l, erase);
	return erase ? erase_known(admin, r.id) : EXIT_DONE;
}

enum exit_status
removed_erase(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"number", "account", "removed",
					      "size",   "erased",  NULL};
	bool erase = admin_option(admin, "--yes") != NULL;
	enum exit_status status = EXIT_DONE;
	struct listing *l = listing_new(admin, columns);

	for (int i = 0; i < argc && status == EXIT_DONE; i++)
		status = erase_one(admin, argv[i], erase, l);
	listing_end(&l);
	if (status == EXIT_DONE && !erase) {
		admin_complain("nothing is erased yet, and what is erased is gone: add "
			       "--yes");
		return EXIT_USAGE;
	}
	return status;
}
