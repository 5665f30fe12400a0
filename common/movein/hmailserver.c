#include "common/movein/hmailserver.h"

#include "common/movein/stamp.h"

#define KILOBYTE ((uint64_t)1 << 10)
#define MEGABYTE ((uint64_t)1 << 20)

/* Values of hm_accounts.accountpwencryption. */
enum {
	ENCRYPTION_NONE,
	ENCRYPTION_BLOWFISH,
	ENCRYPTION_MD5,
	ENCRYPTION_SHA256
};

/* Bits of hm_domains.domainlimitationsenabled. */
enum {
	LIMIT_ACCOUNTS = 1,
	LIMIT_ALIASES = 2,
	LIMIT_LISTS = 4
};

/* Values of hm_distributionlists.distributionlistmode; the last two in newer versions
 * only. */
enum {
	LIST_PUBLIC,
	LIST_MEMBERS,
	LIST_ANNOUNCEMENT,
	LIST_DOMAIN_MEMBERS,
	LIST_SERVER_MEMBERS
};

const char *const movein_hmailserver_tables[] = {
    "hm_domains", "hm_domain_aliases",    "hm_accounts",
    "hm_aliases", "hm_distributionlists", "hm_distributionlistsrecipients",
    NULL};

/* ---- numbers */

static void
number_add(struct movein_number **list, size_t *n, size_t *size, uint64_t number,
	   struct movein_object *o)
{
	if (*n == *size) {
		*size = *size ? *size * 2 : 32;
		*list = memory_resize(*list, *size, sizeof(**list));
	}
	(*list)[(*n)++] = (struct movein_number){number, o};
}

static struct movein_object *
number_find(const struct movein_number *list, size_t n, uint64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].number == number)
			return list[i].object;
	return NULL;
}

static void
set_limit(struct movein *m, struct movein_object *o, const char *field, uint64_t number,
	  uint64_t unit)
{
	if (number > 0 && number <= UINT64_MAX / unit)
		movein_set_number(m, o, field, number * unit);
}

/* ---- domains */

static void
take_domain(struct movein_hmailserver *h, const struct movein_row *row)
{
	struct movein *m = h->m;
	struct movein_object *o =
	    movein_add(m, MOVEIN_DOMAIN, movein_cell(row, "domainname"));
	uint64_t limits = movein_cell_number(row, "domainlimitationsenabled");
	struct span postmaster = movein_cell(row, "domainpostmaster");

	if (!o)
		return;
	number_add(&h->domains, &h->n_domains, &h->domains_size,
		   movein_cell_number(row, "domainid"), o);
	movein_set_flag(m, o, "enabled", movein_cell_flag(row, "domainactive"));
	set_limit(m, o, "quota_bytes", movein_cell_number(row, "domainmaxsize"),
		  MEGABYTE);
	set_limit(m, o, "account_quota_bytes",
		  movein_cell_number(row, "domainmaxaccountsize"), MEGABYTE);
	set_limit(m, o, "message_bytes_max",
		  movein_cell_number(row, "domainmaxmessagesize"), KILOBYTE);
	if (limits & LIMIT_ACCOUNTS)
		set_limit(m, o, "accounts_max",
			  movein_cell_number(row, "domainmaxnoofaccounts"), 1);
	if (limits & LIMIT_ALIASES)
		set_limit(m, o, "aliases_max",
			  movein_cell_number(row, "domainmaxnoofaliases"), 1);
	if (limits & LIMIT_LISTS)
		set_limit(m, o, "lists_max",
			  movein_cell_number(row, "domainmaxnoofdistributionlists"), 1);
	movein_set(m, o, "delimiters",
		   movein_cell_flag(row, "domainuseplusaddressing")
		       ? movein_cell(row, "domainplusaddressingchar")
		       : SPAN("none"));
	/* hMailServer's "catch-all address". */
	if (postmaster.n > 0) {
		struct buf at = buf_make(MOVEIN_NAME_MAX);

		buf_put_char(&at, '@');
		buf_put(&at, o->name);
		movein_put(m, movein_add(m, MOVEIN_ALIAS, buf_span(&at)), "targets",
			   postmaster);
		buf_release(&at);
	}
}

static void
take_domain_alias(struct movein_hmailserver *h, const struct movein_row *row)
{
	const struct movein_object *of = number_find(
	    h->domains, h->n_domains, movein_cell_number(row, "dadomainid"));
	struct movein_object *o =
	    movein_add(h->m, MOVEIN_DOMAIN, movein_cell(row, "daalias"));

	if (o && of)
		movein_set(h->m, o, "alias_of", of->name);
	else if (o)
		o->dropped = true;
}

/* ---- accounts */

static void
take_password(struct movein_hmailserver *h, struct movein_object *o,
	      const struct movein_row *row)
{
	static const char *const prefixes[] = {
	    [ENCRYPTION_NONE] = "{PLAIN}",
	    [ENCRYPTION_BLOWFISH] = MOVEIN_HMAIL_BLOWFISH,
	    [ENCRYPTION_MD5] = "{PLAIN-MD5}",
	    [ENCRYPTION_SHA256] = "{HMAIL-SHA256}",
	};
	uint64_t kind = movein_cell_number(row, "accountpwencryption");
	struct span text = movein_cell(row, "accountpassword");
	struct buf whole = buf_make(1024);

	if (movein_cell_flag(row, "accountisad")) {
		movein_note(h->m, o->name,
			    "its password is Active Directory's: comes without one");
		return;
	}
	if (text.n > 0 && text.at[0] != '$' && kind < N_ELEMS(prefixes))
		buf_put_str(&whole, prefixes[kind]);
	buf_put(&whole, text);
	movein_set_password(h->m, o, buf_span(&whole));
	buf_release(&whole);
}

static void
take_name(struct movein_hmailserver *h, struct movein_object *o,
	  const struct movein_row *row)
{
	struct buf name = buf_make(256);

	buf_put(&name, movein_cell(row, "accountpersonfirstname"));
	buf_put_char(&name, ' ');
	buf_put(&name, movein_cell(row, "accountpersonlastname"));
	if (span_trim(buf_span(&name), " ").n > 0)
		movein_set(h->m, o, "name", span_trim(buf_span(&name), " "));
	buf_release(&name);
}

static void
take_reply(struct movein_hmailserver *h, struct movein_object *o,
	   const struct movein_row *row)
{
	struct span text = movein_cell(row, "accountvacationmessage");
	bool on = movein_cell_flag(row, "accountvacationmessageon"), has_zone;
	uint64_t until;

	if (!on && text.n == 0)
		return;
	movein_set_flag(h->m, o, "reply_enabled", on);
	movein_set(h->m, o, "reply_subject",
		   movein_cell(row, "accountvacationsubject"));
	movein_set(h->m, o, "reply_text", text);
	if (movein_cell_flag(row, "accountvacationexpires") &&
	    movein_stamp(movein_cell(row, "accountvacationexpiredate"), &until,
			 &has_zone))
		movein_set_number(h->m, o, "reply_until", until);
}

static void
take_account(struct movein_hmailserver *h, const struct movein_row *row)
{
	struct movein *m = h->m;
	struct movein_object *o =
	    movein_add(m, MOVEIN_ACCOUNT, movein_cell(row, "accountaddress"));
	struct movein_object *domain;
	struct span forward;

	if (!o)
		return;
	domain = number_find(h->domains, h->n_domains,
			     movein_cell_number(row, "accountdomainid"));
	o->number = movein_cell_number(row, "accountid");
	/* Its folder has the letters of the address as they were typed. */
	movein_set_mail(m, o, movein_cell(row, "accountaddress"));
	take_password(h, o, row);
	take_name(h, o, row);
	take_reply(h, o, row);
	set_limit(m, o, "quota_bytes", movein_cell_number(row, "accountmaxsize"),
		  MEGABYTE);
	if (!movein_cell_flag(row, "accountactive"))
		movein_set_flag(m, o, "disabled", true);
	forward = movein_cell(row, "accountforwardaddress");
	if (movein_cell_flag(row, "accountforwardenabled") && forward.n > 0) {
		movein_put(m, o, "forward", forward);
		movein_set_flag(m, o, "forward_keep",
				movein_cell_flag(row, "accountforwardkeeporiginal"));
	}
	/* 1 administrates the domain, 2 the server. */
	if (domain && movein_cell_number(row, "accountadminlevel") > 0)
		movein_put(m, domain, "administrators", o->name);
}

/* ---- aliases and lists */

static void
take_alias(struct movein_hmailserver *h, const struct movein_row *row)
{
	struct movein_object *o;

	if (!movein_cell_flag(row, "aliasactive")) {
		movein_note(h->m, movein_cell(row, "aliasname"),
			    "an alias that is switched off: left out");
		return;
	}
	o = movein_add(h->m, MOVEIN_ALIAS, movein_cell(row, "aliasname"));
	movein_put(h->m, o, "targets", movein_cell(row, "aliasvalue"));
}

static void
take_list(struct movein_hmailserver *h, const struct movein_row *row)
{
	struct span address = movein_cell(row, "distributionlistaddress");
	struct span poster = movein_cell(row, "distributionlistrequireaddress");
	uint64_t mode = movein_cell_number(row, "distributionlistmode");
	struct movein_object *o;

	if (!movein_cell_flag(row, "distributionlistenabled")) {
		movein_note(h->m, address, "a list that is switched off: left out");
		return;
	}
	o = movein_add(h->m, MOVEIN_LIST, address);
	number_add(&h->lists, &h->n_lists, &h->lists_size,
		   movein_cell_number(row, "distributionlistid"), o);
	if (mode == LIST_ANNOUNCEMENT && poster.n > 0) {
		movein_set(h->m, o, "posting", SPAN("sender"));
		movein_set(h->m, o, "poster", poster);
	} else if (mode == LIST_MEMBERS) {
		movein_set(h->m, o, "posting", SPAN("members"));
	} else if (mode >= LIST_DOMAIN_MEMBERS) {
		/* Never wider than it was: not for anyone. */
		movein_set(h->m, o, "posting", SPAN("authenticated"));
		movein_note(
		    h->m, address,
		    mode == LIST_DOMAIN_MEMBERS
			? "was for members of its domain: now for who is logged in"
		    : mode == LIST_SERVER_MEMBERS
			? "was for members of the server: now for who is logged in"
			: "has a mode that is not known: now for who is logged in");
	} else if (movein_cell_flag(row, "distributionlistrequireauth")) {
		movein_set(h->m, o, "posting", SPAN("authenticated"));
	} else {
		movein_set(h->m, o, "posting", SPAN("anyone"));
	}
}

static void
take_recipient(struct movein_hmailserver *h, const struct movein_row *row)
{
	movein_put(
	    h->m,
	    number_find(h->lists, h->n_lists,
			movein_cell_number(row, "distributionlistrecipientlistid")),
	    "members", movein_cell(row, "distributionlistrecipientaddress"));
}

static const struct {
	const char *table;
	void (*take)(struct movein_hmailserver *h, const struct movein_row *row);
} takers[] = {
    {"hm_domains",		     take_domain      },
    {"hm_domain_aliases",              take_domain_alias},
    {"hm_accounts",		    take_account     },
    {"hm_aliases",		     take_alias       },
    {"hm_distributionlists",           take_list        },
    {"hm_distributionlistsrecipients", take_recipient   },
};

void
movein_hmailserver_row(void *hmailserver, const struct movein_row *row)
{
	struct movein_hmailserver *h = hmailserver;

	for (size_t i = 0; i < N_ELEMS(takers); i++)
		if (span_equal_nocase(row->table, span_str(takers[i].table)))
			takers[i].take(h, row);
}

void
movein_hmailserver_public(void *hmailserver, const struct movein_row *row)
{
	struct movein_hmailserver *h = hmailserver;
	struct movein_hmail_folder folder;
	struct buf name = buf_make(MOVEIN_NAME_MAX);

	if (movein_hmail_folder(row, &folder) && folder.account == 0 &&
	    folder.parent == UINT64_MAX) {
		buf_put_str(&name, "#Public/");
		buf_put(&name, folder.name);
		movein_note(h->m, buf_span(&name),
			    "a public folder: left out, with all below it");
	}
	buf_release(&name);
}

void
movein_hmailserver_release(struct movein_hmailserver *h)
{
	free(h->domains);
	free(h->lists);
	*h = (struct movein_hmailserver){0};
}
