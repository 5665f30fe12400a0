#include "authd/office.h"

/* Does the change end what somebody may do who is logged in? */
static bool
closes(const struct directory_request *r)
{
	const struct directory_value *v = r->object.values;

	if (r->verb == DIRECTORY_REMOVE)
		return r->object.kind == DIRECTORY_ACCOUNT ||
		       r->object.kind == DIRECTORY_APP_PASSWORD;
	if (r->verb != DIRECTORY_UPDATE)
		return false;
	if (r->object.kind == DIRECTORY_DOMAIN)
		return v[FIELD_DOMAIN_ENABLED].how != DIRECTORY_VALUE_ABSENT &&
		       v[FIELD_DOMAIN_ENABLED].number == 0;
	return r->object.kind == DIRECTORY_ACCOUNT &&
	       (v[FIELD_ACCOUNT_PASSWORD].how != DIRECTORY_VALUE_ABSENT ||
		v[FIELD_ACCOUNT_DISABLED].number != 0);
}

/* What one listing gives. */
struct page {
	struct closing *closing;
	struct buf last; /* name of its last row */
	size_t n;
};

static void
closing_add(struct closing *c, uint64_t account)
{
	if (c->n == c->size) {
		c->size = c->size ? 2 * c->size : 8;
		c->accounts = memory_resize(c->accounts, c->size, sizeof(*c->accounts));
	}
	c->accounts[c->n++] = account;
}

static void
take_row(void *context, struct span bytes)
{
	struct page *page = context;
	struct directory_object row;

	if (directory_row_get(bytes, &row)) {
		closing_add(page->closing, row.values[FIELD_ACCOUNT_ID].number);
		buf_reset(&page->last);
		buf_put(&page->last, row.name);
		page->n++;
	}
}

void
closing_find(struct directory *d, const struct directory_request *change,
	     struct closing *out)
{
	struct directory_request ask = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = change->object.name}
        };
	struct page page = {out, buf_make(DIRECTORY_ADDRESS_MAX), 0};
	enum directory_result r;
	struct err err;

	*out = (struct closing){0};
	if (!closes(change))
		return;
	if (change->object.kind == DIRECTORY_DOMAIN)
		ask.verb = DIRECTORY_LISTING;
	do {
		page.n = 0;
		ask.after = buf_span(&page.last);
		r = directory_run(d, &ask, 0, take_row, &page, &err);
	} while (r == DIRECTORY_DONE && page.n > 0 && ask.verb == DIRECTORY_LISTING);
	buf_release(&page.last);
}

/* Any process may have its submission sessions. */
static void
tell_smtpd(struct authd *a, uint64_t account)
{
	for (uint32_t i = 0; i < proc_count(a->proc, IPC_KIND_SMTPD); i++) {
		struct ipc_peer *peer = proc_peer(a->proc, IPC_KIND_SMTPD, i);

		if (peer)
			ipc_send_account_closed(peer,
						&(struct ipc_account_closed){account});
	}
}

static void
tell(struct authd *a, enum ipc_kind kind, uint64_t account)
{
	uint32_t instance = (uint32_t)(account % proc_count(a->proc, kind));
	struct ipc_peer *peer = proc_peer(a->proc, kind, instance);

	if (peer)
		ipc_send_account_closed(peer, &(struct ipc_account_closed){account});
}

/* Who has the account's mail open. */
static void
tell_mail(struct authd *a, uint64_t account)
{
	tell(a, IPC_KIND_LOCAL, account);
	tell(a, IPC_KIND_POP3D, account);
	tell(a, IPC_KIND_IMAPD, account);
}

void
closing_replaced(struct authd *a, struct ipc_peer *peer,
		 const struct ipc_account_replaced *m)
{
	tell_mail(a, m->account);
	usage_ask(a, m->account);
	ipc_send_directory_done(
	    peer, &(struct ipc_directory_done){
		      .tag = m->tag, .outcome = directory_result_byte(DIRECTORY_DONE)});
}

void
closing_tell(struct authd *a, const struct closing *c)
{
	for (size_t i = 0; i < c->n; i++) {
		tickets_forget(&a->tickets, c->accounts[i]);
		exchanges_close(a, c->accounts[i]);
		office_close_account(a->office, c->accounts[i]);
		tell_smtpd(a, c->accounts[i]);
		tell_mail(a, c->accounts[i]);
	}
}

void
closing_release(struct closing *c)
{
	free(c->accounts);
	*c = (struct closing){0};
}
