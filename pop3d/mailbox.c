#include "pop3d/pop3d.h"

_Static_assert(POP3_GUID_BYTES == STORE_GUID_BYTES, "a unique-id is the whole GUID");

static bool
failed(struct mailbox *m, enum store_result r)
{
	if (r == STORE_NONE)
		(void)err_set(&m->err, "no such account in the store");
	m->ok = r == STORE_OK;
	return !m->ok;
}

static size_t
count(const struct mailbox *m)
{
	const struct store_record *r = store_first(m->account, STORE_INBOX);
	size_t n = 0;

	for (; r; r = store_next(m->account, r))
		n++;
	return n;
}

/* --- unique-ids ----------------------------------------------------------- */

#define UIDLS_MAX ((size_t)1 << 30)

/* What it was imported with. One that is damaged answers with its guid. OK, NONE (the
 * view is old), FAULT. */
static enum store_result
take_uidl(struct mailbox *m, const struct store_record *r, struct pop3_message *out)
{
	struct span uidl;
	enum store_result result;
	char *copy;

	if (r->uidl_bytes == 0)
		return STORE_OK;
	result = store_uidl_get(m->account, r, &uidl, &m->err);
	if (result != STORE_OK)
		return result == STORE_DAMAGED ? STORE_OK : result;
	copy = arena_new(&m->uidls, uidl.n + 1, 1);
	if (copy)
		memcpy(copy, uidl.at, uidl.n);
	out->uidl = copy;
	return STORE_OK;
}

static int
order_uidls(const void *a, const void *b)
{
	const struct pop3_message *x = *(struct pop3_message *const *)a,
				  *y = *(struct pop3_message *const *)b;
	int order = strcmp(x->uidl, y->uidl);

	if (order != 0)
		return order;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* A copy came with the id of what it is a copy of: the first has it. */
static void
part_uidls(struct mailbox *m)
{
	struct pop3_message **with =
	    memory_new(m->n + 1, sizeof(struct pop3_message *));
	struct pop3_message *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->messages[i].uidl)
			with[n++] = &m->messages[i];
	qsort(with, n, sizeof(struct pop3_message *), order_uidls);
	for (size_t i = 0; i < n; i++) {
		if (last && strcmp(last->uidl, with[i]->uidl) == 0)
			with[i]->uidl = NULL;
		else
			last = with[i];
	}
	free(with);
}

/* OK, NONE (the view is old), FAULT. */
static enum store_result
take_snapshot(struct mailbox *m)
{
	const struct store_record *r = store_first(m->account, STORE_INBOX);
	enum store_result result = STORE_OK;

	m->n = 0;
	free(m->messages);
	arena_release(&m->uidls);
	arena_init(&m->uidls, UIDLS_MAX);
	m->messages = memory_new(count(m) + 1, sizeof(*m->messages));
	for (; r && result == STORE_OK; r = store_next(m->account, r)) {
		struct pop3_message *message = &m->messages[m->n++];

		message->bytes = store_record_size(r);
		message->uid = r->uid;
		memcpy(message->guid, r->guid, sizeof(message->guid));
		result = take_uidl(m, r, message);
	}
	part_uidls(m);
	return result;
}

static enum store_result
step_open(struct mailbox *m)
{
	return store_account_open(m->store, m->id, STORE_MAY_CREATE | STORE_NO_WAIT,
				  m->now_us, &m->account, &m->err);
}

/* What was just delivered is listed, and therefore durable. */
static enum store_result
step_sync(struct mailbox *m)
{
	return store_sync(m->account, m->now_us, &m->err);
}

static enum store_result
step_refresh(struct mailbox *m)
{
	return store_view_refresh(m->account, &m->err);
}

static enum store_result
step_expunge(struct mailbox *m)
{
	struct store_uids uids = {m->ranges, m->n_ranges};
	uint64_t n = 0;
	enum store_result result =
	    store_expunge(m->account, STORE_INBOX, uids, m->now_us, &n, NULL, &m->err);

	m->n_expunged = n;
	return result;
}

/* False when it failed, or somebody has the lock: the threads are few. */
static bool
step_take(struct mailbox *m, enum store_result (*step)(struct mailbox *m))
{
	enum store_result result = step(m);

	m->in_use = result == STORE_BUSY;
	return !failed(m, result);
}

void
mailbox_open(struct mailbox *m, const char *root, uint64_t account)
{
	static const struct store_settings settings;

	m->ok = m->in_use = false;
	m->id = account;
	if (!m->store)
		m->store = store_new(root, &settings, &m->err);
	if (!m->store || (!m->account && !step_take(m, step_open)))
		return;
	store_account_wait(m->account, false);
	if (!step_take(m, step_sync) || !step_take(m, step_refresh))
		return;
	/* A compaction may move everything meanwhile. */
	for (int tries = 0; tries < 3; tries++) {
		enum store_result result = take_snapshot(m);

		if (result != STORE_NONE) {
			(void)failed(m, result);
			return;
		}
		if (!step_take(m, step_refresh))
			return;
	}
	(void)failed(m, STORE_NONE);
}

void
mailbox_update(struct mailbox *m)
{
	if (!m->expunged && !step_take(m, step_expunge))
		return;
	m->expunged = true;
	if (!step_take(m, step_sync))
		return;
	m->usage = store_usage(m->account);
	m->modseq = store_position(m->account);
}

void
mailbox_close(struct mailbox *m)
{
	mailbox_done(m);
	/* A view that could not be saved is made again next time. */
	if (m->account && m->ok)
		m->ok = store_view_save(m->account, &m->err) == STORE_OK;
	store_account_close(&m->account);
	store_free(&m->store);
	free(m->messages);
	free(m->ranges);
	arena_release(&m->uidls);
	m->messages = NULL;
	m->ranges = NULL;
}

/* --- reading -------------------------------------------------------------- */

enum pop3_message_answer
mailbox_message(struct mailbox *m, uint32_t uid)
{
	switch (
	    store_content_open(m->account, STORE_INBOX, uid, &m->content, &m->err)) {
	case STORE_OK:
		return POP3_MESSAGE_OK;
	case STORE_NONE:
		return POP3_MESSAGE_GONE;
	case STORE_DAMAGED:
		return POP3_MESSAGE_DAMAGED;
	case STORE_BUSY:
		(void)err_set(&m->err, "the account is being worked on");
		return POP3_MESSAGE_FAULT;
	default:
		return POP3_MESSAGE_FAULT;
	}
}

struct span
mailbox_bytes(struct mailbox *m, uint64_t offset, size_t n)
{
	struct span bytes = {0};

	if (store_content_read(m->content, offset, n, &bytes, &m->err) != STORE_OK)
		return SPAN("");
	return bytes;
}

void
mailbox_done(struct mailbox *m)
{
	if (m->content)
		store_content_close(&m->content);
}
