/* the mail of the accounts that were taken, one after the other */
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>

#include "admin/directory.h"
#include "admin/import.h"
#include "admin/import_state.h"
#include "admin/mailbox.h"
#include "admin/owner.h"
#include "admin/progress.h"
#include "common/transfer/transfer.h"

#define PATH_BYTES_MAX 4096

static volatile sig_atomic_t stop_wanted;

static void
on_signal(int number)
{
	(void)number;
	stop_wanted = 1;
}

void
import_mail_watch(void)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
}

bool
import_mail_stopped(void)
{
	return stop_wanted;
}

/* ---- where it lies */

/* "maildir:/var/mail/%d/%n:LAYOUT=fs" is the path alone. */
static struct span
path_part(struct span text)
{
	static const char *const drivers[] = {"maildir:", "mbox:"};

	for (size_t i = 0; i < N_ELEMS(drivers); i++) {
		struct span driver = span_str(drivers[i]);

		if (span_starts_nocase(text, driver)) {
			text = span_after(text, driver.n);
			return span_first(text, span_find(text, ':'));
		}
	}
	return text;
}

/* What stands behind ":CONTROL=" there. */
static struct span
control_part(struct span text)
{
	const struct span mark = SPAN(":CONTROL=");

	if (!span_starts_nocase(text, SPAN("maildir:")))
		return SPAN("");
	while (text.n > 0 && !span_starts_nocase(text, mark))
		text = span_after(text, 1);
	text = span_after(text, mark.n);
	return span_first(text, span_find(text, ':'));
}

/* %u is the address, %n and %d its parts. */
static void
put_expanded(struct span text, struct span address, struct buf *out)
{
	size_t at = span_find_last(address, '@');

	for (size_t i = 0; i < text.n; i++) {
		char letter = i + 1 < text.n ? text.at[i + 1] : '\0';

		if (text.at[i] != '%' || !letter || !strchr("und%", letter)) {
			buf_put_char(out, text.at[i]);
			continue;
		}
		i++;
		if (letter == 'u')
			buf_put(out, address);
		else if (letter == 'n')
			buf_put(out, span_first(address, at));
		else if (letter == 'd')
			buf_put(out, span_after(address, at + 1));
		else
			buf_put_char(out, '%');
	}
}

/* What the system says lies below --mail, unless that says itself where each one's
 * does. Empty when nothing is known. */
static void
put_path(const struct import *im, const struct movein_object *account, struct buf *out)
{
	struct span own = path_part(account->mail), mail = span_str(im->mail);
	bool whole = im->mail_is_base || own.n == 0;

	if (span_find(mail, '%') < mail.n) {
		put_expanded(mail, account->name, out);
	} else if (own.n > 0) {
		while (!whole && own.n > 1 && own.at[0] == '/')
			own = span_after(own, 1);
		while (mail.n > 0 && mail.at[mail.n - 1] == '/')
			mail.n--;
		if (!whole) {
			buf_put(out, mail);
			buf_put_char(out, '/');
		}
		put_expanded(own, account->name, out);
	}
	buf_put_char(out, '\0');
}

/* Where Dovecot keeps its lists, if that is elsewhere; below --mail like the mail. */
static void
put_control(const struct import *im, const struct movein_object *account,
	    struct buf *out)
{
	struct span own = control_part(account->mail), mail = span_str(im->mail);

	if (own.n == 0 || im->mail_is_base || span_find(mail, '%') < mail.n)
		return;
	while (own.n > 1 && own.at[0] == '/')
		own = span_after(own, 1);
	buf_put(out, mail);
	buf_put_char(out, '/');
	put_expanded(own, account->name, out);
	buf_put_char(out, '\0');
}

int
import_path_source(struct import *im, const struct movein_object *account,
		   struct mail_source **out, struct err *err)
{
	struct buf path = buf_make(PATH_BYTES_MAX), control = buf_make(PATH_BYTES_MAX);
	struct mail_place place = {.format = MAIL_GUESS};
	struct stat info;
	int r = 0;

	put_path(im, account, &path);
	put_control(im, account, &control);
	if (path.full || control.full) {
		r = err_set(err, "too long a path");
	} else if (path.n > 1 && stat(path.at, &info) == 0) {
		place.path = path.at;
		place.control = control.n > 0 ? control.at : NULL;
		*out = mail_source_open_place(&place, err);
		r = *out != NULL;
		if (!*out)
			movein_note(&im->m, account->name, "%s: its mail stays there",
				    err->text);
	} else if (path.n > 1) {
		movein_note(&im->m, account->name, "%s is not there: no mail", path.at);
	}
	buf_release(&path);
	buf_release(&control);
	return r;
}

/* ---- taking it */

struct taking {
	struct import *im;
	struct import_state *state; /* the numbers of the accounts */
	const struct movein_object *account;
	struct progress *progress;
};

static bool
on_step(void *context, const struct transfer_step *step)
{
	struct taking *t = context;

	progress_at(t->progress, t->im->mails.messages + step->done, t->account->name);
	return !stop_wanted;
}

static void
on_note(void *context, const struct transfer_note *note)
{
	struct taking *t = context;

	movein_note(&t->im->m, t->account->name, "%.*s: %s%s%s",
		    SPAN_ARG(span_first(note->mailbox, 100)), note->path,
		    note->path[0] ? ": " : "", note->text);
}

static void
count(struct import_mails *sum, const struct transfer_counts *c)
{
	sum->accounts++;
	sum->mailboxes += c->mailboxes;
	sum->messages += c->messages;
	sum->imported += c->imported;
	sum->known += c->known;
	sum->changed += c->changed;
	sum->gone += c->gone;
	sum->kept += c->kept;
	sum->failed += c->failed;
	sum->verified += c->verified;
	sum->new_uids += c->new_uids;
	sum->bytes += c->bytes;
}

/* Its mailboxes; in a dry run none, since it is most often not there yet. 1, 0: it did
 * not come in, so its mail does not, -1. */
static int
open_account(struct taking *t, struct mailbox *box, struct err *err)
{
	struct directory_name name;
	struct directory_object there;

	if (t->im->dry_run)
		return 1;
	if (directory_name_parse(t->account->name, &name, err) != 0 ||
	    !import_state_find(t->state, DIRECTORY_ACCOUNT, directory_name_span(&name),
			       SPAN(""), &there))
		return 0;
	if (mailbox_open_id(t->im->admin, name.text,
			    there.values[FIELD_ACCOUNT_ID].number, STORE_MAY_CREATE,
			    box) != EXIT_DONE)
		return err_set(err, "its mailboxes cannot be opened");
	owner_read_all();
	return 1;
}

static int
take_source(struct taking *t, struct mail_source *source, struct err *err)
{
	const struct transfer_options options = {
	    .now_us = mailbox_now_us(),
	    .dry_run = t->im->dry_run,
	    .delete_gone = admin_option(t->im->admin, "--delete-gone") != NULL};
	const struct transfer_callbacks calls = {on_step, on_note, NULL, t};
	struct transfer_counts counts = {0};
	enum transfer_result result;
	struct mailbox box = {0};
	int r = open_account(t, &box, err);

	if (r <= 0)
		return r;
	result =
	    transfer_import_source(box.account, source, &options, &calls, &counts, err);
	if (!t->im->dry_run)
		mailbox_close(&box);
	count(&t->im->mails, &counts);
	return result == TRANSFER_FAULT ? -1 : 0;
}

static int
take_account(struct taking *t, struct err *err)
{
	struct mail_source *source = NULL;
	int r = t->im->from->mail(t->im, t->account, &source, err);

	if (r == 1)
		r = take_source(t, source, err);
	mail_source_free(&source);
	return r;
}

/* The numbers of the accounts, as they are now. */
static enum exit_status
read_numbers(struct taking *t)
{
	enum exit_status status = EXIT_DONE;
	char domain[DIRECTORY_DOMAIN_MAX + 1];
	struct err err;

	directory_hold();
	for (size_t i = 0; i < t->im->m.n && status == EXIT_DONE; i++) {
		const struct movein_object *o = t->im->m.objects[i];

		if (o->kind == MOVEIN_DOMAIN && !o->dropped && !t->im->dry_run &&
		    directory_domain_canonical(o->name, domain, &err) == 0)
			status =
			    import_state_read(t->state, t->im->admin, span_str(domain));
	}
	directory_drop();
	return status;
}

enum exit_status
import_mail(struct import *im)
{
	struct taking t = {.im = im, .state = import_state_new()};
	enum exit_status status = read_numbers(&t);
	struct err err;

	t.progress = progress_new("importing", "messages", 0);
	for (size_t i = 0; i < im->m.n && status == EXIT_DONE && !stop_wanted; i++) {
		t.account = im->m.objects[i];
		if (t.account->kind != MOVEIN_ACCOUNT || t.account->dropped ||
		    take_account(&t, &err) == 0)
			continue;
		/* One account's trouble is not the others'. */
		admin_complain("%.*s: %s", SPAN_ARG(t.account->name), err.text);
		im->mails.accounts_failed++;
	}
	progress_free(&t.progress);
	import_state_free(&t.state);
	return status;
}
