/* admin/mailbox_restore.c - postroad mailbox restore: what there was at a moment */
#include "admin/mailbox_restore.h"
#include "admin/backup.h"
#include "admin/directory.h"
#include "admin/listing.h"
#include "admin/owner.h"

#include <inttypes.h>

struct looking {
	struct admin *admin;
	struct store *store;
	struct store_account *account;
	struct store_past *past;
	struct listing *l;
	const char *mailbox, *into; /* or null */
	bool dry;
	int64_t now_us;
	uint64_t lost, boxes, rows;
};

static void
take_id(void *context, const struct directory_object *row)
{
	*(uint64_t *)context = row->values[FIELD_ACCOUNT_ID].number;
}

static int
open_past(struct looking *k, uint64_t id, int64_t at_us, struct err *err)
{
	const struct store_settings settings = {.summarize = true};
	const char *folder = k->admin->settings.mail_directory;
	enum store_result result;

	k->store = store_new(folder, &settings, err);
	if (!k->store)
		return -1;
	result = store_account_open(k->store, id, STORE_MUST_EXIST, k->now_us,
				    &k->account, err);
	if (result == STORE_NONE)
		return err_set(err, "the account has no mail yet");
	if (result == STORE_OK)
		result = store_past_open(k->account, at_us, k->now_us, &k->past, err);
	if (result == STORE_OK)
		result = store_view_refresh(k->account, err);
	return result == STORE_OK ? 0 : -1;
}

static void
close_past(struct looking *k)
{
	store_past_free(&k->past);
	store_account_close(&k->account);
	store_free(&k->store);
}

/* The mailbox of now that the messages go into; 0 on a fault. */
static uint32_t
target_find(const struct looking *k, const struct store_past_mailbox *box,
	    struct err *err)
{
	struct buf name = buf_make(2 * STORE_MAILBOX_NAME_MAX);
	enum store_result result = STORE_OK;
	uint32_t id;

	if (!k->into && !box->deleted)
		return box->id;
	if (k->into && k->mailbox)
		buf_put_str(&name, k->into);
	else if (k->into)
		buf_putf(&name, "%s/%.*s", k->into, SPAN_ARG(box->name));
	else if (box->name.n > 0)
		buf_put(&name, box->name);
	else
		buf_putf(&name, "Restored/%" PRIu32, box->id);
	id = store_mailbox_find(k->account, buf_span(&name));
	if (id == 0)
		result = store_mailbox_create(k->account, buf_span(&name),
					      STORE_USE_NONE, k->now_us, &id, err);
	if (result == STORE_LIMIT)
		err_set(err, "a mailbox cannot be called '%.*s'",
			SPAN_ARG(span_first(buf_span(&name), 120)));
	buf_release(&name);
	return result == STORE_OK ? id : 0;
}

static int
box_restore(struct looking *k, const struct store_past_mailbox *box,
	    struct store_past_done *done, struct err *err)
{
	uint32_t to = target_find(k, box, err);
	/* Into its own place comes what is missing; elsewhere, all of it. */
	bool all = k->into != NULL;

	if (to == 0)
		return -1;
	switch (store_past_restore(k->account, k->past, box->id, to, all, k->now_us,
				   done, err)) {
	case STORE_OK:
		return 0;
	case STORE_LIMIT:
		return err_set(err, "the mailbox takes no more messages");
	case STORE_NONE:
		return err_set(err, "the mailbox has just been deleted");
	default:
		return -1;
	}
}

static int
box_take(struct looking *k, const struct store_past_mailbox *box, struct err *err)
{
	struct store_past_done done = {.messages =
					   k->into ? box->messages : box->missing};

	if (!k->mailbox && done.messages == 0 && box->lost == 0)
		return 0;
	if (!k->dry && done.messages > 0 && box_restore(k, box, &done, err) < 0)
		return -1;
	k->lost += box->lost;
	k->rows++;
	listing_text(k->l, box->name.n > 0 ? box->name : SPAN("(name not known)"));
	listing_flag(k->l, !box->deleted);
	listing_number(k->l, box->messages);
	listing_number(k->l, done.messages);
	listing_number(k->l, done.damaged);
	listing_number(k->l, box->lost);
	return 0;
}

/* INBOX in any case. */
static bool
is_wanted(const struct looking *k, const struct store_past_mailbox *box)
{
	if (!k->mailbox)
		return true;
	return span_equal(box->name, span_str(k->mailbox)) ||
	       (box->id == STORE_INBOX &&
		span_equal_nocase(span_str(k->mailbox), SPAN("INBOX")));
}

static int
boxes_take(struct looking *k, struct err *err)
{
	struct store_past_mailbox box = {0};
	int result = 0;

	while (result == 0 && store_past_mailbox_next(k->past, box.id, &box))
		if (is_wanted(k, &box)) {
			k->boxes++;
			result = box_take(k, &box, err);
		}
	if (result == 0 && k->boxes == 0)
		return err_set(err, "there was no mailbox '%s' at that time",
			       k->mailbox ? k->mailbox : "");
	if (result == 0 && !k->dry &&
	    store_sync(k->account, k->now_us, err) != STORE_OK)
		return -1;
	return result;
}

/* What an operator must know of it. */
static void
tell(const struct looking *k, int64_t at_us)
{
	int64_t compacted_us = store_past_compacted_us(k->past);
	char text[BACKUP_WHEN_TEXT];

	backup_when_put(compacted_us, text);
	if (compacted_us > at_us)
		admin_complain("compacted at %s: flags and names are as they were "
			       "then, those before are not known",
			       text);
	if (k->lost > 0)
		admin_complain("up to %" PRIu64 " messages more may have been there "
			       "and were deleted too long ago (expunged_keep_days): "
			       "only a backup can have them",
			       k->lost);
}

static enum exit_status
run(struct looking *k, const char *address, int64_t at_us)
{
	static const char *const columns[] = {
	    "mailbox", "exists",       "messages", "brought_back",
	    "damaged", "lost_at_most", NULL};
	const struct directory_request request = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = span_str(address)}
        };
	uint64_t id = 0;
	enum exit_status status = directory_ask(k->admin, &request, take_id, &id);
	struct err err;
	int result = -1;

	if (status != EXIT_DONE)
		return status;
	k->l = listing_new(k->admin, columns);
	if (owner_become(k->admin->settings.mail_directory, &err) == 0 &&
	    open_past(k, id, at_us, &err) == 0)
		result = boxes_take(k, &err);
	if (result == 0) {
		listing_end(&k->l);
		if (k->rows == 0 && !k->admin->json)
			puts("nothing that was there then is missing");
		tell(k, at_us);
	} else {
		listing_free(&k->l);
		admin_complain("%s: %s", address, err.text);
	}
	close_past(k);
	owner_restore();
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status
mailbox_restore(struct admin *admin, int argc, char **argv)
{
	struct looking k = {.admin = admin,
			    .mailbox = argc > 1 ? argv[1] : NULL,
			    .into = admin_option(admin, "--into"),
			    .dry = admin_option(admin, "--dry-run") != NULL,
			    .now_us = backup_now_us()};
	const char *at = admin_option(admin, "--at");
	int64_t at_us;

	if (!at || !backup_when_parse(span_str(at), k.now_us, &at_us)) {
		admin_complain("--at takes a time such as 2026-11-22T12:00:00Z or "
			       "'2h ago'");
		return EXIT_USAGE;
	}
	if (at_us > k.now_us) {
		admin_complain("%s is still to come", at);
		return EXIT_USAGE;
	}
	return run(&k, argv[0], at_us);
}
