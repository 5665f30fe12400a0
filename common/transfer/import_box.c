/* one mailbox of the source into the account */
#include "common/transfer/import_internal.h"

/* --- its name and numbers ------------------------------------------------- */

static bool
is_inbox(struct span name)
{
	return span_equal_nocase(name, SPAN("INBOX"));
}

/* Below the mailbox that everything goes to. */
static void
name_put(const struct import *im, struct span name, struct buf *out)
{
	struct span into = im->options->into;

	buf_put(out, into);
	if (into.n > 0 && is_inbox(name))
		return;
	if (into.n > 0)
		buf_put_char(out, '/');
	buf_put(out, name);
}

static bool
source_has(const struct import *im, struct span name)
{
	for (size_t i = 0; i < mail_source_boxes(im->source); i++)
		if (span_equal_nocase(mail_source_box(im->source, i)->name, name))
			return true;
	return false;
}

/* Has nobody ever put anything there? */
static bool
pristine(const struct store_mailbox *m)
{
	return m->uidnext == 1 && m->messages == 0 && m->id != STORE_INBOX;
}

static bool
has_below(const struct store_account *a, const struct store_mailbox *m)
{
	struct store_mailbox other = {0};

	while (store_mailbox_next(a, other.id, &other))
		if (other.name.n > m->name.n && span_starts(other.name, m->name) &&
		    other.name.at[m->name.n] == '/')
			return true;
	return false;
}

/* The special use of a mailbox by its name, if nobody else has it. A mailbox that every
 * new account has, that nobody used and the source does not know, makes room: where
 * there is "Spam", an empty "Junk" would only mislead. OK, BUSY, FAULT. */
static enum store_result
use_find(struct import *im, struct span name, struct span to,
	 enum store_special_use *out)
{
	enum store_special_use use = (enum store_special_use)mail_use_of(name);
	struct store_mailbox m = {0};

	*out = STORE_USE_NONE;
	if (use == STORE_USE_NONE || im->options->into.n > 0)
		return STORE_OK;
	while (store_mailbox_next(im->account, m.id, &m)) {
		if (m.special_use != use)
			continue;
		if (span_equal_nocase(m.name, to) || !pristine(&m) ||
		    source_has(im, m.name) || has_below(im->account, &m))
			return STORE_OK;
		*out = use;
		return store_mailbox_delete(im->account, m.id, im->options->now_us,
					    im->err);
	}
	*out = use;
	return STORE_OK;
}

/* May its messages keep their UIDs? */
static bool
keeps_uids(const struct mail_box *from, const struct store_mailbox *to)
{
	if (from->uidvalidity == 0 || from->uidvalidity > STORE_UIDVALIDITY_MAX)
		return false;
	if (to->uidvalidity == from->uidvalidity || to->uidnext <= 1)
		return true;
	return to->messages <= from->n / 2;
}

/* OK, LIMIT, BUSY, FAULT. */
static enum store_result
box_have(struct import_box *box)
{
	struct import *im = box->im;
	struct store_mailbox there = {0};
	struct store_import_mailbox want = {.name = box->name,
					    .subscribe = box->from->subscribed};
	enum store_result result = use_find(im, box->from->name, box->name, &want.use);
	bool made;

	if (result != STORE_OK && result != STORE_NONE)
		return result;
	box->id = store_mailbox_find(im->account, box->name);
	if (box->id != 0 && !store_mailbox_get(im->account, box->id, &there))
		return STORE_NONE;
	box->keep = keeps_uids(box->from, &there);
	want.uidvalidity = box->keep ? box->from->uidvalidity : 0;
	result = store_import_mailbox(im->account, &want, im->options->now_us, &box->id,
				      &made, im->err);
	if (result == STORE_LIMIT)
		err_set(im->err, "%.100s: no name of a mailbox, or there are too many",
			box->from->path);
	if (result != STORE_OK)
		return result;
	box->counts.mailboxes_made = made;
	if (store_mailbox_get(im->account, box->id, &there))
		box->next = there.uidnext;
	return STORE_OK;
}

/* --- its messages --------------------------------------------------------- */

void
import_identify(const struct import_box *box, struct guids *met,
		const struct mail_message *m, struct identity *who)
{
	unsigned again = 0;

	do
		identity_make(box->name, m, again++, who);
	while (!guids_add(met, who->guid, 0));
}

/* One that is there: its flags may have changed. */
static void
message_known(struct import_box *box, const struct mail_message *m,
	      const struct identity *who)
{
	box->counts.known++;
	level_message(box, m, who);
}

static bool
is_known(const struct import_box *box, const struct identity *who)
{
	/* A guid of the bytes is that of copies elsewhere, too. */
	return guids_has(&box->im->known, who->guid, who->own ? 0 : box->id);
}

/* False: the callback wants it to stop. */
static bool
step(struct import_box *box)
{
	struct import *im = box->im;
	const struct transfer_step at = {box->name, ++im->done, im->total};

	if (im->calls->step && !im->calls->step(im->calls->context, &at))
		im->stopped = true;
	return !im->stopped;
}

void
late_add(struct import_box *box, size_t index, const struct identity *who)
{
	if (box->n_late == box->size_late) {
		box->size_late = box->size_late ? 2 * box->size_late : 64;
		box->late =
		    memory_resize(box->late, box->size_late, sizeof(*box->late));
	}
	box->late[box->n_late++] = (struct late){index, *who};
}

/* One message into the batch, which is written when it is full. */
static int
message_take(struct import_box *box, struct import_batch *batch, size_t index,
	     const struct identity *who, uint32_t uid)
{
	bool taken;

	if (import_batch_read(batch, box, index, who, uid, &taken) < 0)
		return -1;
	return import_batch_is_full(batch) ? import_batch_write(batch, box) : 0;
}

static int
messages_take(struct import_box *box, struct import_batch *batch)
{
	for (size_t i = 0; i < box->from->n; i++) {
		const struct mail_message *m = &box->from->messages[i];
		uint32_t uid = box->keep ? m->uid : 0;
		struct identity who;

		import_identify(box, &box->met, m, &who);
		box->counts.messages++;
		if (is_known(box, &who))
			message_known(box, m, &who);
		else if (uid > 0 && uid < box->next)
			late_add(box, i, &who);
		else if (message_take(box, batch, i, &who, uid) < 0)
			return -1;
		if (!step(box))
			break;
	}
	return import_batch_write(batch, box);
}

/* Behind all UIDs of the source, those whose UID was taken. */
static int
late_take(struct import_box *box, struct import_batch *batch)
{
	size_t n = box->n_late;

	for (size_t i = 0; i < n && !box->im->stopped; i++) {
		const struct late late = box->late[i];

		if (message_take(box, batch, late.index, &late.who, 0) < 0)
			return -1;
	}
	return import_batch_write(batch, box);
}

/* What stands among the UIDs of the source and did not come from there: a delivery that
 * got in between, or mail from before. It moves behind them. */
static int
others_move(struct import_box *box)
{
	struct import *im = box->im;
	struct store_uid_list others = {0};
	enum store_result result = store_view_refresh(im->account, im->err);
	const struct store_record *r;
	uint32_t first;
	uint64_t n;

	if (result != STORE_OK)
		return -1;
	for (r = store_first(im->account, box->id); r && r->uid < box->from->uidnext;
	     r = store_next(im->account, r))
		if (!r->given)
			store_uid_list_add(&others,
					   (struct store_range){r->uid, r->uid});
	if (others.n > 0)
		result =
		    store_move(im->account, box->id, store_uid_list_uids(&others),
			       box->id, im->options->now_us, &first, &n, NULL, im->err);
	if (others.n > 0 && result == STORE_OK)
		box->counts.moved += n;
	store_uid_list_release(&others);
	return result == STORE_OK ? 0 : -1;
}

static int
uids_finish(struct import_box *box, struct import_batch *batch)
{
	struct import *im = box->im;
	const struct store_import_mailbox want = {.name = box->name,
						  .uidnext = box->from->uidnext};
	uint32_t id;
	bool made;

	/* While UIDs of the source are still to come, none above them may be given. */
	if (!box->keep || im->stopped)
		return 0;
	if (store_import_mailbox(im->account, &want, im->options->now_us, &id, &made,
				 im->err) != STORE_OK)
		return -1;
	/* Only what is durable is listed, and can be moved. */
	if (late_take(box, batch) < 0 || import_sync(im) < 0)
		return -1;
	return others_move(box);
}

static void
counts_add(struct transfer_counts *to, const struct transfer_counts *c)
{
	to->mailboxes++;
	to->mailboxes_made += c->mailboxes_made;
	to->messages += c->messages;
	to->imported += c->imported;
	to->known += c->known;
	to->changed += c->changed;
	to->gone += c->gone;
	to->kept += c->kept;
	to->moved += c->moved;
	to->failed += c->failed;
	to->bytes += c->bytes;
	to->verified += c->verified;
	to->mended += c->mended;
	to->new_uids += c->new_uids;
	to->keywords_lost += c->keywords_lost;
}

static void
box_done(struct import_box *box, const uint8_t digest[DIGEST_BYTES])
{
	const struct transfer_callbacks *calls = box->im->calls;
	struct transfer_box out = {
	    .mailbox = box->name, .uids_kept = box->keep, .counts = box->counts};
	struct store_mailbox m;

	if (!calls->box)
		return;
	if (box->im->account && store_mailbox_get(box->im->account, box->id, &m)) {
		out.uidvalidity = m.uidvalidity;
		out.uidnext = m.uidnext;
	}
	memcpy(out.digest, digest, sizeof(out.digest));
	calls->box(calls->context, &out);
}

/* Flags that changed, messages that are gone. */
static int
box_level(struct import_box *box)
{
	if (level_apply(box) < 0)
		return -1;
	return box->im->stopped ? 0 : level_gone(box);
}

static int
box_run(struct import_box *box)
{
	uint8_t digest[DIGEST_BYTES] = {0};
	struct import_batch batch;
	int result = -1;

	if (box_have(box) != STORE_OK || import_keywords_have(box) != STORE_OK)
		return -1;
	level_visit(box->im, box->id);
	if (box->from->letters_full)
		import_note(box->im, box->name, "",
			    "has 26 keywords, all that names of files can tell: if it "
			    "has more, Dovecot keeps them in its index only");
	import_batch_init(&batch);
	if (messages_take(box, &batch) == 0 && uids_finish(box, &batch) == 0 &&
	    import_sync(box->im) == 0)
		result = import_verify(box, digest);
	import_batch_release(&batch);
	if (result == 0)
		result = box_level(box);
	counts_add(box->im->counts, &box->counts);
	if (result == 0)
		box_done(box, digest);
	return result;
}

static void
box_release(struct import_box *box)
{
	guids_release(&box->met);
	free(box->arrived);
	free(box->late);
	free(box->level);
}

int
import_box(struct import *im, const struct mail_box *from)
{
	struct buf name = buf_make(64u << 10);
	struct import_box box = {.im = im, .from = from, .inbox = is_inbox(from->name)};
	int result;

	name_put(im, from->name, &name);
	box.name = buf_span(&name);
	result = box_run(&box);
	box_release(&box);
	buf_release(&name);
	return result;
}

/* What would come of a message. */
static void
message_dry(struct import_box *box, const struct mail_message *m)
{
	struct identity who;

	import_identify(box, &box->met, m, &who);
	box->counts.messages++;
	if (is_known(box, &who)) {
		message_known(box, m, &who);
		return;
	}
	box->counts.imported++;
	box->counts.bytes += m->bytes;
	box->counts.new_uids += m->uid > 0 && (!box->keep || m->uid < box->next);
}

int
import_box_dry(struct import *im, const struct mail_box *from)
{
	struct buf name = buf_make(64u << 10);
	struct import_box box = {.im = im, .from = from};
	const uint8_t digest[DIGEST_BYTES] = {0};
	struct store_mailbox there = {0};
	int result = 0;

	name_put(im, from->name, &name);
	box.name = buf_span(&name);
	if (im->account)
		box.id = store_mailbox_find(im->account, box.name);
	if (box.id != 0 && store_mailbox_get(im->account, box.id, &there))
		box.next = there.uidnext;
	if (box.id != 0)
		level_visit(im, box.id);
	box.counts.mailboxes_made = box.id == 0;
	box.keep = keeps_uids(from, &there);
	import_keywords_guess(&box);
	for (size_t i = 0; i < from->n; i++) {
		message_dry(&box, &from->messages[i]);
		if (!step(&box))
			break;
	}
	if (im->account && box.id != 0 && !im->stopped)
		result = level_gone(&box);
	counts_add(im->counts, &box.counts);
	box_done(&box, digest);
	box_release(&box);
	buf_release(&name);
	return result;
}
