/* admin/restore.c - postroad restore: everything, one account, or one mailbox */
#include "admin/restore.h"
#include "admin/control.h"
#include "admin/listing.h"
#include "admin/owner.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABOVE "Restored"

static void
show(const struct restoring *r)
{
	static const char *const columns[] = {"generation", "accounts", "messages",
					      "size",       "damaged",  NULL};
	struct listing *l = listing_new(r->admin, columns);

	listing_number(l, r->generation);
	listing_number(l, r->n.accounts);
	listing_number(l, r->n.messages);
	listing_bytes(l, r->n.bytes);
	listing_number(l, r->n.damaged);
	listing_end_single(&l);
}

static int
store_begin(struct restoring *r, struct err *err)
{
	const struct store_settings settings = {.summarize = true};

	r->store = store_new(r->admin->settings.mail_directory, &settings, err);
	return r->store ? 0 : -1;
}

/* --- everything ----------------------------------------------------------- */

static bool
folder_has_numbers(const char *base, const char *below)
{
	char path[BACKUP_PATH_MAX];
	struct dirent *entry;
	uint64_t number;
	bool has = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", base, below);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		has = has || number_parse(span_str(entry->d_name), UINT64_MAX, &number);
	if (dir)
		closedir(dir);
	return has;
}

/* An installation that is in use is not overwritten. */
static int
check_empty(struct restoring *r, struct err *err)
{
	const struct settings *s = &r->admin->settings;
	struct ipc_client *master = control_connect(r->admin, "master", err);
	uint64_t *ids = NULL;
	size_t n = 0;
	int empty;

	if (master) {
		ipc_client_free(&master);
		return err_set(err, "postroad runs: stop it, or restore single "
				    "accounts with --account");
	}
	if (store_accounts(r->store, &ids, &n, err) < 0)
		return -1;
	free(ids);
	empty = restore_directory_empty(r, err);
	if (empty < 0)
		return -1;
	if (n > 0 || !empty)
		return err_set(
		    err,
		    "%s is not empty: everything is restored into an empty "
		    "installation only; --account brings single accounts back",
		    n > 0 ? s->mail_directory : s->directory_directory);
	return 0;
}

static int
everything(struct restoring *r, struct err *err)
{
	const struct settings *s = &r->admin->settings;
	bool queue = !admin_option(r->admin, "--no-queue");

	if (restore_folders(r, err) < 0 || store_begin(r, err) < 0 ||
	    check_empty(r, err) < 0)
		return -1;
	if (queue && (folder_has_numbers(s->spool_directory, "seg") ||
		      folder_has_numbers(s->spool_directory, "state")))
		return err_set(err,
			       "the queue in %s is not empty: --no-queue leaves "
			       "that of the backup out",
			       s->spool_directory);
	if (restore_mail(r, err) < 0 || restore_keys(r, err) < 0 ||
	    restore_directory(r, err) < 0 || (queue && restore_queue(r, err) < 0) ||
	    store_sync_disk(r->store, err) < 0)
		return -1;
	sync();
	if (queue)
		fputs("postroad: mail that was queued when the backup was made is "
		      "queued again: what was sent since is sent a second time "
		      "(`postroad queue list` shows it before, --no-queue leaves it "
		      "out)\n",
		      stderr);
	return 0;
}

/* --- one account ---------------------------------------------------------- */

int
restore_all_close(struct admin *admin, uint64_t id, struct err *err)
{
	struct ipc_message m = {.number = IPC_NUMBER_account_replaced};
	struct ipc_client *authd = control_connect(admin, "authd", err);
	int result;

	if (!authd)
		return control_is_down(err) ? 0 : -1;
	m.account_replaced.account = id;
	result = ipc_client_send(authd, &m, err);
	if (result == 0)
		result = ipc_client_receive(authd, CONTROL_TIMEOUT_MS, &m, err);
	ipc_client_free(&authd);
	return result;
}

/* The account that is now, open and looked at. */
static int
now_open(struct restoring *r, uint64_t id, struct store_account **out, struct err *err)
{
	enum store_result result = store_account_open(r->store, id, STORE_MAY_CREATE,
						      backup_now_us(), out, err);

	if (result == STORE_OK)
		result = store_view_refresh(*out, err);
	if (result == STORE_OK)
		return 0;
	store_account_close(out);
	return -1;
}

static bool
has_no_messages(const struct store_account *account)
{
	return store_usage(account).messages == 0;
}

static int
bring(struct restoring *r, struct staged *staged, struct store_account *now,
      struct err *err)
{
	const char *mailbox = admin_option(r->admin, "--mailbox");
	const char *into = admin_option(r->admin, "--into");
	const struct merge merge = {
	    .from = staged->account,
	    .to = now,
	    .mailbox = mailbox,
	    .above = into && !mailbox ? into : ABOVE,
	    .into = mailbox ? into : NULL,
	};
	bool replace = admin_option(r->admin, "--replace") != NULL;

	if (replace || (!mailbox && !into && has_no_messages(now))) {
		r->n.messages = store_usage(staged->account).messages;
		r->replaced = true;
		return store_replace(now, staged->account, backup_now_us(), err) ==
			       STORE_OK
			   ? 0
			   : -1;
	}
	return restore_merge(r, &merge, err);
}

/* An account that had no mail then comes back by its row in the directory alone. */
static int
no_mail(struct restoring *r, struct err *err)
{
	if (admin_option(r->admin, "--mailbox") || admin_option(r->admin, "--replace"))
		return err_set(err,
			       "generation %" PRIu64 " has no mail of that account",
			       r->generation);
	r->n.accounts = 1;
	return 0;
}

static int
one_account(struct restoring *r, const char *address, struct err *err)
{
	struct store_account *now = NULL;
	struct staged staged;
	uint64_t then_id, now_id;
	int found = restore_account_id(r, address, &then_id, err), result = -1;

	if (found == 0)
		return err_set(err, "generation %" PRIu64 " has no account %s",
			       r->generation, address);
	if (found < 0 || store_begin(r, err) < 0 ||
	    restore_account_now(r, address, &now_id, err) < 0)
		return -1;
	found = staged_open(&staged, r, then_id, err);
	if (found <= 0)
		return found < 0 ? -1 : no_mail(r, err);
	if (admin_option(r->admin, "--replace") &&
	    restore_all_close(r->admin, now_id, err) < 0) {
		staged_close(&staged);
		return -1;
	}
	if (owner_become(r->admin->settings.mail_directory, err) == 0 &&
	    now_open(r, now_id, &now, err) == 0)
		result = bring(r, &staged, now, err);
	store_account_close(&now);
	staged_close(&staged);
	owner_restore();
	/* Who came in the meantime has seen what is no more. */
	if (result == 0 && r->replaced)
		result = restore_all_close(r->admin, now_id, err);
	r->n.accounts = result == 0;
	return result;
}

/* --- the command ---------------------------------------------------------- */

static int
run(struct restoring *r, const char *address, struct err *err)
{
	bool fresh = access(r->admin->config, F_OK) != 0;

	/* On a new machine the settings come from the backup, too. */
	if (!address && fresh && restore_settings(r, err) < 0)
		return -1;
	if (!address && !fresh)
		admin_complain("%s is there and stays as it is; the settings and TLS "
			       "files of then are in %s/generations/%" PRIu64 "/files",
			       r->admin->config, r->backup->path, r->generation);
	if (!admin_settings(r->admin))
		return err_set(err, "the settings cannot be used");
	if (address)
		return one_account(r, address, err);
	return everything(r, err);
}

static enum exit_status
restore(struct admin *admin, int argc, char **argv)
{
	const char *address = admin_option(admin, "--account");
	const char *mailbox = admin_option(admin, "--mailbox");
	bool replace = admin_option(admin, "--replace") != NULL;
	bool into = admin_option(admin, "--into") != NULL;
	struct restoring r = {.admin = admin};
	struct backup b;
	struct err err;
	int result = -1;

	(void)argc;
	if (!address && (mailbox || replace || into)) {
		admin_complain("--mailbox, --into and --replace need --account");
		return EXIT_USAGE;
	}
	if (replace && (mailbox || into)) {
		admin_complain("--replace is for all of an account: it goes with "
			       "neither --mailbox nor --into");
		return EXIT_USAGE;
	}
	umask(022); /* who runs this may have one that keeps the programs out */
	if (backup_open(&b, argv[0], false, &err) == 0) {
		r.backup = &b;
		r.generation = backup_choose(&b, admin_option(admin, "--generation"));
		if (r.generation == 0) {
			backup_close(&b);
			return EXIT_FAILED;
		}
		result = run(&r, address, &err);
	}
	store_free(&r.store);
	backup_close(&b);
	if (result < 0)
		admin_complain("%s", err.text);
	else
		show(&r);
	return result < 0 || r.n.damaged > 0 ? EXIT_FAILED : EXIT_DONE;
}

const struct command commands_restore[] = {
    {"restore",		   NULL,
     "DIR [--generation N] [--account USER@DOMAIN [--mailbox NAME] [--into NAME] "
     "[--replace]] [--no-queue]", 1, 1, "--generation= --account= --mailbox= --into= --replace --no-queue", restore,
     "everything from a backup, or one account, or one mailbox"},
    {0},
};
