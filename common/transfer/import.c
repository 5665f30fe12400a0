#include "common/transfer/import_internal.h"

void
import_note(struct import *im, struct span mailbox, const char *path, const char *text)
{
	const struct transfer_note note = {mailbox, path, text};

	if (im->calls->note)
		im->calls->note(im->calls->context, &note);
}

int
import_sync(struct import *im)
{
	im->unsynced = im->unsynced_bytes = 0;
	return store_sync(im->account, im->options->now_us, im->err) == STORE_OK ? 0
										 : -1;
}

/* What the account has. */
static int
known_find(struct import *im)
{
	struct store_mailbox m = {0};
	const struct store_record *r;

	if (store_view_refresh(im->account, im->err) != STORE_OK)
		return -1;
	while (store_mailbox_next(im->account, m.id, &m))
		for (r = store_first(im->account, m.id); r;
		     r = store_next(im->account, r)) {
			guids_have(&im->known, r->guid, m.id)->uid = r->uid;
			guids_add(&im->known, r->guid, 0);
		}
	return level_begin(im);
}

/* How much there is to do, if somebody wants to know. */
static int
total_find(struct import *im)
{
	for (size_t i = 0; i < mail_source_boxes(im->source) && im->calls->step; i++) {
		if (mail_source_load(im->source, i, im->err) < 0)
			return -1;
		im->total += mail_source_box(im->source, i)->n;
		mail_source_unload(im->source, i);
	}
	return 0;
}

static int
boxes_run(struct import *im)
{
	int result = 0;

	for (size_t i = 0;
	     i < mail_source_boxes(im->source) && result == 0 && !im->stopped; i++) {
		const struct mail_box *from = mail_source_box(im->source, i);

		result = mail_source_load(im->source, i, im->err);
		if (result == 0)
			result = im->options->dry_run ? import_box_dry(im, from)
						      : import_box(im, from);
		mail_source_unload(im->source, i);
	}
	return result;
}

/* Names that are subscribed there and have no mailbox. */
static int
names_subscribe(struct import *im)
{
	enum store_result result = STORE_OK;
	struct span name;

	for (size_t i = 0;
	     mail_source_subscribed(im->source, i, &name) && im->options->into.n == 0 &&
	     (result == STORE_OK || result == STORE_LIMIT);
	     i++)
		result = store_subscribe(im->account, name, true, im->options->now_us,
					 im->err);
	return result == STORE_OK || result == STORE_LIMIT ? 0 : -1;
}

static int
import_run(struct import *im)
{
	/* What was moved a moment ago is listed only when it is durable. */
	if (!im->options->dry_run && import_sync(im) < 0)
		return -1;
	if (im->account && known_find(im) < 0)
		return -1;
	if (total_find(im) < 0)
		return -1;
	if (!im->options->dry_run &&
	    store_import_begin(im->account, im->options->now_us, im->err) != STORE_OK)
		return -1;
	if (boxes_run(im) < 0)
		return -1;
	if (im->account && !im->stopped && level_gone_boxes(im) < 0)
		return -1;
	if (im->options->dry_run)
		return 0;
	if (im->stopped)
		return import_sync(im) < 0 ? -1 : level_end(im);
	if (names_subscribe(im) < 0 || import_sync(im) < 0 || level_end(im) < 0)
		return -1;
	return store_view_refresh(im->account, im->err) == STORE_OK &&
		       store_view_save(im->account, im->err) == STORE_OK
		   ? 0
		   : -1;
}

enum transfer_result
transfer_import_source(struct store_account *account, struct mail_source *source,
		       const struct transfer_options *options,
		       const struct transfer_callbacks *callbacks,
		       struct transfer_counts *counts, struct err *err)
{
	static const struct transfer_callbacks none;
	struct import im = {
	    .account = account,
	    .source = source,
	    .options = options,
	    .calls = callbacks ? callbacks : &none,
	    .counts = counts,
	    .err = err,
	};
	int result;

	*counts = (struct transfer_counts){0};
	result = import_run(&im);
	guids_release(&im.known);
	guids_release(&im.visited);
	past_release(&im.past);
	if (result < 0)
		return TRANSFER_FAULT;
	return im.stopped ? TRANSFER_STOPPED : TRANSFER_OK;
}

enum transfer_result
transfer_import(struct store_account *account, const char *path,
		const struct transfer_options *options,
		const struct transfer_callbacks *callbacks,
		struct transfer_counts *counts, struct err *err)
{
	const struct mail_place place = {
	    .path = path, .format = options->format, .control = options->control};
	struct mail_source *source = mail_source_open_place(&place, err);
	enum transfer_result result;

	*counts = (struct transfer_counts){0};
	if (!source)
		return TRANSFER_NONE;
	result =
	    transfer_import_source(account, source, options, callbacks, counts, err);
	mail_source_free(&source);
	return result;
}
