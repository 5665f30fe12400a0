/* admin/import.c - postroad import: accounts, and their mail, from elsewhere */
#include "admin/import.h"

#include <inttypes.h>

#include "admin/directory.h"
#include "admin/import_adopt.h"
#include "admin/import_hmail.h"
#include "admin/import_own.h"
#include "admin/listing.h"

/* ---- which */

bool
import_domain_wanted(const struct admin *admin, struct span domain)
{
	bool any = false;

	for (size_t i = 0; i < admin->n_options; i++) {
		if (strcmp(admin->options[i].name, "--domain") != 0)
			continue;
		any = true;
		if (span_equal_nocase(domain, span_str(admin->options[i].value)))
			return true;
	}
	return !any;
}

/* Names without a domain belong to the one that --domain names. */
static struct span
preset_domain(const struct admin *admin)
{
	struct span domain = SPAN("");
	size_t n = 0;

	for (size_t i = 0; i < admin->n_options; i++) {
		if (strcmp(admin->options[i].name, "--domain") == 0) {
			domain = span_str(admin->options[i].value);
			n++;
		}
	}
	return n == 1 ? domain : SPAN("");
}

static void
drop_others(struct import *im)
{
	for (size_t i = 0; i < im->m.n; i++) {
		struct movein_object *o = im->m.objects[i];
		struct span domain =
		    o->kind == MOVEIN_DOMAIN
			? o->name
			: span_after(o->name, span_find_last(o->name, '@') + 1);

		if (!import_domain_wanted(im->admin, domain))
			o->dropped = true;
	}
}

/* ---- what is told */

static void
tell_notes(const struct import *im)
{
	for (size_t i = 0; i < im->m.n_notes; i++)
		admin_complain("%.*s: %.*s", SPAN_ARG(im->m.notes[i].name),
			       SPAN_ARG(im->m.notes[i].text));
}

static void
put_row(struct listing *l, const char *what, uint64_t found, uint64_t made,
	uint64_t equal, uint64_t completed, uint64_t different, uint64_t failed)
{
	listing_text(l, span_str(what));
	listing_number(l, found);
	listing_number(l, made);
	listing_number(l, equal);
	listing_number(l, completed);
	listing_number(l, different);
	listing_number(l, failed);
}

static void
tell_counts(const struct import *im, const struct import_counts *c)
{
	static const char *const columns[] = {
	    "what", "found", "new", "equal", "completed", "different", "failed", NULL};
	struct listing *l = listing_new(im->admin, columns);

	for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
		const uint64_t *n = c->outcomes[kind];

		put_row(l, directory_kind_name((enum directory_kind)kind),
			c->found[kind], n[IMPORT_NEW], n[IMPORT_EQUAL],
			n[IMPORT_COMPLETED], n[IMPORT_DIFFERENT], n[IMPORT_REFUSED]);
	}
	put_row(l, "message", im->mails.messages, im->mails.imported, im->mails.known,
		0, 0, im->mails.failed);
	listing_end(&l);
	if (c->without_password > 0)
		fprintf(stderr, "%" PRIu64 " accounts have no password\n",
			c->without_password);
	if (im->bad > 0)
		fprintf(stderr, "%zu rows made no sense and were left out\n", im->bad);
	if (im->mails.accounts > 0)
		fprintf(stderr,
			"mail of %" PRIu64 " accounts, %" PRIu64 " mailboxes; %" PRIu64
			" messages read back and equal, %" PRIu64
			" with new UIDs; at the source %" PRIu64
			" changed flags, %" PRIu64 " are gone, %" PRIu64
			" changed or went away there and were changed here: left\n",
			im->mails.accounts, im->mails.mailboxes, im->mails.verified,
			im->mails.new_uids, im->mails.changed, im->mails.gone,
			im->mails.kept);
	if (im->dry_run)
		fputs("nothing was changed\n", stderr);
}

static bool
all_well(const struct import *im, const struct import_counts *c)
{
	uint64_t refused = 0;

	for (int kind = 0; kind < DIRECTORY_KINDS; kind++)
		refused += c->outcomes[kind][IMPORT_REFUSED] +
			   c->outcomes[kind][IMPORT_DIFFERENT];
	return refused == 0 && im->mails.failed == 0 &&
	       im->mails.accounts_failed == 0 && im->bad == 0;
}

/* ---- the command */

static enum exit_status
take_list(struct import *im, struct import_state *state, struct import_counts *counts)
{
	struct err err;

	if (im->from->read(im, &err) != 0) {
		admin_complain("%s", err.text);
		return EXIT_FAILED;
	}
	movein_settle(&im->m);
	drop_others(im);
	if (im->m.full) {
		admin_complain("%s: more than fits into memory", im->source);
		return EXIT_FAILED;
	}
	return import_adopt(im, state, counts);
}

static enum exit_status
take_everything(struct import *im)
{
	struct import_counts counts = {0};
	struct import_state *state = import_state_new();
	enum exit_status status;

	import_mail_watch();
	directory_hold();
	status = im->from->read ? take_list(im, state, &counts)
				: import_own(im, state, &counts);
	directory_drop();
	import_state_free(&state);
	if (status == EXIT_DONE && (im->mail || !im->from->read)) {
		im->hmail = import_hmail_new();
		status = import_mail(im);
		import_hmail_free(&im->hmail);
	}
	tell_notes(im);
	if (status == EXIT_DONE) {
		tell_counts(im, &counts);
		status = all_well(im, &counts) ? EXIT_DONE : EXIT_FAILED;
	}
	if (import_mail_stopped()) {
		admin_complain("stopped; the same command goes on");
		status = EXIT_LATER;
	}
	return status;
}

static enum exit_status
run_import(struct admin *admin, int argc, char **argv)
{
	struct import im = {.admin = admin,
			    .from = import_from_find(argv[0]),
			    .source = argv[1],
			    .mail = admin_option(admin, "--mail"),
			    .dry_run = admin_option(admin, "--dry-run") != NULL};
	enum exit_status status;

	(void)argc;
	if (!im.from) {
		struct buf names = buf_make(400);

		import_from_names(&names);
		admin_complain("FROM is one of %.*s", SPAN_ARG(buf_span(&names)));
		buf_release(&names);
		return EXIT_USAGE;
	}
	if (!admin_settings(admin))
		return EXIT_FAILED;
	movein_init(&im.m, MOVEIN_BYTES_MAX);
	im.m.domain = preset_domain(admin);
	status = take_everything(&im);
	import_tables_free(&im.tables);
	movein_release(&im.m);
	return status;
}

const struct command commands_import[] = {
    {"import",								  NULL,
     "FROM SOURCE [--mail DIR] [--domain NAME]... [--delete-gone] [--dry-run]", 2, 2,
     "--mail= --domain= --delete-gone --dry-run", run_import,
     "accounts, and with --mail their mail, from another system"},
    {0},
};
