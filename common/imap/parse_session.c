/* ID, ENABLE, COMPRESS, quotas */
#include "common/imap/cursor.h"

#define ID_PAIRS_MAX 30 /* [RFC2971 3.3] */

void
imap_parse_id(struct imap_cursor *c, struct imap_command *out)
{
	struct imap_id *id = &out->id_pairs;
	struct span *pairs = NULL;
	bool first = true;

	imap_space(c, "ID: a list or NIL was expected");
	if (imap_take_word(c, SPAN("NIL")) ||
	    !imap_list_open(c, "ID: a list or NIL was expected"))
		return;
	while (imap_list_next(c, &first)) {
		if (id->n_pairs == 2 * ID_PAIRS_MAX) {
			imap_fail_limit(c, "ID: more than 30 fields");
			return;
		}
		/* Room grows by even numbers: for the value as well. */
		if (!imap_grow(c, &pairs, id->n_pairs, sizeof(*pairs)))
			return;
		pairs[id->n_pairs++] = imap_string(c, "ID: a string was expected");
		imap_space(c, "ID: a field has no value");
		pairs[id->n_pairs++] =
		    imap_nstring(c, "ID: a string or NIL was expected");
	}
	id->pairs = pairs;
}

/* What is not known is let pass [RFC5161 3.1]. */
void
imap_parse_enable(struct imap_cursor *c, struct imap_command *out)
{
	static const struct imap_word words[] = {
	    {SPAN("CONDSTORE"),   IMAP_ENABLE_CONDSTORE},
	    {SPAN("QRESYNC"),     IMAP_ENABLE_QRESYNC  },
	    {SPAN("UTF8=ACCEPT"), IMAP_ENABLE_UTF8     },
	    {SPAN("IMAP4rev2"),   IMAP_ENABLE_REV2     },
	};
	unsigned value;

	imap_space(c, "ENABLE: a capability was expected");
	do
		if (imap_word_find(imap_atom(c, "ENABLE: a capability was expected"),
				   words, N_ELEMS(words), &value))
			out->enable |= value;
	while (imap_more(c));
}

void
imap_parse_compress(struct imap_cursor *c, struct imap_command *out)
{
	(void)out;
	imap_space(c, "COMPRESS: an algorithm was expected");
	if (!imap_take_word(c, SPAN("DEFLATE")))
		imap_fail(c, "COMPRESS: DEFLATE is the only algorithm");
}

/* "(STORAGE 512 MESSAGE 100)" [RFC9208 4.1]; quotas are the operator's to set, so
 * that nothing is kept of it. */
static void
quota_limits(struct imap_cursor *c)
{
	bool first = true;

	imap_space(c, "SETQUOTA: a list of limits was expected");
	if (!imap_list_open(c, "SETQUOTA: a list of limits was expected"))
		return;
	while (imap_list_next(c, &first)) {
		imap_atom(c, "SETQUOTA: a resource was expected");
		imap_space(c, "SETQUOTA: a resource has no limit");
		imap_number(c, 0, IMAP_NUMBER64_MAX, "SETQUOTA: a limit is no number");
	}
}

void
imap_parse_quota(struct imap_cursor *c, struct imap_command *out)
{
	imap_space(c, "a quota root was expected");
	out->root = imap_astring(c, "a quota root was expected");
	if (out->id == IMAP_SETQUOTA)
		quota_limits(c);
}
