/* admin/export.c - postroad export: everything, or a domain, or an account */
#include "admin/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/mailbox.h"
#include "admin/owner.h"
#include "admin/progress.h"
#include "admin/stop.h"
#include "common/transfer/transfer.h"

struct exporting {
	struct admin *admin;
	const char *destination;
	const char *domain, *account; /* only that, or null */
	FILE *file;
	uint64_t objects[DIRECTORY_KINDS];
	struct exported {
		uint64_t id;
		char address[DIRECTORY_ADDRESS_MAX + 1];
	} * accounts;
	size_t n_accounts, accounts_size;
	struct transfer_exported mails;
	uint64_t failed; /* accounts whose mail was not written */
	struct progress *progress;
	const char *at; /* address that is worked on */
	struct err err;
	bool broken; /* err says why */
};

/* ---- the directory */

static void
keep_account(struct exporting *e, const struct directory_object *o)
{
	struct exported *a;

	if (e->n_accounts == e->accounts_size) {
		e->accounts_size = e->accounts_size ? e->accounts_size * 2 : 64;
		e->accounts =
		    memory_resize(e->accounts, e->accounts_size, sizeof(*e->accounts));
	}
	a = &e->accounts[e->n_accounts];
	a->id = o->values[FIELD_ACCOUNT_ID].number;
	if (span_copy(o->name, a->address, sizeof(a->address)))
		e->n_accounts++;
}

static void
take_object(void *context, const struct directory_object *o)
{
	struct exporting *e = context;
	struct buf line = buf_make(EXPORT_LINE_MAX);

	if (o->kind == DIRECTORY_ACCOUNT && e->account &&
	    !span_equal_nocase(o->name, span_str(e->account)))
		return;
	if (export_json_put(o, &line, &e->err) != 0) {
		e->broken = true;
	} else if (fwrite(line.at, 1, line.n, e->file) != line.n) {
		err_sys(&e->err, "%s", EXPORT_DIRECTORY);
		e->broken = true;
	}
	e->objects[o->kind]++;
	if (o->kind == DIRECTORY_ACCOUNT)
		keep_account(e, o);
	if (line.n > 0)
		explicit_bzero(line.at, line.n);
	buf_release(&line);
}

static enum exit_status
put_app_passwords(struct exporting *e)
{
	enum exit_status status = EXIT_DONE;

	for (size_t i = 0; i < e->n_accounts && status == EXIT_DONE; i++)
		status =
		    directory_list(e->admin, DIRECTORY_DUMP, DIRECTORY_APP_PASSWORD,
				   e->accounts[i].address, take_object, e);
	return status;
}

/* Of one account: its domain, itself and its app passwords. */
static enum exit_status
put_objects(struct exporting *e)
{
	static const enum directory_kind kinds[] = {DIRECTORY_DOMAIN, DIRECTORY_ACCOUNT,
						    DIRECTORY_GROUP, DIRECTORY_ALIAS,
						    DIRECTORY_LIST};
	const char *at = e->account ? strrchr(e->account, '@') : NULL;
	const char *in = at ? at + 1 : e->domain ? e->domain : "";
	enum exit_status status = EXIT_DONE;

	for (size_t i = 0; i < (e->account ? 2 : N_ELEMS(kinds)) && status == EXIT_DONE;
	     i++)
		status = directory_list(e->admin, DIRECTORY_DUMP, kinds[i], in,
					take_object, e);
	return status == EXIT_DONE ? put_app_passwords(e) : status;
}

static int
finish_file(struct exporting *e, const char *part, const char *whole)
{
	bool good = !e->broken && fflush(e->file) == 0 && fsync(fileno(e->file)) == 0;

	if (!good && !e->broken)
		err_sys(&e->err, "%s", part);
	if (fclose(e->file) != 0 && good) {
		err_sys(&e->err, "%s", part);
		good = false;
	}
	if (good && rename(part, whole) != 0) {
		err_sys(&e->err, "%s", whole);
		good = false;
	}
	return good ? 0 : -1;
}

/* The file appears whole, or an earlier one stays. */
static enum exit_status
put_directory(struct exporting *e)
{
	char part[EXPORT_PATH_MAX], whole[EXPORT_PATH_MAX];
	enum exit_status status;
	int fd;

	snprintf(part, sizeof(part), "%s/%s.part", e->destination, EXPORT_DIRECTORY);
	snprintf(whole, sizeof(whole), "%s/%s", e->destination, EXPORT_DIRECTORY);
	(void)unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	e->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!e->file) {
		admin_complain("%s: %s", part, strerror(errno));
		return EXIT_FAILED;
	}
	status = put_objects(e);
	if (finish_file(e, part, whole) != 0) {
		admin_complain("%s", e->err.text);
		return EXIT_FAILED;
	}
	if (status == EXIT_DONE && e->account && e->n_accounts == 0) {
		admin_complain("there is no account %s", e->account);
		status = EXIT_FAILED;
	}
	return status;
}

/* ---- mail */

static bool
on_step(void *context, const struct transfer_step *step)
{
	struct exporting *e = context;

	progress_at(e->progress, e->mails.messages + step->done, span_str(e->at));
	return !stop_wanted();
}

static void
on_note(void *context, const struct transfer_note *note)
{
	const struct exporting *e = context;

	admin_complain("%s: %.*s: %s%s%s", e->at, SPAN_ARG(note->mailbox), note->path,
		       note->path[0] ? ": " : "", note->text);
}

static void
add_counts(struct transfer_exported *sum, const struct transfer_exported *one)
{
	sum->mailboxes += one->mailboxes;
	sum->messages += one->messages;
	sum->written += one->written;
	sum->bytes += one->bytes;
	sum->failed += one->failed;
}

static int
make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_sys(err, "%s", path);
	return 0;
}

static void
put_mail(struct exporting *e, const struct exported *account)
{
	const struct transfer_export options = {.now_us = mailbox_now_us()};
	const struct transfer_callbacks calls = {on_step, on_note, NULL, e};
	struct transfer_exported counts = {0};
	enum transfer_result result = TRANSFER_OK;
	char path[EXPORT_PATH_MAX];
	struct mailbox box;

	e->at = account->address;
	if (!export_mail_path(e->destination, span_str(account->address), path) ||
	    mailbox_open_id(e->admin, account->address, account->id, STORE_MUST_EXIST,
			    &box) != EXIT_DONE) {
		e->failed++;
		return;
	}
	owner_restore(); /* what is written is whose who asked */
	if (box.account)
		result = transfer_export(box.account, path, &options, &calls, &counts,
					 &e->err);
	mailbox_close(&box);
	add_counts(&e->mails, &counts);
	if (result == TRANSFER_FAULT) {
		admin_complain("%s: %s", account->address, e->err.text);
		e->failed++;
	}
}

static void
put_mails(struct exporting *e)
{
	stop_watch();
	e->progress = progress_new("exporting", "messages", 0);
	for (size_t i = 0; i < e->n_accounts && !stop_wanted(); i++)
		put_mail(e, &e->accounts[i]);
	progress_free(&e->progress);
}

/* ---- the command */

static void
tell(const struct exporting *e)
{
	static const char *const columns[] = {"what", "number", "written", "failed",
					      NULL};
	struct listing *l = listing_new(e->admin, columns);

	for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
		listing_text(l,
			     span_str(directory_kind_name((enum directory_kind)kind)));
		listing_number(l, e->objects[kind]);
		listing_number(l, e->objects[kind]);
		listing_number(l, 0);
	}
	listing_text(l, SPAN("mailbox"));
	listing_number(l, e->mails.mailboxes);
	listing_number(l, e->mails.mailboxes);
	listing_number(l, 0);
	listing_text(l, SPAN("message"));
	listing_number(l, e->mails.messages);
	listing_number(l, e->mails.written);
	listing_number(l, e->mails.failed);
	listing_end(&l);
}

static enum exit_status
run_export(struct admin *admin, int argc, char **argv)
{
	struct exporting e = {.admin = admin,
			      .destination = argv[0],
			      .domain = admin_option(admin, "--domain"),
			      .account = admin_option(admin, "--account")};
	char mail[EXPORT_PATH_MAX];
	enum exit_status status = EXIT_FAILED;

	(void)argc;
	if (e.domain && e.account) {
		admin_complain("--domain or --account, not both");
		return EXIT_USAGE;
	}
	snprintf(mail, sizeof(mail), "%s/mail", e.destination);
	if (!admin_settings(admin))
		return EXIT_FAILED;
	if (make_folder(e.destination, &e.err) != 0 || make_folder(mail, &e.err) != 0) {
		admin_complain("%s", e.err.text);
		return EXIT_FAILED;
	}
	directory_hold();
	status = put_directory(&e);
	directory_drop();
	if (status == EXIT_DONE) {
		put_mails(&e);
		tell(&e);
		status = stop_wanted()                        ? EXIT_LATER
			 : e.failed > 0 || e.mails.failed > 0 ? EXIT_FAILED
							      : EXIT_DONE;
	}
	if (stop_wanted())
		admin_complain("stopped; the same command goes on");
	free(e.accounts);
	return status;
}

const struct command commands_export[] = {
    {"export",					NULL, "DEST [--domain NAME | --account USER@DOMAIN]", 1, 1,
     "--domain= --account=", run_export, "the directory and all mail into a folder"},
    {0},
};
