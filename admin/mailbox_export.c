/* admin/mailbox_export.c - postroad mailbox export
 *
 * The account is opened as the owner of the mail; what is written to the destination
 * is written by who called, and belongs to the owner of that directory.
 */
#include <errno.h>
#include <inttypes.h>

#include "admin/listing.h"
#include "admin/mailbox.h"
#include "admin/owner.h"
#include "admin/progress.h"
#include "admin/stop.h"
#include "common/transfer/transfer.h"

static bool
show_step(void *context, const struct transfer_step *step)
{
	struct progress **progress = context;

	if (!*progress)
		*progress = progress_new("exporting", "messages", step->total);
	progress_at(*progress, step->done, step->mailbox);
	return !stop_wanted();
}

static void
show_note(void *context, const struct transfer_note *note)
{
	(void)context;
	admin_complain("%.*s: %s %s", SPAN_ARG(note->mailbox), note->path, note->text);
}

static void
show_counts(struct admin *admin, char **argv, const struct transfer_exported *counts)
{
	static const char *const columns[] = {
	    "account", "mailboxes", "messages", "written", "size", "failed", NULL};
	struct listing *l = listing_new(admin, columns);

	listing_text(l, span_str(argv[0]));
	listing_number(l, counts->mailboxes);
	listing_number(l, counts->messages);
	listing_number(l, counts->written);
	listing_bytes(l, counts->bytes);
	listing_number(l, counts->failed);
	listing_end_single(&l);
}

static enum exit_status
run(struct admin *admin, char **argv, struct mailbox *box,
    const struct transfer_export *options)
{
	struct progress *progress = NULL;
	const struct transfer_callbacks callbacks = {
	    .step = show_step, .note = show_note, .context = &progress};
	struct transfer_exported counts = {0};
	enum transfer_result result = TRANSFER_OK;
	struct err err = {0};

	stop_watch();
	owner_restore();
	if (box->account)
		result = transfer_export(box->account, argv[1], options, &callbacks,
					 &counts, &err);
	progress_free(&progress);
	if (result == TRANSFER_FAULT) {
		admin_complain("%s: %s; %s", argv[0], err.text,
			       err.code == ENOENT
				   ? "the folder that it is to stand in must be there"
				   : "the same command goes on");
		return EXIT_FAILED;
	}
	show_counts(admin, argv, &counts);
	if (result == TRANSFER_STOPPED) {
		admin_complain("%s: stopped; the same command goes on", argv[0]);
		return EXIT_LATER;
	}
	return counts.failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

enum exit_status
mailbox_export_opened(struct admin *admin, mailbox_opener *open, char **argv)
{
	const char *format = admin_option(admin, "--format");
	const struct transfer_export options = {
	    .format = format ? mail_format_of(format) : MAIL_MAILDIR,
	    .now_us = mailbox_now_us(),
	};
	struct mailbox box;
	enum exit_status status;

	if (options.format == MAIL_FORMATS) {
		admin_complain("--format is maildir, mbox or eml");
		return EXIT_USAGE;
	}
	status = open(admin, argv[0], STORE_MUST_EXIST, &box);
	if (status != EXIT_DONE)
		return status;
	status = run(admin, argv, &box, &options);
	mailbox_close(&box);
	return status;
}

enum exit_status
mailbox_export(struct admin *admin, int argc, char **argv)
{
	(void)argc;
	return mailbox_export_opened(admin, mailbox_open, argv);
}
