#include "authd/notice.h"
#include "authd/authd.h"

/* A letter that bounce was asked for. */
struct letter {
	uint64_t tag; /* 0: the place is free */
	uint64_t account;
	uint64_t domain; /* 0: of the account's own quota */
	uint8_t percent;
	char domain_name[DIRECTORY_DOMAIN_MAX + 1];
};

struct notices {
	uint64_t next_tag;
	size_t n;
	struct letter letters[NOTICES_MAX];
};

/* Whether somebody is to be told; asked of the directory. */
struct weighing {
	struct errand errand;
	uint64_t account;
	uint64_t domain; /* 0: the account's own quota is weighed */

	char domain_name[DIRECTORY_DOMAIN_MAX + 1];
	char name[DIRECTORY_ADDRESS_MAX + 1];
	uint64_t quota_bytes, told_percent;
	struct arena arena;
	struct span to[NOTICE_TO_MAX];
	size_t n_to;
	enum directory_result result;
	struct err err;
};

/* What was told, to be kept. */
struct noting {
	struct errand errand;
	uint64_t account;
	uint8_t percent;
	char about[DIRECTORY_DOMAIN_MAX + 1];
	enum directory_result result;
	struct err err;
};

struct notices *
notices_new(void)
{
	struct notices *n = memory_new(1, sizeof(*n));

	return n;
}

void
notices_free(struct notices **n)
{
	free(*n);
	*n = NULL;
}

/* ---- shares */

/* The highest share that is reached; 0 none. */
static uint8_t
percent_of(const struct authd *a, uint64_t used, uint64_t quota_bytes)
{
	const struct settings *s = proc_settings(a->proc);
	const uint64_t percents[] = {s->quota_warning_percent,
				     s->quota_warning_last_percent};
	uint64_t reached = 0;

	for (size_t i = 0; i < N_ELEMS(percents) && quota_bytes > 0; i++)
		if (percents[i] > reached &&
		    (double)used * 100 >= (double)quota_bytes * (double)percents[i])
			reached = percents[i];
	return (uint8_t)reached;
}

/* How much is used, and what is known of what was told; null when either is not. */
static struct usage_mark *
mark_of(const struct authd *a, uint64_t account, uint64_t domain, uint64_t *used)
{
	if (domain == 0)
		return usages_peek(a->usages, account, used)
			   ? usages_mark(a->usages, account)
			   : NULL;
	if (usages_domain_get(a->usages, domain, used) != USAGE_KNOWN)
		return NULL;
	return usages_domain_mark(a->usages, domain);
}

static void
forget(const struct authd *a, uint64_t account, uint64_t domain)
{
	uint64_t used;
	struct usage_mark *mark = mark_of(a, account, domain, &used);

	if (mark)
		*mark = (struct usage_mark){0};
}

/* ---- noting what was told */

static void
note(struct directory *d, struct errand *e)
{
	struct noting *n = (struct noting *)e;
	const struct directory_note row = {.kind = DIRECTORY_NOTE_QUOTA,
					   .account = n->account,
					   .about = span_str(n->about),
					   .value = n->percent};

	n->result = n->percent ? directory_note_put(d, &row, &n->err)
			       : directory_note_remove(d, row.kind, row.account,
						       row.about, &n->err);
}

static void
noted(struct errand *e)
{
	struct noting *n = (struct noting *)e;

	if (n->result != DIRECTORY_DONE)
		logline(LOGLINE_WARNING, "quota.fault", L_U64("account", n->account),
			L_STR("domain", n->about), L_ERR(&n->err));
	free(n);
}

static const struct errand_kind noting = {DIRECTORY_CHANGES, note, noted, noted};

/* A domain's note is nobody's, and about its name. */
static void
note_percent(struct authd *a, uint64_t account, const char *domain_name,
	     uint8_t percent)
{
	struct noting *n = memory_new(1, sizeof(*n));

	n->errand = (struct errand){.kind = &noting, .authd = a};
	n->account = domain_name[0] ? 0 : account;
	n->percent = percent;
	memcpy(n->about, domain_name, sizeof(n->about));
	if (errand_run(&n->errand))
		return;
	n->result =
	    (enum directory_result)err_set(&n->err, "too many wait for the directory");
	noted(&n->errand);
}

/* ---- letters */

static struct letter *
letter_find(struct notices *n, uint64_t tag)
{
	for (size_t i = 0; i < NOTICES_MAX; i++)
		if (n->letters[i].tag == tag)
			return &n->letters[i];
	return NULL;
}

static bool
send_letter(struct authd *a, const struct weighing *w, struct span to, uint8_t percent,
	    uint64_t used)
{
	struct ipc_peer *bounce = proc_peer(a->proc, IPC_KIND_BOUNCE, 0);
	struct letter *letter = bounce ? letter_find(a->notices, 0) : NULL;

	if (!letter)
		return false;
	*letter =
	    (struct letter){++a->notices->next_tag, w->account, w->domain, percent, ""};
	memcpy(letter->domain_name, w->domain_name, sizeof(letter->domain_name));
	a->notices->n++;
	a->count.notices++;
	ipc_send_notice(
	    bounce,
	    &(struct ipc_notice){.tag = letter->tag,
				 .kind = w->domain ? NOTICE_DOMAIN_QUOTA : NOTICE_QUOTA,
				 .account = w->domain ? 0 : w->account,
				 .percent = percent,
				 .used_bytes = used,
				 .limit_bytes = w->quota_bytes,
				 .address = to,
				 .name = span_str(w->name)});
	return true;
}

void
notice_done(struct authd *a, struct ipc_peer *peer, const struct ipc_noticed *m)
{
	struct letter *letter = m->tag ? letter_find(a->notices, m->tag) : NULL;

	if (!letter) {
		ipc_peer_drop(peer, "an answer to no notice");
		return;
	}
	if (m->ok)
		note_percent(a, letter->account, letter->domain_name, letter->percent);
	else
		forget(a, letter->account, letter->domain);
	letter->tag = 0;
	a->notices->n--;
}

void
notices_lost(struct authd *a)
{
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct letter *letter = &a->notices->letters[i];

		if (letter->tag == 0)
			continue;
		forget(a, letter->account, letter->domain);
		letter->tag = 0;
	}
	a->notices->n = 0;
}

/* ---- weighing */

/* The administrators of the domain, or its postmaster. */
static enum directory_result
find_readers(struct directory *d, struct weighing *w)
{
	struct buf postmaster = buf_make(DIRECTORY_ADDRESS_MAX);
	struct directory_object domain;
	struct cursor items;
	enum directory_result r =
	    directory_find(d, DIRECTORY_DOMAIN, span_str(w->domain_name), SPAN(""),
			   &w->arena, &domain, &w->err);

	if (r != DIRECTORY_DONE)
		return r;
	items = cursor_make(domain.values[FIELD_DOMAIN_ADMINISTRATORS].text);
	while (w->n_to < NOTICE_TO_MAX && directory_item_next(&items, &w->to[w->n_to]))
		w->n_to++;
	if (w->n_to == 0) {
		buf_put_str(&postmaster, "postmaster@");
		buf_put_str(&postmaster, w->domain_name);
		w->n_to = arena_copy(&w->arena, buf_span(&postmaster), &w->to[0]);
	}
	buf_release(&postmaster);
	return DIRECTORY_DONE;
}

static enum directory_result
look_up_domain(struct directory *d, struct weighing *w, struct span address)
{
	struct span name = span_after(address, span_find_last(address, '@') + 1);
	struct directory_domain domain;
	enum directory_result r = directory_domain_find(d, name, &domain, &w->err);

	if (r != DIRECTORY_DONE || domain.id != w->domain)
		return r == DIRECTORY_DONE ? DIRECTORY_NOT_FOUND : r;
	w->quota_bytes = domain.quota_bytes;
	memcpy(w->domain_name, domain.name, sizeof(w->domain_name));
	memcpy(w->name, domain.name, sizeof(domain.name));
	return w->quota_bytes ? find_readers(d, w) : DIRECTORY_DONE;
}

static enum directory_result
look_up_quota(struct directory *d, struct weighing *w)
{
	struct directory_account account;
	enum directory_result r =
	    directory_account_find_id(d, w->account, &account, &w->err);

	if (r != DIRECTORY_DONE)
		return r;
	directory_password_wipe(&account.password);
	if (w->domain)
		return look_up_domain(d, w, span_str(account.address));
	w->quota_bytes = account.quota_bytes;
	memcpy(w->name, account.address, sizeof(w->name));
	w->to[0] = span_str(w->name);
	w->n_to = 1;
	return DIRECTORY_DONE;
}

static void
weigh(struct directory *d, struct errand *e)
{
	struct weighing *w = (struct weighing *)e;

	arena_release(&w->arena);
	arena_init(&w->arena, DIRECTORY_ARENA_BYTES);
	w->n_to = 0;
	w->domain_name[0] = '\0';
	w->quota_bytes = w->told_percent = 0;
	w->result = look_up_quota(d, w);
	if (w->result == DIRECTORY_DONE && w->quota_bytes &&
	    directory_note_find(d, DIRECTORY_NOTE_QUOTA, w->domain ? 0 : w->account,
				span_str(w->domain_name), 0, &w->told_percent,
				&w->err) < 0)
		w->result = DIRECTORY_FAULT;
}

static void
weighing_free(struct errand *e)
{
	struct weighing *w = (struct weighing *)e;

	arena_release(&w->arena);
	free(w);
}

static void
tell(struct authd *a, const struct weighing *w, struct usage_mark *mark, uint64_t used)
{
	uint8_t percent = percent_of(a, used, w->quota_bytes);
	bool told = false;

	*mark = (struct usage_mark){
	    .quota_bytes = w->quota_bytes, .percent = percent, .known = true};
	if (percent < w->told_percent)
		note_percent(a, w->account, w->domain_name, percent);
	if (percent <= w->told_percent)
		return;
	for (size_t i = 0; i < w->n_to; i++)
		told |= send_letter(a, w, w->to[i], percent, used);
	logline(LOGLINE_INFO, "quota.notice", L_STR("name", w->name),
		L_U64("percent", percent), L_U64("used", used),
		L_U64("quota", w->quota_bytes), L_U64("sent", told));
	mark->known = told;
}

static void
weighed(struct errand *e)
{
	struct weighing *w = (struct weighing *)e;
	struct authd *a = e->authd;
	uint64_t used;
	struct usage_mark *mark = mark_of(a, w->account, w->domain, &used);

	if (mark)
		mark->asking = false;
	if (w->result == DIRECTORY_FAULT)
		logline(LOGLINE_WARNING, "quota.fault", L_U64("account", w->account),
			L_STR("domain", w->domain_name), L_ERR(&w->err));
	if (mark && w->result == DIRECTORY_DONE)
		tell(a, w, mark, used);
	weighing_free(e);
}

static const struct errand_kind weigh_kind = {DIRECTORY_READS, weigh, weighed,
					      weighing_free};

static void
consider(struct authd *a, uint64_t account, uint64_t domain)
{
	uint64_t used;
	struct usage_mark *mark = mark_of(a, account, domain, &used);
	struct weighing *w;

	if (!mark || mark->asking ||
	    (mark->known && percent_of(a, used, mark->quota_bytes) == mark->percent))
		return;
	w = memory_new(1, sizeof(*w));
	w->errand = (struct errand){.kind = &weigh_kind, .authd = a};
	w->account = account;
	w->domain = domain;
	arena_init(&w->arena, DIRECTORY_ARENA_BYTES);
	mark->asking = true;
	if (errand_run(&w->errand))
		return;
	mark->asking = false;
	weighing_free(&w->errand);
}

void
notice_consider(struct authd *a, uint64_t account)
{
	const struct settings *s = proc_settings(a->proc);
	uint64_t domain = usages_domain_of(a->usages, account);

	if (s->quota_warning_percent == 0 && s->quota_warning_last_percent == 0)
		return;
	consider(a, account, 0);
	if (domain)
		consider(a, account, domain);
}
