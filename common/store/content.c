/* the bytes of one message */
#include "common/store/internal.h"

#include <errno.h>
#include <unistd.h>

#define HOLD_MAX (1u << 20) /* a message up to that is read at once */

struct store_content {
	struct log_file file; /* own descriptor; -1: all is in `bytes` */
	uint64_t content_at;
	uint64_t content_bytes;
	struct buf hold;     /* what was read last from the file */
	size_t prefix_bytes; /* in `bytes` */
	char bytes[];        /* the prefix; and the content, when it is small */
};

enum store_result
append_texts_get(struct store_account *a, const struct store_record *r,
		 struct buf *hold, struct append_texts *out, struct err *err)
{
	const uint64_t bytes = 4 + (uint64_t)r->prefix_bytes + r->uidl_bytes;
	const struct window_want want = {.offset = r->journal_offset,
					 .hint = 256 + r->prefix_bytes,
					 .kind = EVENT_APPEND,
					 .guid_at = EVENT_APPEND_GUID_AT,
					 .guid = r->guid};
	const struct log_file *f;
	struct log_record record;
	enum store_result result;
	struct append_texts texts;
	struct cursor c;

	*out = (struct append_texts){SPAN(""), SPAN("")};
	if (r->prefix_bytes == 0 && r->uidl_bytes == 0)
		return STORE_OK;
	result = account_file(a, FILE_JOURNAL, r->journal_number, &f, err);
	if (result != STORE_OK)
		return result;
	switch (window_fetch(a->store, FILE_JOURNAL, f, &want, hold, &record, err)) {
	case LOG_READ_FAULT:
		return STORE_FAULT;
	case LOG_READ_RECORD:
		break;
	default:
		return STORE_DAMAGED;
	}
	/* They are the last fields of the event, which is the right one by its guid. */
	if (record.payload.n < bytes)
		return STORE_DAMAGED;
	c = cursor_make(span_after(record.payload, record.payload.n - (size_t)bytes));
	texts.uidl = wire_get_raw(&c, r->uidl_bytes);
	texts.prefix = wire_get_bytes(&c);
	if (!cursor_done(&c) || texts.prefix.n != r->prefix_bytes)
		return STORE_DAMAGED;
	*out = texts;
	return STORE_OK;
}

enum store_result
prefix_get(struct store_account *a, const struct store_record *r, struct buf *hold,
	   struct span *out, struct err *err)
{
	struct append_texts texts;
	enum store_result result = STORE_OK;

	*out = SPAN("");
	if (r->prefix_bytes > 0)
		result = append_texts_get(a, r, hold, &texts, err);
	if (r->prefix_bytes > 0 && result == STORE_OK)
		*out = texts.prefix;
	return result;
}

enum store_result
store_uidl_get(struct store_account *a, const struct store_record *record,
	       struct span *out, struct err *err)
{
	struct append_texts texts;
	enum store_result result = STORE_NONE;

	if (record->uidl_bytes > 0)
		result = append_texts_get(a, record, &a->prefix, &texts, err);
	if (result == STORE_OK)
		*out = texts.uidl;
	return result;
}

void
store_content_close(struct store_content **content)
{
	struct store_content *c = *content;

	if (!c)
		return;
	log_file_close(&c->file);
	buf_release(&c->hold);
	free(c);
	*content = NULL;
}

/* A descriptor that the content owns: the account's may be closed meanwhile. */
static enum store_result
content_file(struct store_account *a, const struct store_record *r,
	     struct store_content *c, struct err *err)
{
	const struct log_dir dir = account_dir(a, FILE_DATA);

	switch (log_dir_open(&dir, r->data_number, LOG_READ, &c->file, err)) {
	case LOG_OPEN_OK:
		return STORE_OK;
	case LOG_OPEN_FAULT:
		return err->code == ENOENT ? STORE_NONE : STORE_FAULT;
	default:
		return STORE_DAMAGED;
	}
}

static struct store_content *
content_new(struct span prefix, struct span content)
{
	struct store_content *c =
	    memory_resize(NULL, sizeof(*c) + prefix.n + content.n, 1);

	*c = (struct store_content){.file = {.fd = -1},
				    .hold = buf_make(STORE_PIECE_MAX),
				    .prefix_bytes = prefix.n};
	if (prefix.n > 0)
		memcpy(c->bytes, prefix.at, prefix.n);
	if (content.n > 0)
		memcpy(c->bytes + prefix.n, content.at, content.n);
	return c;
}

/* The account's buffer, which may have held a large message, gives it back. */
static void
content_trim(struct store_account *a)
{
	if (a->content.size > WINDOW_MAX)
		buf_release(&a->content);
	else
		buf_reset(&a->content);
}

/* A large message is asked for in pieces, each by a command of its own: it is read
 * through once, not for each of them. */
static enum store_result
content_check(struct store_account *a, const struct store_record *r, uint64_t *at,
	      struct err *err)
{
	const struct log_file *f;
	enum store_result result;

	if (a->whole.number != r->data_number || a->whole.offset != r->data_offset ||
	    memcmp(a->whole.guid, r->guid, sizeof(r->guid)) != 0) {
		result = data_check(a, r, &f, &a->whole.content_at, err);
		a->whole.number = result == STORE_OK ? r->data_number : 0;
		a->whole.offset = r->data_offset;
		memcpy(a->whole.guid, r->guid, sizeof(r->guid));
		if (result != STORE_OK)
			return result;
	}
	*at = a->whole.content_at;
	return STORE_OK;
}

static enum store_result
content_fill(struct store_account *a, const struct store_record *r,
	     struct store_content **out, struct err *err)
{
	bool small = r->content_bytes <= HOLD_MAX - DATA_HEAD_BYTES - 64;
	struct span prefix, content = {0};
	enum store_result result;
	struct store_content *c;
	uint64_t at = 0;

	result = small ? data_fetch(a, r, &a->content, &content, err)
		       : content_check(a, r, &at, err);
	if (result == STORE_OK)
		result = prefix_get(a, r, &a->prefix, &prefix, err);
	if (result != STORE_OK)
		return result;
	c = content_new(prefix, content);
	c->content_bytes = r->content_bytes;
	c->content_at = at;
	content_trim(a);
	if (!small)
		result = content_file(a, r, c, err);
	if (result == STORE_OK)
		*out = c;
	else
		store_content_close(&c);
	return result;
}

static void
content_damaged(const struct store_account *a, const struct store_record *r,
		struct err *err)
{
	err_set(err,
		"store: account %016llx mailbox %u uid %u is damaged (data.%u at %u)",
		(unsigned long long)a->id, r->mailbox, r->uid, r->data_number,
		r->data_offset);
}

enum store_result
store_content_open(struct store_account *a, uint32_t mailbox, uint32_t uid,
		   struct store_content **out, struct err *err)
{
	enum store_result result = STORE_NONE;

	/* A compaction may have moved everything since the view was made. */
	for (int tries = 0; tries < 3 && result == STORE_NONE; tries++) {
		const struct store_record *r = store_find(a, mailbox, uid);

		if (!r)
			return STORE_NONE;
		result = content_fill(a, r, out, err);
		if (result == STORE_DAMAGED)
			content_damaged(a, r, err);
		if (result == STORE_NONE && tries == 2) {
			content_damaged(a, r, err);
			return STORE_DAMAGED;
		}
		if (result == STORE_NONE && a->view->lag.on)
			return STORE_BUSY;
		if (result == STORE_NONE) {
			enum store_result fresh = store_view_refresh(a, err);

			if (fresh != STORE_OK)
				return fresh;
		}
	}
	return result;
}

uint64_t
store_content_size(const struct store_content *c)
{
	return c->prefix_bytes + c->content_bytes;
}

uint64_t
store_content_prefix(const struct store_content *c)
{
	return c->prefix_bytes;
}

/* From the file, through `hold`. */
static enum store_result
content_pread(struct store_content *c, uint64_t offset, size_t n, struct span *out,
	      struct err *err)
{
	const struct log_io *io = c->file.io;
	ssize_t got;
	char *at;

	if (n > STORE_PIECE_MAX)
		n = STORE_PIECE_MAX;
	if (n > c->content_bytes - offset)
		n = (size_t)(c->content_bytes - offset);
	buf_reset(&c->hold);
	at = buf_extend(&c->hold, n);
	do
		got = io->pread(io->disk, c->file.fd, at, n, c->content_at + offset);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		err_sys(err, "store: cannot read a message");
		return STORE_FAULT;
	}
	*out = span_make(at, (size_t)got);
	return STORE_OK;
}

enum store_result
store_content_read(struct store_content *c, uint64_t offset, size_t n, struct span *out,
		   struct err *err)
{
	struct span there = span_make(c->bytes, c->prefix_bytes);

	if (c->file.fd < 0)
		there.n += (size_t)c->content_bytes;
	if (offset < there.n) {
		*out = span_first(span_after(there, (size_t)offset), n);
		return STORE_OK;
	}
	offset -= c->prefix_bytes;
	if (offset >= c->content_bytes || n == 0) {
		*out = span_make("", 0);
		return STORE_OK;
	}
	return content_pread(c, offset, n, out, err);
}
