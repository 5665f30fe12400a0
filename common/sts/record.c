#include "common/sts/sts.h"

const char *
sts_mode_name(enum sts_mode mode)
{
	static const char *const names[] = {"none", "testing", "enforce", "later"};

	return mode < N_ELEMS(names) ? names[mode] : "?";
}

/* [RFC8461 3.1]: sts-version = %s"v=STSv1", with WSP around each semicolon. */
static bool
version_take(struct span *rest)
{
	struct span version = span_trim(span_cut(rest, ';'), " \t");

	return span_equal(version, SPAN("v=STSv1"));
}

bool
sts_record_is(struct span txt)
{
	size_t semicolon = span_find(txt, ';');

	return semicolon < txt.n && version_take(&txt);
}

static bool
id_valid(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_alnum(id.at[i]))
			return false;
	return id.n > 0 && id.n <= STS_ID_MAX;
}

bool
sts_record_parse(struct span txt, struct span *id)
{
	struct span found = SPAN("");

	if (!sts_record_is(txt) || !version_take(&txt))
		return false;
	while (txt.n > 0) {
		struct span field = span_trim(span_cut(&txt, ';'), " \t"), name;

		if (field.n == 0 && txt.n == 0)
			break;
		if (span_find(field, '=') == field.n)
			return false;
		name = span_cut(&field, '=');
		if (span_equal(name, SPAN("id")) && found.n == 0)
			found = field;
	}
	if (!id_valid(found))
		return false;
	*id = found;
	return true;
}
