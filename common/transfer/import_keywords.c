/* the keywords of a mailbox of the source as bits of the account's */
#include "common/transfer/import_internal.h"

/* May a client be told of it? [RFC9051 9] flag-keyword is an atom. */
static bool
keyword_good(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.at[i] <= ' ' || name.at[i] >= 0x7f ||
		    strchr("(){%*\"\\]", name.at[i]))
			return false;
	return name.n > 0;
}

static void
keyword_lost(struct import_box *box, const char *why)
{
	import_note(box->im, box->name, "", why);
	box->counts.keywords_lost++;
}

enum store_result
import_keywords_have(struct import_box *box)
{
	struct import *im = box->im;
	enum store_result result = STORE_OK;
	uint64_t used = 0;

	for (size_t i = 0; i < box->from->n; i++)
		used |= box->from->messages[i].keywords;
	for (size_t i = 0; i < box->from->n_keywords && result == STORE_OK; i++) {
		int bit = -1;

		if (!(used >> i & 1))
			continue;
		if (!keyword_good(box->from->keywords[i])) {
			keyword_lost(box, "a keyword is no word of IMAP");
			continue;
		}
		result = store_keyword_add(im->account, box->from->keywords[i],
					   im->options->now_us, &bit, im->err);
		if (result == STORE_OK) {
			box->keyword_bits[i] = UINT64_C(1) << bit;
		} else if (result == STORE_LIMIT) {
			keyword_lost(box, im->err->text);
			result = STORE_OK;
		}
	}
	return result;
}

uint64_t
import_keywords(const struct import_box *box, uint64_t keywords)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < box->from->n_keywords; i++)
		if (keywords >> i & 1)
			bits |= box->keyword_bits[i];
	return bits;
}

void
import_keywords_guess(struct import_box *box)
{
	const struct store_account *a = box->im->account;
	uint64_t used = 0;
	int bit = 0;

	for (size_t i = 0; a && i < box->from->n_keywords; i++) {
		int found = keyword_good(box->from->keywords[i])
				? store_keyword_find(a, box->from->keywords[i])
				: -1;

		if (found >= 0)
			box->keyword_bits[i] = UINT64_C(1) << found;
		used |= box->keyword_bits[i];
	}
	for (size_t i = 0; a && i < box->from->n_keywords; i++) {
		if (box->keyword_bits[i] > 0 || !keyword_good(box->from->keywords[i]))
			continue;
		while (bit < STORE_KEYWORDS_MAX &&
		       (used >> bit & 1 || store_keyword_name(a, bit).n > 0))
			bit++;
		if (bit < STORE_KEYWORDS_MAX)
			box->keyword_bits[i] = UINT64_C(1) << bit++;
	}
}
