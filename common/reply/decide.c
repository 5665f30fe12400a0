/* The rules, one after another: the sender's address, each field, then whom the fields
 * name. */
#include "common/reply/decide.h"

#include "common/mime/mime.h"

/* --- the sender ------------------------------------------------------------ */

static struct span
local_of(struct span address)
{
	return span_first(address, span_find_last(address, '@'));
}

static struct span
domain_of(struct span address)
{
	return span_after(address, span_find_last(address, '@') + 1);
}

/* Addresses behind which nobody reads [RFC3834 2] [RFC5230 4.6]. */
static const struct {
	enum {
		WHOLE,
		PREFIX,
		SUFFIX
	} at;
	const char *text;
} programs[] = {
    {WHOLE,  "mailer-daemon"},
    {WHOLE,  "mailer"       },
    {WHOLE,  "daemon"       },
    {WHOLE,  "postmaster"   },
    {WHOLE,  "listserv"     },
    {WHOLE,  "majordomo"    },
    {WHOLE,  "sympa"        },
    {WHOLE,  "mailman"      },
    {WHOLE,  "uucp"         },
    {WHOLE,  "noreply"      },
    {WHOLE,  "no-reply"     },
    {WHOLE,  "no_reply"     },
    {WHOLE,  "donotreply"   },
    {WHOLE,  "do-not-reply" },
    {WHOLE,  "bounce"       },
    {WHOLE,  "bounces"      },
    {PREFIX, "owner-"       },
    {PREFIX, "bounce-"      },
    {PREFIX, "bounces-"     },
    {PREFIX, "noreply-"     },
    {PREFIX, "no-reply-"    },
    {SUFFIX, "-request"     },
    {SUFFIX, "-owner"       },
    {SUFFIX, "-bounce"      },
    {SUFFIX, "-bounces"     },
    {SUFFIX, "-relay"       },
    {SUFFIX, "-noreply"     },
    {SUFFIX, "-no-reply"    },
    {SUFFIX, ".noreply"     },
    {SUFFIX, "-daemon"      },
    {SUFFIX, "-errors"      },
    {SUFFIX, "-confirm"     },
    {SUFFIX, "-unsubscribe" },
    {SUFFIX, "-subscribe"   },
};

/* "list-bounces+me=example.org" is list-bounces [RFC5233]. */
static bool
is_program(struct span sender)
{
	struct span local = local_of(sender);

	local = span_first(local, span_find(local, '+'));
	for (size_t i = 0; i < N_ELEMS(programs); i++) {
		struct span text = span_str(programs[i].text);

		if (programs[i].at == WHOLE    ? span_equal_nocase(local, text)
		    : programs[i].at == PREFIX ? span_starts_nocase(local, text)
					       : span_ends_nocase(local, text))
			return true;
	}
	return false;
}

static struct span
without_detail(struct span local, char delimiter)
{
	size_t n = span_find(local, delimiter);

	return n > 0 ? span_first(local, n) : local;
}

/* One of them may have a detail that the other has not. */
static bool
same_local(struct span a, struct span b, struct span delimiters)
{
	bool same = span_equal_nocase(a, b);

	for (size_t i = 0; i < delimiters.n && !same; i++)
		same = span_equal_nocase(without_detail(a, delimiters.at[i]),
					 without_detail(b, delimiters.at[i]));
	return same;
}

static bool
is_own(const struct reply_question *q, struct span local, struct span domain)
{
	for (size_t i = 0; i < q->n_own; i++)
		if (span_equal_nocase(domain, domain_of(q->own[i])) &&
		    same_local(local, local_of(q->own[i]), q->delimiters))
			return true;
	return false;
}

/* --- fields ---------------------------------------------------------------- */

/* The first word of a value, without a comment before it, or what follows. */
static struct span
word_of(struct span value)
{
	size_t n = 0;

	value = span_trim(value, " \t\r\n");
	while (n < value.n && !strchr(" \t\r\n;,(", value.at[n]))
		n++;
	return span_first(value, n);
}

static bool
word_is(struct span value, const char *const *words, size_t n)
{
	struct span word = word_of(value);

	for (size_t i = 0; i < n; i++)
		if (span_equal_nocase(word, span_str(words[i])))
			return true;
	return false;
}

/* [RFC3834 5.2]: an unknown word is another way to be automatic. */
static bool
says_automatic(struct span value)
{
	return !span_equal_nocase(word_of(value), SPAN("no"));
}

static bool
says_bulk(struct span value)
{
	static const char *const words[] = {"bulk", "list", "junk", "auto_reply"};

	return word_is(value, words, N_ELEMS(words));
}

/* A list of words, of which these forbid an answer. */
static bool
says_suppress(struct span value)
{
	static const char *const words[] = {"all", "oof", "autoreply"};

	while (value.n > 0)
		if (word_is(span_cut(&value, ','), words, N_ELEMS(words)))
			return true;
	return false;
}

static bool
says_yes(struct span value)
{
	static const char *const words[] = {"yes", "true", "spam"};

	return word_is(value, words, N_ELEMS(words));
}

static bool
says_report(struct span value)
{
	static const char *const words[] = {
	    "multipart/report", "message/delivery-status",
	    "message/disposition-notification", "message/feedback-report"};

	return word_is(value, words, N_ELEMS(words));
}

static bool
says_anything(struct span value)
{
	(void)value;
	return true;
}

/* By the whole name, or what it begins with ("list-"). */
static const struct rule {
	const char *name;
	bool (*holds)(struct span value);
	enum reply_reason reason;
} rules[] = {
    {"auto-submitted",           says_automatic, REPLY_AUTOMATIC },
    {"x-autoreply",              says_automatic, REPLY_AUTOMATIC },
    {"x-autorespond",            says_anything,  REPLY_AUTOMATIC },
    {"x-autoresponder",          says_anything,  REPLY_AUTOMATIC },
    {"precedence",               says_bulk,      REPLY_BULK      },
    {"x-precedence",             says_bulk,      REPLY_BULK      },
    {"list-",		    says_anything,  REPLY_LIST      },
    {"x-mailing-list",           says_anything,  REPLY_LIST      },
    {"mailing-list",             says_anything,  REPLY_LIST      },
    {"x-beenthere",              says_anything,  REPLY_LIST      },
    {"x-auto-response-suppress", says_suppress,  REPLY_SUPPRESSED},
    {"content-type",             says_report,    REPLY_REPORT    },
    {"x-spam-flag",              says_yes,       REPLY_SPAM      },
    {"x-spam-status",            says_yes,       REPLY_SPAM      },
    {"x-spam",		   says_yes,       REPLY_SPAM      },
};

static enum reply_reason
field_reason(const struct mime_header *h)
{
	for (size_t i = 0; i < N_ELEMS(rules); i++) {
		struct span name = span_str(rules[i].name);
		bool begins = name.at[name.n - 1] == '-';

		if ((begins ? span_starts_nocase(h->name, name)
			    : span_equal_nocase(h->name, name)) &&
		    rules[i].holds(h->value))
			return rules[i].reason;
	}
	return REPLY_DUE;
}

static bool
names_recipients(struct span name)
{
	static const char *const names[] = {"to",        "cc",        "bcc",
					    "resent-to", "resent-cc", "resent-bcc"};

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (span_equal_nocase(name, span_str(names[i])))
			return true;
	return false;
}

/* REPLY_DUE when the field names the account. */
static enum reply_reason
named_reason(const struct reply_question *q, struct span value)
{
	enum reply_reason reason = REPLY_NOT_NAMED;
	struct mime_addresses list;

	mime_addresses_init(&list);
	if (!mime_addresses_parse(&list, value))
		reason = REPLY_TOO_MUCH;
	for (size_t i = 0; i < list.n; i++)
		if (list.at[i].kind == MIME_ADDRESS_MAILBOX && list.at[i].host.at &&
		    is_own(q, list.at[i].mailbox, list.at[i].host))
			reason = REPLY_DUE;
	mime_addresses_release(&list);
	return reason;
}

static enum reply_reason
header_reason(const struct reply_question *q)
{
	enum reply_reason reason, named = REPLY_NOT_NAMED, found;
	struct mime_headers walk;
	struct mime_header h;

	mime_headers_init(&walk, q->header);
	while (mime_headers_next(&walk, &h)) {
		if (h.id == MIME_HEADER_OPAQUE)
			continue;
		reason = field_reason(&h);
		if (reason != REPLY_DUE)
			return reason;
		if (named == REPLY_DUE || !names_recipients(h.name))
			continue;
		found = named_reason(q, h.value);
		if (found != REPLY_NOT_NAMED)
			named = found;
	}
	return named;
}

/* --- the whole ------------------------------------------------------------- */

enum reply_reason
reply_decide(const struct reply_question *q)
{
	if (q->sender.n == 0)
		return REPLY_NULL_SENDER;
	if (is_program(q->sender))
		return REPLY_SENDER_PROGRAM;
	if (is_own(q, local_of(q->sender), domain_of(q->sender)))
		return REPLY_SENDER_SELF;
	return header_reason(q);
}

const char *
reply_reason_text(enum reply_reason reason)
{
	static const char *const texts[REPLY_REASONS] = {
	    [REPLY_DUE] = "due",
	    [REPLY_NULL_SENDER] = "null sender",
	    [REPLY_SENDER_PROGRAM] = "sent by a program",
	    [REPLY_SENDER_SELF] = "sent by the account itself",
	    [REPLY_AUTOMATIC] = "automatic",
	    [REPLY_BULK] = "bulk",
	    [REPLY_LIST] = "of a list",
	    [REPLY_SUPPRESSED] = "wants no answer",
	    [REPLY_REPORT] = "a report",
	    [REPLY_SPAM] = "spam",
	    [REPLY_NOT_NAMED] = "does not name the account",
	    [REPLY_TOO_MUCH] = "too many addresses",
	};

	return (size_t)reason < REPLY_REASONS ? texts[reason] : "?";
}
