#include "common/advice/table.h"

/* What each thing that fits is worth: a text says most, but less than a code of the
 * host's own, and the class of the code only where nothing else is named. */
enum {
	WEIGHT_PHRASE = 100,
	WEIGHT_HOST = 60,
	WEIGHT_ENHANCED = 60,
	WEIGHT_CODE = 10,
};

#define TEXT_BYTES_MAX 1024 /* of a text that is looked at */

static const struct advice_part *const parts[] = {
    &advice_providers, &advice_more_providers, &advice_filters,
    &advice_ours,      &advice_generic,
};

struct reply {
	struct span host;
	unsigned code;
	const uint16_t *enhanced;
	struct span text;
};

/* --- one thing that a row names ------------------------------------------------ */

/* "mx.example.org[192.0.2.1]" is "mx.example.org" or at ".example.org". */
static bool
host_fits(const char *hosts, struct span host)
{
	struct span rest = span_str(hosts);

	host = span_first(host, span_find(host, '['));
	while (rest.n > 0) {
		struct span end = span_cut(&rest, ' ');
		bool whole = end.n == host.n ||
			     (end.n < host.n && host.at[host.n - end.n - 1] == '.');

		if (whole && span_ends_nocase(host, end))
			return true;
	}
	return false;
}

static bool
code_fits(unsigned named, unsigned code)
{
	return named < 10 ? named == code / 100 : named == code;
}

/* "26", or "606-649" */
static bool
detail_fits(struct span text, uint16_t detail)
{
	struct span low = span_cut(&text, '-');
	uint64_t from, to;

	if (!number_parse(low, UINT16_MAX, &from))
		return false;
	to = from;
	return (text.n == 0 || number_parse(text, UINT16_MAX, &to)) && detail >= from &&
	       detail <= to;
}

static bool
enhanced_fits(const char *named, const uint16_t enhanced[3])
{
	struct span rest = span_str(named);

	for (size_t i = 0; i < 2; i++) {
		struct span part = span_cut(&rest, '.');

		if (!span_equal(part, SPAN("*")) && !detail_fits(part, enhanced[i]))
			return false;
	}
	return enhanced[0] != 0 && detail_fits(rest, enhanced[2]);
}

/* All parts of it between "*", in their order; the text is in small letters, too. */
static bool
phrase_fits(struct span phrase, struct span text)
{
	while (phrase.n > 0) {
		struct span part = span_cut(&phrase, '*');
		size_t at = span_find_span(text, part);

		if (at == text.n)
			return false;
		text = span_after(text, at + part.n);
	}
	return true;
}

static bool
phrases_fit(const char *phrases, struct span text)
{
	struct span rest = span_str(phrases);

	while (rest.n > 0)
		if (phrase_fits(span_cut(&rest, '|'), text))
			return true;
	return false;
}

/* --- a row ---------------------------------------------------------------------- */

static unsigned
weight(const struct advice_row *row)
{
	unsigned sum = 0;

	sum += row->hosts ? WEIGHT_HOST : 0;
	sum += row->code && !row->phrases ? WEIGHT_CODE : 0;
	sum += row->enhanced ? WEIGHT_ENHANCED : 0;
	sum += row->phrases ? WEIGHT_PHRASE : 0;
	return sum;
}

static bool
row_fits(const struct advice_row *row, const struct reply *r)
{
	return (!row->hosts || host_fits(row->hosts, r->host)) &&
	       (!row->code || code_fits(row->code, r->code)) &&
	       (!row->enhanced || enhanced_fits(row->enhanced, r->enhanced)) &&
	       (!row->phrases || phrases_fit(row->phrases, r->text));
}

const struct advice *
advice_find(struct span host, unsigned code, const uint16_t enhanced[3],
	    struct span text)
{
	char small[TEXT_BYTES_MAX];
	struct reply reply = {host, code, enhanced, span_first(text, sizeof(small))};
	const struct advice *best = NULL;
	unsigned best_weight = 0;

	for (size_t i = 0; i < reply.text.n; i++)
		small[i] = ascii_lower(text.at[i]);
	reply.text.at = small;
	for (size_t i = 0; i < N_ELEMS(parts); i++)
		for (size_t k = 0; k < parts[i]->n; k++) {
			const struct advice_row *row = &parts[i]->rows[k];

			if (weight(row) > best_weight && row_fits(row, &reply)) {
				best = &row->advice;
				best_weight = weight(row);
			}
		}
	return best;
}

const struct advice *
advice_at(size_t i)
{
	for (size_t part = 0; part < N_ELEMS(parts); part++) {
		if (i < parts[part]->n)
			return &parts[part]->rows[i].advice;
		i -= parts[part]->n;
	}
	return NULL;
}

const char *
advice_actor_name(enum advice_actor actor)
{
	static const char *const names[] = {
	    [ADVICE_NOBODY] = "",
	    [ADVICE_SENDER] = "the sender",
	    [ADVICE_RECIPIENT] = "the recipient",
	    [ADVICE_OPERATOR] = "the operator of this server",
	    [ADVICE_OTHER] = "the operator of the other server",
	};

	return names[actor];
}
