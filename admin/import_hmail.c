/* the mail of an account of hMailServer: its tables say which files are whose */
#include "admin/import_hmail.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/maildir/maildir.h"

#define ROWS_BYTES_MAX ((size_t)8 << 30)
#define DEPTH_MAX      25 /* of hMailServer's folders */
#define NAME_MAX_BYTES 4096

struct import_hmail {
	struct arena arena; /* texts of the rows */
	struct movein_hmail_folder *folders;
	size_t n_folders, folders_size;         /* by account */
	const struct movein_hmail_folder *mine; /* of the account that is read */
	size_t n_mine;
	struct movein_hmail_message *messages; /* by account, folder and UID */
	size_t n_messages, messages_size;
	bool all; /* the rows are those of all accounts: of a dump */
	struct span address;
	char path[NAME_MAX_BYTES];
};

struct import_hmail *
import_hmail_new(void)
{
	struct import_hmail *h = memory_new(1, sizeof(*h));

	arena_init(&h->arena, ROWS_BYTES_MAX);
	return h;
}

void
import_hmail_free(struct import_hmail **h)
{
	if (!*h)
		return;
	arena_release(&(*h)->arena);
	free((*h)->folders);
	free((*h)->messages);
	free(*h);
	*h = NULL;
}

/* ---- rows */

static struct span
keep(struct import_hmail *h, struct span text)
{
	struct span copy = SPAN("");

	return text.n > 0 && arena_copy(&h->arena, text, &copy) ? copy : SPAN("");
}

static void
take_folder(void *context, const struct movein_row *row)
{
	struct import_hmail *h = context;
	struct movein_hmail_folder folder;

	if (!movein_hmail_folder(row, &folder))
		return;
	if (h->n_folders == h->folders_size) {
		h->folders_size = h->folders_size ? h->folders_size * 2 : 64;
		h->folders =
		    memory_resize(h->folders, h->folders_size, sizeof(*h->folders));
	}
	folder.name = keep(h, folder.name);
	h->folders[h->n_folders++] = folder;
}

static void
take_message(void *context, const struct movein_row *row)
{
	struct import_hmail *h = context;
	struct movein_hmail_message message;

	if (!movein_hmail_message(row, &message))
		return;
	if (h->n_messages == h->messages_size) {
		h->messages_size = h->messages_size ? h->messages_size * 2 : 1024;
		h->messages =
		    memory_resize(h->messages, h->messages_size, sizeof(*h->messages));
	}
	message.file = keep(h, message.file);
	h->messages[h->n_messages++] = message;
}

static int
order_folders(const void *a, const void *b)
{
	const struct movein_hmail_folder *x = a, *y = b;

	return x->account < y->account ? -1 : x->account > y->account;
}

static int
order_messages(const void *a, const void *b)
{
	const struct movein_hmail_message *x = a, *y = b;

	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static void
forget_rows(struct import_hmail *h)
{
	arena_release(&h->arena);
	arena_init(&h->arena, ROWS_BYTES_MAX);
	h->n_folders = h->n_messages = 0;
}

static void
find_mine(struct import_hmail *h, uint64_t account)
{
	size_t low = 0, high = h->n_folders;

	h->n_mine = 0;
	if (h->n_folders == 0)
		return;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->folders[middle].account < account)
			low = middle + 1;
		else
			high = middle;
	}
	h->mine = h->folders + low;
	while (low + h->n_mine < h->n_folders && h->mine[h->n_mine].account == account)
		h->n_mine++;
}

/* A database is asked for each account; a dump is read once for all of them. */
static int
read_rows(struct import *im, uint64_t account, struct err *err)
{
	struct import_hmail *h = im->hmail;
	size_t bad_folders, bad_messages;

	if (h->all) {
		find_mine(h, account);
		return 0;
	}
	forget_rows(h);
	if (import_tables_read(im->tables, "hm_imapfolders", "folderaccountid", account,
			       take_folder, h, &bad_folders, err) != 0 ||
	    import_tables_read(im->tables, "hm_messages", "messageaccountid", account,
			       take_message, h, &bad_messages, err) != 0)
		return -1;
	im->bad += bad_folders + bad_messages;
	h->all = !import_tables_live(im->tables);
	if (h->n_folders > 0)
		qsort(h->folders, h->n_folders, sizeof(*h->folders), order_folders);
	if (h->n_messages > 0)
		qsort(h->messages, h->n_messages, sizeof(*h->messages), order_messages);
	find_mine(h, account);
	return 0;
}

/* ---- folders */

static const struct movein_hmail_folder *
find_folder(const struct import_hmail *h, uint64_t number)
{
	for (size_t i = 0; i < h->n_mine; i++)
		if (h->mine[i].number == number)
			return &h->mine[i];
	return NULL;
}

/* One level: a name there may have a slash in it, which parts levels here. */
static void
put_level(struct span name, struct buf *out)
{
	struct buf plain = buf_make(NAME_MAX_BYTES), decoded = buf_make(NAME_MAX_BYTES);

	for (size_t i = 0; i < name.n; i++)
		buf_put_char(&plain, name.at[i] == '/' ? '_' : name.at[i]);
	if (mail_folder_decode(buf_span(&plain), '/', &decoded))
		buf_put(out, buf_span(&decoded));
	else
		buf_put(out, buf_span(&plain));
	buf_release(&plain);
	buf_release(&decoded);
}

static void
put_name(const struct import_hmail *h, const struct movein_hmail_folder *f, int depth,
	 struct buf *out)
{
	const struct movein_hmail_folder *parent = find_folder(h, f->parent);

	if (parent && depth < DEPTH_MAX) {
		put_name(h, parent, depth + 1, out);
		buf_put_char(out, '/');
	}
	put_level(f->name, out);
}

static int
list_folders(const struct import_hmail *h, struct mail_source *source, struct err *err)
{

	for (size_t i = 0; i < h->n_mine; i++) {
		const struct movein_hmail_folder *f = &h->mine[i];
		struct buf name = buf_make(NAME_MAX_BYTES);
		char number[24];
		struct mail_box box = {.path = number,
				       .subscribed = f->subscribed,
				       .uidvalidity = f->uidvalidity,
				       .uidnext = f->uidnext};
		bool good = true;

		snprintf(number, sizeof(number), "%" PRIu64, f->number);
		put_name(h, f, 0, &name);
		box.name = buf_span(&name);
		if (span_equal_nocase(box.name, SPAN("INBOX")))
			box.name = SPAN("INBOX");
		good = !name.full && mail_given_box(source, &box);
		buf_release(&name);
		if (!good)
			return err_set(err, "too many folders, or too long a name");
	}
	mail_given_done(source);
	return 0;
}

/* ---- messages */

static const struct {
	unsigned theirs;
	uint32_t ours;
} flags[] = {
    {1,  MAIL_SEEN    },
    {2,  MAIL_DELETED },
    {4,  MAIL_FLAGGED },
    {8,  MAIL_ANSWERED},
    {16, MAIL_DRAFT   },
};

/* The local time of that machine, which is taken for that of this one. */
static int64_t
local_us(uint64_t seconds)
{
	time_t as_utc = (time_t)seconds;
	struct tm local;

	if (seconds == 0 || !gmtime_r(&as_utc, &local))
		return 0;
	local.tm_isdst = -1;
	return (int64_t)mktime(&local) * 1000000;
}

static void
give_message(struct import_hmail *h, const struct movein_hmail_message *from,
	     struct mail_given *to)
{
	struct buf path = buf_make(NAME_MAX_BYTES - 1);
	struct mail_message m = {.uid = from->uid,
				 .internal_us = local_us(from->received_s),
				 .saved_us = local_us(from->received_s),
				 .name = from->file,
				 .bytes = from->bytes};

	for (size_t i = 0; i < N_ELEMS(flags); i++)
		if (from->flags & flags[i].theirs)
			m.flags |= flags[i].ours;
	/* A name that leads nowhere is given all the same, to be told of. */
	if (!movein_hmail_path(h->address, from->file, &path)) {
		buf_reset(&path);
		buf_put_str(&path, "no-such-file");
	}
	if (span_copy(buf_span(&path), h->path, sizeof(h->path))) {
		m.path = h->path;
		mail_given_message(to, &m);
	}
	buf_release(&path);
}

/* The first message of the folder, or where it would stand. */
static size_t
first_message(const struct import_hmail *h, uint64_t account, uint64_t folder)
{
	const struct movein_hmail_message key = {.account = account, .folder = folder};
	size_t low = 0, high = h->n_messages;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order_messages(&h->messages[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
load(void *context, const struct mail_box *box, struct mail_given *to, struct err *err)
{
	struct import_hmail *h = context;
	const struct movein_hmail_folder *f;
	uint64_t number;

	if (!number_parse(span_str(box->path), UINT64_MAX, &number) ||
	    !(f = find_folder(h, number)))
		return err_set(err, "no such folder");
	for (size_t i = first_message(h, f->account, number);
	     i < h->n_messages && h->messages[i].account == f->account &&
	     h->messages[i].folder == number;
	     i++)
		give_message(h, &h->messages[i], to);
	return 0;
}

/* Is there a folder of that address? */
static bool
has_folder(const char *data, struct span address)
{
	char path[NAME_MAX_BYTES];
	size_t at = span_find_last(address, '@');

	return snprintf(path, sizeof(path), "%s/%.*s/%.*s", data,
			SPAN_ARG(span_after(address, at + 1)),
			SPAN_ARG(span_first(address, at))) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

int
import_hmail_source(struct import *im, const struct movein_object *account,
		    struct mail_source **out, struct err *err)
{
	struct import_hmail *h = im->hmail;
	struct mail_source *source;

	if (read_rows(im, account->number, err) != 0)
		return -1;
	h->address =
	    has_folder(im->mail, account->mail) ? account->mail : account->name;
	source = mail_given_new(im->mail, load, h, err);
	if (!source)
		return -1;
	if (list_folders(h, source, err) != 0) {
		mail_source_free(&source);
		return -1;
	}
	*out = source;
	return mail_source_boxes(source) > 0;
}
