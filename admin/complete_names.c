/* admin/complete_names.c - the names that could stand for a word of the arguments */
#include "admin/complete.h"
#include "admin/directory.h"
#include "admin/mailbox.h"

#define PAGES_MAX 10 /* of names from the directory */

/* ---- names of the directory */

struct page {
	struct completion *c;
	char last[DIRECTORY_ADDRESS_MAX + 1];
	size_t rows;
};

static void
take_name(void *context, const struct directory_object *row)
{
	struct page *page = context;

	page->rows += span_copy(row->name, page->last, sizeof(page->last));
	complete_offer(page->c, row->name);
}

/* Of a large directory the first pages only: a shell does not wait. */
static void
offer_names(struct completion *c, enum directory_kind kind, const char *domain)
{
	struct page page = {.c = c};

	for (int i = 0; i < PAGES_MAX; i++) {
		char after[sizeof(page.last)];
		struct directory_request request = {
		    .verb = DIRECTORY_LISTING,
		    .object = {.kind = kind, .name = span_str(domain)}
                };

		memcpy(after, page.last, sizeof(after));
		request.after = span_str(after);
		page.rows = 0;
		if (directory_ask(c->admin, &request, take_name, &page) != EXIT_DONE ||
		    page.rows == 0)
			return;
	}
}

struct at_domain {
	struct completion *c;
	struct span local; /* "joe@" */
};

static void
take_domain(void *context, const struct directory_object *row)
{
	struct at_domain *at = context;
	char address[DIRECTORY_ADDRESS_MAX + 1];

	snprintf(address, sizeof(address), "%.*s%.*s", SPAN_ARG(at->local),
		 SPAN_ARG(row->name));
	complete_offer(at->c, span_str(address));
}

/* Of "joe@exam" the domain first; then who is there. */
static void
offer_addresses(struct completion *c, enum directory_kind kind)
{
	struct span typed = span_str(c->typed);
	size_t at = span_find_last(typed, '@');
	struct at_domain domains = {c, span_first(typed, at + 1)};
	const struct directory_request request = {.verb = DIRECTORY_LISTING,
						  .object = {.kind = DIRECTORY_DOMAIN}};

	if (at == typed.n)
		offer_names(c, kind, "");
	else
		offer_names(c, kind, c->typed + at + 1);
	if (c->shown == 0 && at < typed.n &&
	    directory_ask(c->admin, &request, take_domain, &domains) != EXIT_DONE)
		return;
}

/* "group:" and a name of one, too. */
static void
offer_members(struct completion *c)
{
	static const char before[] = "group:";
	struct completion groups = *c;

	offer_addresses(c, DIRECTORY_ACCOUNT);
	if (!span_starts(span_str(c->typed), span_str(before)))
		return;
	groups.typed += strlen(before);
	groups.before = before;
	offer_addresses(&groups, DIRECTORY_GROUP);
}

/* ---- mailboxes */

static void
offer_mailboxes(struct completion *c)
{
	struct store_mailbox mailbox = {0};
	struct mailbox box;

	if (!c->account ||
	    mailbox_open(c->admin, c->account, STORE_MUST_EXIST, &box) != EXIT_DONE)
		return;
	while (box.account && store_mailbox_next(box.account, mailbox.id, &mailbox))
		complete_offer(c, mailbox.name);
	mailbox_close(&box);
}

static void
take_removed(void *context, const struct removed *r)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)r->id);
	complete_offer(context, span_str(number));
}

static void
offer_removed(struct completion *c)
{
	(void)!removed_each(c->admin, take_removed, c);
}

/* ---- one argument */

enum source {
	SOURCE_WORD, /* itself, when it is lower-case */
	SOURCE_FILES,
	SOURCE_DOMAINS,
	SOURCE_ACCOUNTS,
	SOURCE_ALIASES,
	SOURCE_LISTS,
	SOURCE_GROUPS,
	SOURCE_MEMBERS, /* of a list */
	SOURCE_MAILBOXES,
	SOURCE_REMOVED, /* accounts */
};

/* What a word of the arguments stands for, by the noun of the command where that
 * matters; the first row that fits. */
static const struct {
	const char *noun; /* null: any */
	const char *word;
	enum source source;
} sources[] = {
    {"domain",  "NAME",        SOURCE_DOMAINS  },
    {"export",  "NAME",        SOURCE_DOMAINS  },
    {"import",  "NAME",        SOURCE_DOMAINS  },
    {"alias",   "ADDRESS",     SOURCE_ALIASES  },
    {"list",    "ADDRESS",     SOURCE_LISTS    },
    {"list",    "MEMBER",      SOURCE_MEMBERS  },
    {"group",   "NAME@DOMAIN", SOURCE_GROUPS   },
    {"restore", "NAME",        SOURCE_MAILBOXES},
    {"mailbox", "MAILBOX",     SOURCE_MAILBOXES},
    {"mailbox", "NUMBER",      SOURCE_REMOVED  },
    {NULL,      "USER@DOMAIN", SOURCE_ACCOUNTS },
    {NULL,      "ACCOUNT",     SOURCE_ACCOUNTS },
    {NULL,      "TARGET",      SOURCE_ACCOUNTS },
    {NULL,      "ADDRESS",     SOURCE_ACCOUNTS },
    {NULL,      "DOMAIN",      SOURCE_DOMAINS  },
    {NULL,      "FILE",        SOURCE_FILES    },
    {NULL,      "DIR",         SOURCE_FILES    },
    {NULL,      "SOURCE",      SOURCE_FILES    },
    {NULL,      "DEST",        SOURCE_FILES    },
};

static enum source
source_of(const char *noun, struct span word)
{
	for (size_t i = 0; i < N_ELEMS(sources); i++)
		if (span_equal(word, span_str(sources[i].word)) &&
		    (!sources[i].noun || strcmp(sources[i].noun, noun) == 0))
			return sources[i].source;
	return SOURCE_WORD;
}

void
complete_word(struct completion *c, const char *noun, struct span word)
{
	switch (source_of(noun, word)) {
	case SOURCE_WORD:
		if (word.n > 0 && word.at[0] >= 'a' && word.at[0] <= 'z')
			complete_offer(c, word);
		break;
	case SOURCE_FILES:
		puts(":files");
		break;
	case SOURCE_DOMAINS:
		offer_names(c, DIRECTORY_DOMAIN, "");
		break;
	case SOURCE_ACCOUNTS:
		offer_addresses(c, DIRECTORY_ACCOUNT);
		break;
	case SOURCE_ALIASES:
		offer_addresses(c, DIRECTORY_ALIAS);
		break;
	case SOURCE_LISTS:
		offer_addresses(c, DIRECTORY_LIST);
		break;
	case SOURCE_GROUPS:
		offer_addresses(c, DIRECTORY_GROUP);
		break;
	case SOURCE_MEMBERS:
		offer_members(c);
		break;
	case SOURCE_MAILBOXES:
		offer_mailboxes(c);
		break;
	case SOURCE_REMOVED:
		offer_removed(c);
		break;
	}
}
