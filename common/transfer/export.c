#include "common/transfer/export_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
not_exported(struct export_box *b, const struct store_record *r, const char *text)
{
	const struct transfer_callbacks *calls = b->ex->calls;
	char where[40];
	struct buf hold = buf_make(sizeof(where));
	struct transfer_note note = {b->box.name, "", text};

	b->ex->counts->failed++;
	buf_putf(&hold, "uid %u", (unsigned)r->uid);
	if (span_copy(buf_span(&hold), where, sizeof(where)))
		note.path = where;
	buf_release(&hold);
	if (calls->note)
		calls->note(calls->context, &note);
}

static enum store_result
content_read(struct export_box *b, struct store_content *c)
{
	struct exporting *ex = b->ex;
	enum store_result result = STORE_OK;
	struct span piece = SPAN("x");

	while (result == STORE_OK && piece.n > 0) {
		result = store_content_read(c, ex->content.n, STORE_PIECE_MAX, &piece,
					    ex->err);
		if (result == STORE_OK)
			buf_put(&ex->content, piece);
	}
	return result;
}

/* All bytes of a message in ex->content. OK, NONE (gone, or damaged), FAULT. */
static enum store_result
content_take(struct export_box *b, const struct store_record *r)
{
	struct exporting *ex = b->ex;
	struct store_content *c = NULL;
	enum store_result result;

	buf_reset(&ex->content);
	result = store_content_open(ex->account, r->mailbox, r->uid, &c, ex->err);
	if (result == STORE_OK) {
		result = content_read(b, c);
		store_content_close(&c);
	}
	if (result == STORE_DAMAGED) {
		not_exported(b, r, "is damaged and cannot be read back");
		return STORE_NONE;
	}
	if (result != STORE_OK && result != STORE_NONE)
		return STORE_FAULT;
	ex->counts->bytes += ex->content.n;
	return result;
}

/* One more is done. False: stop. */
static bool
step(struct export_box *b)
{
	struct exporting *ex = b->ex;
	const struct transfer_step at = {b->box.name, ++ex->done, ex->total};

	if (ex->calls->step && !ex->calls->step(ex->calls->context, &at))
		ex->stopped = true;
	return !ex->stopped;
}

int
export_messages(struct export_box *b, export_message *each, void *context)
{
	const struct store_record *r;

	for (uint32_t uid = 1; (r = store_find_from(b->ex->account, b->box.id, uid));) {
		struct store_record copy = *r;
		enum store_result got;

		uid = r->uid + 1;
		got = content_take(b, &copy);
		if (got == STORE_FAULT || (got == STORE_OK && each(context, &copy) < 0))
			return -1;
		if (!step(b))
			break;
	}
	return 0;
}

struct span
export_uidl(struct export_box *b, const struct store_record *r)
{
	struct span uidl = SPAN("");
	struct err ignored;

	if (store_uidl_get(b->ex->account, r, &uidl, &ignored) != STORE_OK)
		return SPAN("");
	return uidl;
}

int
export_listed(struct export_box *b, export_message *each, void *context)
{
	const struct uidlist_head head = {.uidvalidity = b->box.uidvalidity,
					  .uidnext = b->box.uidnext};

	buf_reset(&b->ex->text);
	uidlist_head_put(&head, &b->ex->text);
	return export_messages(b, each, context);
}

int
export_listed_put(struct export_box *b, const struct store_record *r,
		  struct uidlist_row *row, const char *path, const char *aside)
{
	struct exporting *ex = b->ex;
	char guid[2 * STORE_GUID_BYTES + 1];
	bool wrote;
	int result;

	hex_put(r->guid, sizeof(r->guid), guid);
	row->uid = r->uid;
	row->saved_us = r->saved_us;
	row->guid = span_str(guid);
	row->uidl = export_uidl(b, r);
	uidlist_row_put(row, &ex->text);
	result = export_file(ex, path, aside, buf_span(&ex->content), r->internal_us,
			     &wrote);
	ex->counts->messages++;
	ex->counts->written += wrote;
	return result;
}

uint64_t
export_keywords(const struct export_box *b, const struct store_record *r)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < STORE_KEYWORDS_MAX; i++)
		if (r->keywords >> i & 1)
			bits |= UINT64_C(1) << b->places[i];
	return bits;
}

static bool
next_subscribed(struct exporting *ex, uint32_t *id, size_t *place, struct span *name)
{
	struct store_mailbox m;

	while (store_mailbox_next(ex->account, *id, &m)) {
		*id = m.id;
		*name = m.name;
		if (m.subscribed)
			return true;
	}
	return store_subscribed_next(ex->account, place, name);
}

int
export_subscriptions(struct exporting *ex, const char *path, const char *aside,
		     void (*put)(struct span name, struct buf *out))
{
	struct span name;
	uint32_t id = 0;
	size_t place = 0;
	bool wrote;

	buf_reset(&ex->text);
	while (next_subscribed(ex, &id, &place, &name)) {
		put(name, &ex->text);
		buf_put_char(&ex->text, '\n');
	}
	return export_file(ex, path, aside, buf_span(&ex->text), 0, &wrote);
}

/* The one name that would be read as another: a top-level "mbox" is an INBOX. */
static bool
level_means_inbox(struct span level)
{
	return span_equal_nocase(level, SPAN("mbox")) ||
	       (span_equal_nocase(level, SPAN("inbox")) &&
		!span_equal(level, SPAN("INBOX")));
}

bool
export_path(const struct export_box *b, const char *below, char out[EXPORT_PATH_MAX])
{
	struct buf path = buf_make(EXPORT_PATH_MAX - 16);
	struct span rest = b->box.name;
	bool good = true;

	for (bool top = true; rest.n > 0; top = false) {
		struct span level = span_cut(&rest, '/');
		struct buf coded = buf_make(EXPORT_PATH_MAX);

		mail_folder_encode(level, &coded);
		/* Its '.' in front is Maildir's. */
		if (top && level_means_inbox(level))
			buf_putf(&path, "\\%02x%.*s", (unsigned)level.at[0],
				 SPAN_ARG(span_after(level, 1)));
		else
			buf_put(&path, span_after(buf_span(&coded), 1));
		good = good && coded.n <= 250;
		buf_release(&coded);
		if (rest.n > 0) {
			buf_put_str(&path, below);
			buf_put_char(&path, '/');
		}
	}
	good = good && !path.full && span_copy(buf_span(&path), out, EXPORT_PATH_MAX);
	buf_release(&path);
	return good;
}

/* --- one mailbox ---------------------------------------------------------- */

/* Those that its messages have, numbered from 0. */
static void
keywords_find(struct export_box *b)
{
	struct store_account *a = b->ex->account;
	const struct store_record *r;
	uint64_t used = 0;

	for (r = store_first(a, b->box.id); r; r = store_next(a, r))
		used |= r->keywords;
	for (int i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (!(used >> i & 1))
			continue;
		b->places[i] = (uint8_t)b->n_keywords;
		b->keywords[b->n_keywords++] = store_keyword_name(a, i);
	}
}

static int
box_run(struct exporting *ex, const struct export_kind *kind,
	const struct store_mailbox *m)
{
	struct export_box b = {.ex = ex, .box = *m, .name = span_dup(m->name)};
	int result;

	b.box.name = span_make(b.name, m->name.n);
	keywords_find(&b);
	ex->counts->mailboxes++;
	result = kind->box(&b);
	free(b.name);
	return result;
}

static int
boxes_run(struct exporting *ex, const struct export_kind *kind)
{
	struct store_mailbox m = {0};

	while (store_mailbox_next(ex->account, m.id, &m))
		ex->total += m.messages;
	m = (struct store_mailbox){0};
	while (!ex->stopped && store_mailbox_next(ex->account, m.id, &m))
		if (box_run(ex, kind, &m) < 0)
			return -1;
	return ex->stopped ? 0 : kind->end(ex);
}

/* The destination, and whose it is: files in somebody's directory are his. */
static int
destination_open(struct exporting *ex, const char *path)
{
	struct stat info;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(ex->err, "%s", path);
	ex->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ex->dir < 0 || fstat(ex->dir, &info) < 0)
		return err_sys(ex->err, "%s", path);
	ex->uid = info.st_uid;
	ex->gid = info.st_gid;
	ex->give = geteuid() == 0 && ex->uid != 0;
	return 0;
}

enum transfer_result
transfer_export(struct store_account *account, const char *path,
		const struct transfer_export *options,
		const struct transfer_callbacks *callbacks,
		struct transfer_exported *counts, struct err *err)
{
	static const struct transfer_callbacks none;
	static const struct export_kind *const kinds[MAIL_FORMATS] = {
	    &export_maildir, &export_maildir, &export_mbox, &export_eml};
	struct exporting ex = {
	    .account = account,
	    .options = options,
	    .calls = callbacks ? callbacks : &none,
	    .counts = counts,
	    .content = buf_make(STORE_MESSAGE_MAX + STORE_PREFIX_MAX),
	    .text = buf_make((size_t)1 << 30),
	    .dir = -1,
	    .err = err,
	};
	int result;

	*counts = (struct transfer_exported){0};
	result = destination_open(&ex, path);
	if (result == 0)
		result = boxes_run(&ex, kinds[options->format]);
	if (result == 0 && ex.dir >= 0 && syncfs(ex.dir) < 0)
		result = err_sys(err, "%s", path);
	if (ex.dir >= 0)
		close(ex.dir);
	buf_release(&ex.content);
	buf_release(&ex.text);
	if (result < 0)
		return TRANSFER_FAULT;
	return ex.stopped ? TRANSFER_STOPPED : TRANSFER_OK;
}
