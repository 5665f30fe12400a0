#include "common/maildir/source.h"

/* Dovecot's 15-mailboxes.conf, Courier, and what Apple Mail, Outlook, Thunderbird and
 * the web mailers make. */
static const struct {
	const char *name;
	enum mail_use use;
} uses[] = {
    {"Drafts",           MAIL_USE_DRAFTS },
    {"Draft",            MAIL_USE_DRAFTS },
    {"Sent",	     MAIL_USE_SENT   },
    {"Sent Messages",    MAIL_USE_SENT   },
    {"Sent Items",       MAIL_USE_SENT   },
    {"Sent Mail",        MAIL_USE_SENT   },
    {"sent-mail",        MAIL_USE_SENT   },
    {"Trash",            MAIL_USE_TRASH  },
    {"Deleted",          MAIL_USE_TRASH  },
    {"Deleted Messages", MAIL_USE_TRASH  },
    {"Deleted Items",    MAIL_USE_TRASH  },
    {"Junk",             MAIL_USE_JUNK   },
    {"Junk E-mail",      MAIL_USE_JUNK   },
    {"Junk Email",       MAIL_USE_JUNK   },
    {"Spam",	     MAIL_USE_JUNK   },
    {"Bulk Mail",        MAIL_USE_JUNK   },
    {"Archive",          MAIL_USE_ARCHIVE},
    {"Archives",         MAIL_USE_ARCHIVE},
};

enum mail_use
mail_use_of(struct span name)
{
	if (span_starts_nocase(name, SPAN("INBOX/")))
		name = span_after(name, 6);
	for (size_t i = 0; i < N_ELEMS(uses); i++)
		if (span_equal_nocase(name, span_str(uses[i].name)))
			return uses[i].use;
	return MAIL_USE_NONE;
}
