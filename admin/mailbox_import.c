/* admin/mailbox_import.c - postroad mailbox import
 *
 * Everything is read with root's rights and written as the owner of the mail. A signal
 * ends it between two messages; the same command then goes on.
 */
#include <inttypes.h>

#include "admin/listing.h"
#include "admin/mailbox.h"
#include "admin/owner.h"
#include "admin/progress.h"
#include "admin/stop.h"
#include "common/transfer/transfer.h"

#define NOTES_MAX 20 /* told one by one */

static const char *const columns[] = {"mailbox",     "messages", "imported", "known",
				      "changed",     "gone",     "kept",     "failed",
				      "size",        "uids",     "new_uids", "verified",
				      "uidvalidity", "digest",   NULL};

struct importing {
	struct progress *progress;
	struct listing *l;
	uint64_t notes;
};

static bool
show_step(void *context, const struct transfer_step *step)
{
	struct importing *importing = context;

	if (!importing->progress)
		importing->progress =
		    progress_new("importing", "messages", step->total);
	progress_at(importing->progress, step->done, step->mailbox);
	return !stop_wanted();
}

static void
show_note(void *context, const struct transfer_note *note)
{
	struct importing *importing = context;

	if (++importing->notes <= NOTES_MAX)
		admin_complain("%.*s: %s%s%s", SPAN_ARG(note->mailbox), note->path,
			       note->path[0] ? ": " : "", note->text);
}

static void
show_box(void *context, const struct transfer_box *box)
{
	struct importing *importing = context;
	struct listing *l = importing->l;
	char digest[2 * sizeof(box->digest) + 1];

	hex_put(box->digest, sizeof(box->digest), digest);
	listing_text(l, box->mailbox);
	listing_number(l, box->counts.messages);
	listing_number(l, box->counts.imported);
	listing_number(l, box->counts.known);
	listing_number(l, box->counts.changed);
	listing_number(l, box->counts.gone);
	listing_number(l, box->counts.kept);
	listing_number(l, box->counts.failed);
	listing_bytes(l, box->counts.bytes);
	listing_text(l, box->uids_kept ? SPAN("kept") : SPAN("new"));
	listing_number(l, box->counts.new_uids);
	listing_number(l, box->counts.verified);
	listing_number(l, box->uidvalidity);
	listing_text(l, span_first(span_str(digest), 16));
}

/* What became of what was there from an earlier run. */
static void
tell_level(const struct transfer_counts *c, const struct transfer_options *options)
{
	const char *of_flags = options->dry_run ? "to be changed as" : "changed as";

	if (c->changed > 0)
		fprintf(stderr,
			"%" PRIu64
			" have flags or keywords %s they were at the source\n",
			c->changed, of_flags);
	if (c->gone > 0)
		fprintf(stderr, "%" PRIu64 " are at the source no more: %s\n", c->gone,
			!options->delete_gone ? "left, --delete-gone deletes them here"
			: options->dry_run    ? "to be deleted"
					      : "deleted");
	if (c->kept > 0)
		fprintf(stderr,
			"%" PRIu64 " changed or went away at the source, and were "
			"changed or moved here as well: left as they are here\n",
			c->kept);
	if (c->moved > 0)
		fprintf(stderr,
			"%" PRIu64 " that arrived here among the UIDs of the source "
			"have new UIDs behind them\n",
			c->moved);
}

/* What to say below the table. */
static void
tell_sum(const struct importing *importing, const struct transfer_counts *c,
	 const struct transfer_options *options)
{
	if (importing->notes > NOTES_MAX)
		admin_complain("and %" PRIu64 " more", importing->notes - NOTES_MAX);
	fprintf(stderr,
		"%" PRIu64 " mailboxes, %" PRIu64 " messages: %" PRIu64 " %s, %" PRIu64
		" were there, %" PRIu64 " failed; %" PRIu64 " read back and equal\n",
		c->mailboxes, c->messages, c->imported,
		options->dry_run ? "to import" : "imported", c->known, c->failed,
		c->verified);
	tell_level(c, options);
	if (c->mended > 0)
		fprintf(stderr,
			"%" PRIu64 " had LF and CRLF as line ends: both are CRLF now\n",
			c->mended);
	if (c->new_uids > 0)
		fprintf(stderr,
			"%" PRIu64 " have new UIDs: clients fetch them once more\n",
			c->new_uids);
	if (c->keywords_lost > 0)
		fprintf(stderr, "%" PRIu64 " keywords did not fit: an account has %d\n",
			c->keywords_lost, STORE_KEYWORDS_MAX);
}

static enum exit_status
status_of(enum transfer_result result, const struct transfer_counts *counts,
	  const char *address, const struct err *err)
{
	switch (result) {
	case TRANSFER_OK:
		return counts->failed > 0 ? EXIT_FAILED : EXIT_DONE;
	case TRANSFER_STOPPED:
		admin_complain("%s: stopped; the same command goes on", address);
		return EXIT_LATER;
	case TRANSFER_NONE:
		admin_complain("%s", err->text);
		return EXIT_FAILED;
	case TRANSFER_FAULT:
		break;
	}
	admin_complain("%s: %s; what was imported is kept, and the same command goes "
		       "on",
		       address, err->text);
	return EXIT_FAILED;
}

static enum exit_status
run(struct admin *admin, char **argv, const struct transfer_options *options)
{
	struct importing importing = {0};
	const struct transfer_callbacks callbacks = {show_step, show_note, show_box,
						     &importing};
	struct transfer_counts counts;
	enum transfer_result result;
	struct mailbox box;
	struct err err = {0};
	enum exit_status status =
	    mailbox_open(admin, argv[0],
			 options->dry_run ? STORE_MUST_EXIST : STORE_MAY_CREATE, &box);

	if (status != EXIT_DONE)
		return status;
	owner_read_all();
	stop_watch();
	importing.l = listing_new(admin, columns);
	result =
	    transfer_import(box.account, argv[1], options, &callbacks, &counts, &err);
	progress_free(&importing.progress);
	if (counts.mailboxes > 0 || result == TRANSFER_OK)
		listing_end(&importing.l);
	else
		listing_free(&importing.l);
	if (result != TRANSFER_NONE)
		tell_sum(&importing, &counts, options);
	mailbox_close(&box);
	return status_of(result, &counts, argv[0], &err);
}

enum exit_status
mailbox_import(struct admin *admin, int argc, char **argv)
{
	const char *format = admin_option(admin, "--format");
	struct transfer_options options = {
	    .format = format ? mail_format_of(format) : MAIL_GUESS,
	    .into = span_str(admin_option(admin, "--into")),
	    .uidl_format = admin_option(admin, "--uidl"),
	    .now_us = mailbox_now_us(),
	    .dry_run = admin_option(admin, "--dry-run") != NULL,
	    .delete_gone = admin_option(admin, "--delete-gone") != NULL,
	    .control = admin_option(admin, "--control"),
	};

	(void)argc;
	if (options.format == MAIL_FORMATS) {
		admin_complain("--format is maildir, mbox or eml");
		return EXIT_USAGE;
	}
	return run(admin, argv, &options);
}
