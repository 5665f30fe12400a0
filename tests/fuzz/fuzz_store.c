/* tests/fuzz/fuzz_store.c - an account whose files hold anything
 *
 * The input is a list of changes to a small good account on a disk in memory:
 *   u8 what | u16 n | n bytes
 * what 1 to 13: an event of that kind with that payload, well framed, at the end of
 * the journal; 0x40 + file: u32 offset, then bytes that are put there; 0x50 + file:
 * all of the file is these bytes; 0x60: a chunk of texts with that payload, well
 * framed, at the end of text.1. Then everything a program does is done with it.
 */
#include "common/store/text_internal.h"
#include "tests/unit/simdisk.h"

#include <stdio.h>

#define NOW        INT64_C(1800000000000000)
#define COPIES_MAX 3 /* each may double a mailbox */

static const char *const names[] = {"journal.1", "data.1", "summary.1",
				    "index",     "lock",   "text.1"};

static const struct store_settings settings = {
    .data_file_bytes = 100000, .journal_file_bytes = 50000, .summarize = true};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
fill(struct store_account *a, struct err *err)
{
	bool done = false;

	for (int i = 0; i < 100 && !done; i++)
		if (store_text_fill(a, 1000, &done, err) != STORE_OK)
			return;
}

/* A message of its own into each of two mailboxes, an index, and texts. */
static void
account_make(struct log_io *io)
{
	struct store_message m = {
	    .mailbox = STORE_INBOX,
	    .content = SPAN("Subject: one\r\nMessage-ID: <1@x>\r\n\r\ntext\r\n"),
	    .prefix = SPAN("Delivered-To: x\r\n"),
	    .saved_us = NOW,
	    .delivery = {1, 0, 1}
        };
	struct store_account *a;
	struct store_appended got;
	struct err err;
	struct store *s = store_new_on(io, SIMDISK_DIR, &settings, &err);

	ASSERT(store_account_open(s, 1, STORE_MAY_CREATE, NOW, &a, &err) == STORE_OK);
	ASSERT(store_batch_begin(a, true, &err) == STORE_OK);
	for (int i = 0; i < 3; i++) {
		m.mailbox = i == 2 ? 3 : STORE_INBOX;
		m.delivery.ordinal = (uint32_t)i;
		ASSERT(store_append(a, &m, &got, &err) == STORE_OK);
	}
	ASSERT(store_batch_end(a, &err) == STORE_OK);
	ASSERT(store_sync(a, NOW, &err) == STORE_OK);
	ASSERT(store_view_refresh(a, &err) == STORE_OK);
	ASSERT(account_lock(a, true, &err) == STORE_OK);
	ASSERT(index_save(a, &err) == 0);
	account_unlock(a);
	fill(a, &err);
	store_account_close(&a);
	store_free(&s);
}

static void
file_put(struct simdisk *d, const char *name, uint64_t offset, struct span bytes)
{
	struct log_io io = simdisk_io(d);
	int fd = io.open(d, SIMDISK_DIR, name, LOG_WRITE);
	struct iovec v = {(char *)(uintptr_t)bytes.at, bytes.n};

	if (fd >= 0 && offset + bytes.n < 200000 && bytes.n > 0)
		ASSERT(io.pwritev(d, fd, &v, 1, offset) == (ssize_t)bytes.n);
}

/* A record as a writer would have put it. */
static void
record_append(struct simdisk *d, const struct log_io *io, enum file_sort sort,
	      uint16_t kind, struct span payload)
{
	const char *name = names[sort == FILE_JOURNAL ? 0 : N_ELEMS(names) - 1];
	struct log_file f;
	struct err err;
	uint64_t size;
	struct buf record = buf_make(1 << 17);
	int fd = io->open(d, SIMDISK_DIR, name, LOG_WRITE);

	if (log_file_open(&f, io, fd, file_kinds[sort].kind, 1, &err) == LOG_OPEN_OK &&
	    log_file_size(&f, &size, &err) == 0 && size % 8 == 0) {
		frame_put(&f, size, 0, kind, payload, &record);
		file_put(d, name, size, buf_span(&record));
	}
	buf_release(&record);
}

/* A chunk whose table has the right CRC, whatever it says. */
static void
text_append(struct simdisk *d, const struct log_io *io, struct span body)
{
	struct buf payload = buf_make(1 << 17), head = buf_make(TEXT_HEAD_BYTES);
	size_t n = text_table_bytes(body);

	buf_put(&payload, body);
	if (n > 0 && n <= body.n) {
		wire_put_u32(&head, text_rules());
		memcpy(payload.at, head.at, 4);
		buf_reset(&head);
		wire_put_u32(&head, crc32c(0, span_make(body.at + TEXT_HEAD_BYTES,
							n - TEXT_HEAD_BYTES)));
		memcpy(payload.at + 8, head.at, 4);
	}
	record_append(d, io, FILE_TEXT, TEXT_RECORD, buf_span(&payload));
	buf_release(&payload);
	buf_release(&head);
}

static void
change(struct simdisk *d, const struct log_io *io, uint8_t what, struct span body,
       unsigned *copies)
{
	struct cursor c = cursor_make(body);
	size_t file = what & 0xf;

	if (what > 0 && what < EVENT_KINDS) {
		*copies += what == EVENT_COPY || what == EVENT_MOVE;
		if (*copies <= COPIES_MAX)
			record_append(d, io, FILE_JOURNAL, what, body);
	} else if (what == 0x60) {
		text_append(d, io, body);
	} else if (file >= N_ELEMS(names)) {
		return;
	} else if ((what & 0xf0) == 0x40) {
		uint64_t offset = wire_get_u32(&c) & 0xffff;

		file_put(d, names[file], offset, c.rest);
	} else if ((what & 0xf0) == 0x50) {
		int fd = io->open(d, SIMDISK_DIR, names[file], LOG_WRITE);

		if (fd >= 0)
			ASSERT(io->ftruncate(d, fd, 0) == 0);
		file_put(d, names[file], 0, body);
	}
}

static void
read_texts(struct store_account *a, uint32_t mailbox, struct err *err)
{
	struct store_range uids = {1, UINT32_MAX};
	struct store_text_block block;

	for (int i = 0; i < 1000 && uids.first > 0; i++) {
		if (store_text_block(a, mailbox, uids, &block, err) != STORE_OK)
			return;
		for (size_t k = 0; k < block.n; k++)
			ASSERT(block.items[k].damaged ||
			       text_find(block.all, block.items[k].text.headers) <
				   block.all.n + 1);
		ASSERT(block.next == 0 || block.next > uids.first);
		uids.first = block.next;
	}
}

static void
read_all(struct store_account *a, struct err *err)
{
	struct store_mailbox box = {0};
	const struct store_record *r;

	while (store_mailbox_next(a, box.id, &box))
		for (r = store_first(a, box.id); r; r = store_next(a, r)) {
			uint32_t uid = r->uid;
			struct store_content *c;
			struct store_summary s;
			struct span piece;

			if (store_content_open(a, box.id, uid, &c, err) == STORE_OK) {
				(void)!store_content_read(c, 0, 1000, &piece, err);
				store_content_close(&c);
			}
			(void)!store_summary_get(a, box.id, uid, &s, err);
			r = store_find(a, box.id, uid);
			if (!r)
				break;
		}
	for (box.id = 0; store_mailbox_next(a, box.id, &box);)
		read_texts(a, box.id, err);
}

static void
nothing(void *context, const struct store_finding *finding)
{
	(void)context;
	(void)finding;
}

/* It looks at all it is told. */
static void
hear(void *context, const struct store_change *c)
{
	uint64_t *sum = context;

	*sum += c->mailbox + c->modseq;
	for (size_t i = 0; i < c->uids.n; i++)
		ASSERT(c->uids.at[i].first <= c->uids.at[i].last);
}

/* What clients ask for beside reading. */
static void
change_all(struct store_account *a, const struct store_message *m, struct err *err)
{
	const struct store_range all = {1, UINT32_MAX}, one = {2, 2};
	const struct store_uids uids = {&all, 1}, some = {&one, 1};
	const struct store_flag_change newer = {
	    .flags = STORE_FLAGGED, .conditional = true, .unchanged_since = 5000};
	struct store_uid_list list = {0};
	struct store_appended got;
	uint32_t first, id;
	struct span name;
	size_t place = 0;
	uint64_t n;

	(void)!store_flags_change(a, STORE_INBOX, uids, &newer, NOW, &n, &list, err);
	(void)!store_move(a, STORE_INBOX, some, 4, NOW, &first, &n, &list, err);
	(void)!store_mailbox_create(a, SPAN("x/y"), STORE_USE_NONE, NOW, &id, err);
	(void)!store_mailbox_rename(a, 4, SPAN("z/y"), NOW, err);
	(void)!store_subscribe(a, SPAN("x/w"), true, NOW, err);
	while (store_subscribed_next(a, &place, &name))
		(void)!store_mailbox_find(a, name);
	if (store_batch_begin(a, true, err) == STORE_OK) {
		if (store_append(a, m, &got, err) == STORE_OK)
			(void)!store_batch_expunge(a, STORE_INBOX, uids, &list, err);
		(void)!store_batch_end(a, err);
	}
	(void)!store_mailbox_rename(a, STORE_INBOX, SPAN("old"), NOW, err);
	for (id = 1; id < 8; id++)
		store_vanished(a, id, id * 500, &list);
	store_uid_list_release(&list);
}

static void
use(const struct log_io *io)
{
	struct store_message m = {
	    .mailbox = STORE_INBOX,
	    .content = SPAN("Subject: x\r\n\r\n"),
	    .saved_us = NOW,
	    .delivery = {1, 0, 1},
	    .replay = true
        };
	const struct store_range all = {1, UINT32_MAX};
	const struct store_uids uids = {&all, 1};
	struct store_compaction done;
	struct store_appended got;
	struct store_account *a;
	struct err err;
	uint64_t n, sum = 0;
	struct store *s = store_new_on(io, SIMDISK_DIR, &settings, &err);

	if (store_account_open(s, 1, STORE_MAY_CREATE, NOW, &a, &err) == STORE_OK) {
		store_watch(a, hear, &sum);
		if (store_view_refresh(a, &err) == STORE_OK)
			read_all(a, &err);
		(void)!store_verify(a, nothing, NULL, &n, &err);
		if (store_batch_begin(a, true, &err) == STORE_OK) {
			(void)!store_append(a, &m, &got, &err);
			(void)!store_batch_end(a, &err);
		}
		(void)!store_sync(a, NOW, &err);
		if (store_view_refresh(a, &err) == STORE_OK)
			fill(a, &err);
		if (store_view_refresh(a, &err) == STORE_OK) {
			(void)!store_flags_change(
			    a, STORE_INBOX, uids,
			    &(struct store_flag_change){.verb = STORE_FLAGS_ADD,
							.flags = STORE_SEEN,
							.keywords = 0},
			    NOW, &n, NULL, &err);
			(void)!store_expunge(a, 3, uids, NOW, &n, NULL, &err);
		}
		change_all(a, &m, &err);
		(void)!store_rebuild(a, NOW, &n, &err);
		(void)!store_compact(a, 0, NOW, NULL, NULL, &done, &err);
		if (store_view_refresh(a, &err) == STORE_OK)
			read_all(a, &err);
		store_account_close(&a);
	}
	store_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct cursor c = cursor_make(span_make(bytes, n < 8192 ? n : 8192));
	struct simdisk *d = memory_new(1, sizeof(*d));
	unsigned copies = 0;
	struct log_io io;

	simdisk_init(d, 1);
	io = simdisk_io(d);
	account_make(&io);
	while (c.rest.n > 3) {
		uint8_t what = wire_get_u8(&c);
		size_t size = wire_get_u16(&c);

		change(d, &io, what,
		       wire_get_raw(&c, size < c.rest.n ? size : c.rest.n), &copies);
	}
	use(&io);
	simdisk_release(d);
	free(d);
	return 0;
}
