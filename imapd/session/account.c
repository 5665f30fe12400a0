/* what happens in an account is noted for each of its sessions */
#include "imapd/session/inner.h"

/* It only notes: the store is in the middle of something. */
static void
account_changed(void *context, const struct store_change *change)
{
	struct account *a = context;
	struct session *s;

	a->epoch++;
	LIST_FOREACH(s, &a->sessions, of_account)
	view_note(&s->view, change);
	if (change->kind == STORE_CHANGE_MAILBOX || change->kind == STORE_CHANGE_ALL)
		a->mailboxes_changed = true;
}

struct account *
account_new(struct store *store, struct store_account *mail, uint64_t quota_bytes)
{
	struct account *a = memory_new(1, sizeof(*a));
	struct store_mailbox box = {0};

	LIST_INIT(&a->sessions);
	a->store = store;
	a->mail = mail;
	a->id = store_account_id(mail);
	a->quota_bytes = quota_bytes;
	a->position = store_position(mail);
	store_watch(mail, account_changed, a);
	while (store_mailbox_next(mail, box.id, &box))
		account_show(a, box.id, box.uidnext);
	return a;
}

void
account_free(struct account **account)
{
	struct account *a = *account;

	if (!a)
		return;
	ASSERT(a->n_sessions == 0);
	store_account_close(&a->mail);
	free(a->shown);
	free(a->left.uids);
	free(a);
	*account = NULL;
}

/* Mailboxes come and go; more than there can be are not kept. */
static void
account_forget_shown(struct account *a)
{
	struct store_mailbox box;
	size_t kept = 0;

	if (a->n_shown <= STORE_MAILBOXES_MAX)
		return;
	for (size_t i = 0; i < a->n_shown; i++)
		if (store_mailbox_get(a->mail, a->shown[i].mailbox, &box))
			a->shown[kept++] = a->shown[i];
	a->n_shown = kept;
}

void
account_pause(struct account *a)
{
	store_watch(a->mail, NULL, NULL);
}

void
account_resume(struct account *a)
{
	store_watch(a->mail, account_changed, a);
	if (store_position(a->mail) != a->position)
		account_changed(a, &(struct store_change){.kind = STORE_CHANGE_ALL});
}

/* A mailbox that was deleted is not heard of again: its sessions learn it here. */
static void
account_look_for_gone(struct account *a)
{
	struct store_mailbox box;
	struct session *s;

	a->mailboxes_changed = false;
	account_forget_shown(a);
	LIST_FOREACH(s, &a->sessions, of_account)
	if (s->view.mailbox != 0 && !store_mailbox_get(a->mail, s->view.mailbox, &box))
		s->view.gone = true;
}

enum store_result
account_refresh(struct account *a, struct err *err)
{
	enum store_result result = store_view_refresh(a->mail, err);

	if (store_position(a->mail) != a->position) {
		a->position = store_position(a->mail);
		a->epoch++;
	}
	if (result == STORE_OK && a->mailboxes_changed)
		account_look_for_gone(a);
	return result;
}

/* Where a mailbox stands in `shown`, or would. */
static size_t
shown_place(const struct account *a, uint32_t mailbox)
{
	size_t low = 0, high = a->n_shown;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (a->shown[middle].mailbox < mailbox)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
account_shown(const struct account *a, uint32_t mailbox)
{
	size_t i = shown_place(a, mailbox);

	return i < a->n_shown && a->shown[i].mailbox == mailbox ? a->shown[i].uidnext
								: 1;
}

void
account_show(struct account *a, uint32_t mailbox, uint32_t uidnext)
{
	size_t i = shown_place(a, mailbox);

	if (i == a->n_shown || a->shown[i].mailbox != mailbox) {
		a->shown = memory_resize(a->shown, a->n_shown + 1, sizeof(*a->shown));
		memmove(&a->shown[i + 1], &a->shown[i],
			(a->n_shown - i) * sizeof(*a->shown));
		a->n_shown++;
		a->shown[i].mailbox = mailbox;
		a->shown[i].uidnext = 1;
	}
	if (uidnext > a->shown[i].uidnext)
		a->shown[i].uidnext = uidnext;
}
