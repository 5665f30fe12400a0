/* flags and keywords, by name and by bit */
#include "imapd/session/inner.h"

static const struct {
	uint32_t bit;
	struct span name;
} system_flags[] = {
    {STORE_ANSWERED, {"\\Answered", 9}},
    {STORE_FLAGGED,  {"\\Flagged", 8} },
    {STORE_DELETED,  {"\\Deleted", 8} },
    {STORE_SEEN,     {"\\Seen", 5}    },
    {STORE_DRAFT,    {"\\Draft", 6}   },
};

#define SYSTEM_FLAGS_BYTES 64 /* all of them with spaces, \Recent and parentheses */

static char *
add(char *at, struct span name)
{
	memcpy(at, name.at, name.n);
	at[name.n] = ' ';
	return at + name.n + 1;
}

static void
put_keywords(const struct session *s, uint64_t keywords, struct buf *out)
{
	for (; keywords != 0; keywords &= keywords - 1) {
		buf_put(out, store_keyword_name(s->account->mail,
						__builtin_ctzll(keywords)));
		buf_put_char(out, ' ');
	}
}

void
put_flags(const struct session *s, const struct store_record *record, struct buf *out)
{
	char *start, *at;

	start = at = buf_extend(out, SYSTEM_FLAGS_BYTES);
	if (!start)
		return;
	*at++ = '(';
	for (size_t i = 0; i < N_ELEMS(system_flags); i++)
		if (record->flags & system_flags[i].bit)
			at = add(at, system_flags[i].name);
	if (s->view.recent.n > 0 && !(s->enabled & IMAP_ENABLE_REV2) &&
	    view_recent(&s->view, record->uid))
		at = add(at, SPAN("\\Recent"));
	out->n -= SYSTEM_FLAGS_BYTES - (size_t)(at - start);
	if (record->keywords != 0)
		put_keywords(s, record->keywords, out);
	/* The space after the last becomes the parenthesis. */
	if (out->at[out->n - 1] == ' ')
		out->at[out->n - 1] = ')';
	else
		buf_put_char(out, ')');
}

/* All keywords there are. */
static uint64_t
keywords_all(const struct session *s)
{
	uint64_t all = 0;

	for (int i = 0; i < STORE_KEYWORDS_MAX; i++)
		if (store_keyword_name(s->account->mail, i).n > 0)
			all |= UINT64_C(1) << i;
	return all;
}

static void
put_names(const struct session *s, uint64_t keywords, struct buf *out)
{
	for (size_t i = 0; i < N_ELEMS(system_flags); i++) {
		buf_put(out, system_flags[i].name);
		buf_put_char(out, ' ');
	}
	put_keywords(s, keywords, out);
}

void
put_flags_lines(struct session *s, struct buf *out)
{
	uint64_t all = s->view.keywords = keywords_all(s);

	buf_put_str(out, "* FLAGS (");
	put_names(s, all, out);
	out->n--;
	buf_put_str(out, ")\r\n* OK [PERMANENTFLAGS (");
	if (!s->view.read_only) {
		put_names(s, all, out);
		if (all != UINT64_MAX)
			buf_put_str(out, "\\*");
		else
			out->n--;
	}
	buf_put_str(out, ")] Flags permitted\r\n");
}

void
put_flags_news(struct session *s, struct buf *out)
{
	if (s->state == S_SELECTED && keywords_all(s) != s->view.keywords)
		put_flags_lines(s, out);
}

enum store_result
flags_bits(struct session *s, const struct imap_flags *flags, bool add_new,
	   int64_t now_us, uint64_t *keywords, struct err *err)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < flags->n_keywords; i++) {
		int bit = store_keyword_find(s->account->mail, flags->keywords[i]);
		enum store_result result = STORE_OK;

		if (bit < 0 && add_new)
			result = store_keyword_add(s->account->mail, flags->keywords[i],
						   now_us, &bit, err);
		if (result != STORE_OK)
			return result;
		if (bit >= 0)
			bits |= UINT64_C(1) << bit;
	}
	*keywords = bits;
	return STORE_OK;
}
