/* A notice of authd's: that a mailbox, or a domain, is nearly full. */
#include "delivery/bounce/bounce.h"

static const enum dsn_kind kinds[] = {
    [NOTICE_QUOTA] = DSN_QUOTA,
    [NOTICE_DOMAIN_QUOTA] = DSN_DOMAIN_QUOTA,
};

/* An account's own mailbox takes it, however full: it is not asked where that leads,
 * since it would be refused. */
static void
target_own(struct report *r, uint64_t account)
{
	struct target t = {
	    .kind = TARGET_ACCOUNT, .account = account, .address = r->request.sender};

	target_put(&r->targets, &t);
	r->state = REPORT_READY;
}

bool
notice_take(struct bounce *b, const struct ipc_notice *m)
{
	struct report *r;
	char *at;

	if (m->kind >= N_ELEMS(kinds) || m->address.n == 0 ||
	    m->address.n > TARGET_ADDRESS_MAX || m->name.n > TARGET_ADDRESS_MAX)
		return false;
	r = report_new(b, REPORT_NOTICE);
	at = r->bytes = memory_new(m->address.n + m->name.n + 1, 1);
	r->notice_tag = m->tag;
	r->reader = DSN_TO_SENDER;
	r->request = (struct dsn_request){
	    .kind = kinds[m->kind],
	    .sender = report_text(&at, m->address),
	    .quota = {.name = report_text(&at, m->name),
		      .percent = m->percent,
		      .used_bytes = m->used_bytes,
		      .limit_bytes = m->limit_bytes}
        };
	if (b->n_reports > REPORTS_MAX || b->draining)
		report_later(b, r, "too many reports at once");
	else if (m->account != 0)
		target_own(r, m->account);
	else
		report_ask(b, r, DSN_TO_SENDER, r->request.sender);
	return true;
}

void
notice_stored(struct bounce *b, struct report *r)
{
	char letter[QUEUE_ID_TEXT_SIZE];

	queue_id_format(r->letter_id, letter);
	b->count.notices++;
	logline(LOGLINE_INFO, "bounce.notice", L_STR("report", letter),
		L_STR("kind", r->request.kind == DSN_QUOTA ? "quota" : "domain_quota"),
		L_SPAN("to", r->request.sender), L_SPAN("about", r->request.quota.name),
		L_U64("percent", r->request.quota.percent));
	report_answer(b, r, REPORT_MADE, "");
}
