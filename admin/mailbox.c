/* admin/mailbox.c - postroad mailbox list, usage, verify, compact; the table
 * of all of `postroad mailbox`
 *
 * Works on the store itself, whether the server runs or not: the store's own lock
 * keeps one writer at a time.
 */
#include "admin/mailbox.h"

#include <inttypes.h>
#include <time.h>

#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/mailbox_restore.h"
#include "admin/owner.h"

int64_t
mailbox_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct found {
	uint64_t id, quota_bytes;
};

static void
take_found(void *context, const struct directory_object *row)
{
	struct found *found = context;

	found->id = row->values[FIELD_ACCOUNT_ID].number;
	found->quota_bytes = row->values[FIELD_ACCOUNT_QUOTA_BYTES].number;
}

void
mailbox_close(struct mailbox *box)
{
	store_account_close(&box->account);
	store_free(&box->store);
	owner_restore();
}

/* OK also for an account that has no mail yet; box->account is then null. */
static enum store_result
open_store(struct admin *admin, uint64_t id, enum store_open_mode mode,
	   struct mailbox *box, struct err *err)
{
	const struct store_settings settings = {.summarize = true};
	const char *folder = admin->settings.mail_directory;
	enum store_result result;

	if (owner_become(folder, err) != 0)
		return STORE_FAULT;
	box->store = store_new(folder, &settings, err);
	if (!box->store)
		return STORE_FAULT;
	result = store_account_open(box->store, id, mode, mailbox_now_us(),
				    &box->account, err);
	if (result == STORE_OK)
		result = store_view_refresh(box->account, err);
	return result == STORE_NONE ? STORE_OK : result;
}

enum exit_status
mailbox_open_id(struct admin *admin, const char *address, uint64_t id,
		enum store_open_mode mode, struct mailbox *box)
{
	struct err err;

	*box = (struct mailbox){0};
	if (open_store(admin, id, mode, box, &err) == STORE_OK)
		return EXIT_DONE;
	admin_complain("%s: %s", address, err.text);
	mailbox_close(box);
	return EXIT_FAILED;
}

/* The account's number comes from the directory, its mail from the store. */
enum exit_status
mailbox_open(struct admin *admin, const char *address, enum store_open_mode mode,
	     struct mailbox *box)
{
	const struct directory_request request = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = span_str(address)}
        };
	struct found found = {0};
	enum exit_status status = directory_ask(admin, &request, take_found, &found);

	*box = (struct mailbox){0};
	if (status == EXIT_DONE)
		status = mailbox_open_id(admin, address, found.id, mode, box);
	box->quota_bytes = found.quota_bytes;
	return status;
}

static enum exit_status
list_mailboxes(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {
	    "mailbox", "messages", "unseen", "size", "uidnext", "uidvalidity", NULL};
	struct store_mailbox mailbox = {0};
	struct listing *l;
	struct mailbox box;
	enum exit_status status = mailbox_open(admin, argv[0], STORE_MUST_EXIST, &box);

	(void)argc;
	if (status != EXIT_DONE)
		return status;
	l = listing_new(admin, columns);
	while (box.account && store_mailbox_next(box.account, mailbox.id, &mailbox)) {
		listing_text(l, mailbox.name);
		listing_number(l, mailbox.messages);
		listing_number(l, mailbox.unseen);
		listing_bytes(l, mailbox.bytes);
		listing_number(l, mailbox.uidnext);
		listing_number(l, mailbox.uidvalidity);
	}
	listing_end(&l);
	mailbox_close(&box);
	return EXIT_DONE;
}

static enum exit_status
show_usage(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"account", "messages", "size", "quota",
					      NULL};
	struct store_usage usage = {0};
	struct listing *l;
	struct mailbox box;
	enum exit_status status = mailbox_open(admin, argv[0], STORE_MUST_EXIST, &box);

	(void)argc;
	if (status != EXIT_DONE)
		return status;
	if (box.account)
		usage = store_usage(box.account);
	l = listing_new(admin, columns);
	listing_text(l, span_str(argv[0]));
	listing_number(l, usage.messages);
	listing_bytes(l, usage.bytes);
	listing_limit(l, box.quota_bytes);
	listing_end_single(&l);
	mailbox_close(&box);
	return EXIT_DONE;
}

struct compacting {
	const char *address;
	struct store_account *account;
};

struct verifying {
	struct listing *l;
	struct store_account *account;
};

static void
take_finding(void *context, const struct store_finding *finding)
{
	const struct verifying *verifying = context;
	struct store_mailbox mailbox = {.name = SPAN("")};

	if (finding->mailbox != 0 &&
	    !store_mailbox_get(verifying->account, finding->mailbox, &mailbox))
		mailbox.name = SPAN("(deleted mailbox)");
	listing_text(verifying->l, mailbox.name);
	listing_number(verifying->l, finding->uid);
	listing_text(verifying->l, span_str(finding->text));
}

static enum exit_status
verify_account(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"mailbox", "uid", "finding", NULL};
	struct verifying verifying;
	uint64_t findings = 0;
	struct mailbox box;
	struct err err;
	enum exit_status status = mailbox_open(admin, argv[0], STORE_MUST_EXIST, &box);

	(void)argc;
	if (status != EXIT_DONE)
		return status;
	verifying = (struct verifying){listing_new(admin, columns), box.account};
	if (box.account && store_verify(box.account, take_finding, &verifying,
					&findings, &err) != STORE_OK) {
		admin_complain("%s: %s", argv[0], err.text);
		status = EXIT_FAILED;
	}
	listing_end(&verifying.l);
	if (status == EXIT_DONE && !admin->json)
		printf("%s: %" PRIu64 " findings\n", argv[0], findings);
	mailbox_close(&box);
	return findings > 0 ? EXIT_FAILED : status;
}

/* Of a compaction; the messages are still there. */
static void
complain_of_finding(void *context, const struct store_finding *finding)
{
	const struct compacting *compacting = context;
	struct store_mailbox mailbox = {.name = SPAN("")};

	if (!store_mailbox_get(compacting->account, finding->mailbox, &mailbox))
		mailbox.name = SPAN("(deleted mailbox)");
	admin_complain("%s: %.*s, uid %" PRIu32 ", data.%" PRIu32 " at %" PRIu64 ": %s",
		       compacting->address, SPAN_ARG(mailbox.name), finding->uid,
		       finding->file, finding->offset, finding->text);
}

static enum exit_status
compact_account(struct admin *admin, int argc, char **argv)
{
	static const char *const columns[] = {"account", "before", "after", "dropped",
					      NULL};
	uint64_t keep_s = admin_option(admin, "--all") ? 0 : UINT64_MAX;
	struct store_compaction done = {0};
	struct compacting compacting;
	struct listing *l;
	struct mailbox box;
	struct err err;
	enum exit_status status = mailbox_open(admin, argv[0], STORE_MUST_EXIST, &box);

	(void)argc;
	if (status != EXIT_DONE)
		return status;
	if (keep_s == UINT64_MAX)
		keep_s = admin->settings.expunged_keep_days * 86400;
	compacting = (struct compacting){argv[0], box.account};
	if (box.account &&
	    store_compact(box.account, keep_s, mailbox_now_us(), complain_of_finding,
			  &compacting, &done, &err) != STORE_OK) {
		admin_complain("%s: %s", argv[0], err.text);
		mailbox_close(&box);
		return EXIT_FAILED;
	}
	l = listing_new(admin, columns);
	listing_text(l, span_str(argv[0]));
	listing_bytes(l, done.bytes_before);
	listing_bytes(l, done.bytes_after);
	listing_number(l, done.messages_dropped);
	listing_end_single(&l);
	mailbox_close(&box);
	return done.messages_left > 0 ? EXIT_FAILED : EXIT_DONE;
}

const struct command commands_mailbox[] = {
    {"mailbox",            "list", "USER@DOMAIN", 1, 1, NULL, list_mailboxes,
     "mailboxes of an account"},
    {"mailbox",       "usage", "USER@DOMAIN", 1, 1, NULL, show_usage, "how much it holds"},
    {"mailbox",		   "verify", "USER@DOMAIN", 1, 1, NULL, verify_account,
     "check every byte"},
    {"mailbox",      "compact", "USER@DOMAIN [--all]", 1, 1, "--all", compact_account,
     "give back the space of deleted mail; --all: even if just deleted"},
    {"mailbox",		    "restore",
     "USER@DOMAIN [MAILBOX] --at TIME [--into MAILBOX] [--dry-run]", 1, 2,
     "--at= --into= --dry-run", mailbox_restore,
     "what was there at that time, if its bytes still are"},
    {"mailbox",       "import",
     "USER@DOMAIN SOURCE [--format FORMAT] [--into MAILBOX] "
     "[--uidl FORMAT] [--control DIR] [--delete-gone] [--dry-run]", 2, 2, "--format= --into= --uidl= --control= --delete-gone --dry-run",
     mailbox_import, "bring in a Maildir, mbox or folders of .eml files"},
    {"mailbox",		   "export", "USER@DOMAIN DEST [--format FORMAT]", 2, 2,
     "--format=", mailbox_export, "write all of it as Maildir++, mbox or .eml files"},
    {"mailbox",		"removed list", "", 0, 0, NULL, removed_list,
     "mail that is still there of accounts that are not"},
    {"mailbox", "removed restore", "NUMBER USER@DOMAIN", 2, 2, NULL, removed_restore,
     "into another account"},
    {"mailbox",            "removed export", "NUMBER DEST [--format FORMAT]", 2, 2,
     "--format=", removed_export, "write it as `mailbox export` does"},
    {"mailbox",       "removed erase", "NUMBER ... [--yes]", 1, -1, "--yes", removed_erase,
     "give back its space, for good"},
    {0		  },
};
