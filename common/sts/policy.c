#include "common/sts/sts.h"

#include <limits.h>

/* [RFC8461 3.2]: "key: value" lines, ended by CRLF or LF. A key that comes again is
 * passed over, but for "mx"; unknown ones are extensions. */

struct reading {
	struct sts_policy policy;
	bool has_version, has_mode, has_max_age;
	const char *error;
};

static void
version_set(struct reading *r, struct span value)
{
	r->has_version = true;
	if (!span_equal(value, SPAN("STSv1")))
		r->error = "its version is not STSv1";
}

static void
mode_set(struct reading *r, struct span value)
{
	r->has_mode = true;
	for (enum sts_mode mode = STS_NONE; mode <= STS_ENFORCE; mode++) {
		if (span_equal(value, span_str(sts_mode_name(mode)))) {
			r->policy.mode = mode;
			return;
		}
	}
	r->error = "its mode is neither enforce, testing nor none";
}

/* More than a year counts as a year. */
static void
max_age_set(struct reading *r, struct span value)
{
	uint64_t seconds = 0;

	r->has_max_age = true;
	if (value.n > 10 || !number_parse(value, UINT64_MAX, &seconds)) {
		r->error = "its max_age is no number of seconds";
		return;
	}
	r->policy.max_age_s =
	    (uint32_t)(seconds < STS_MAX_AGE_MAX ? seconds : STS_MAX_AGE_MAX);
}

/* A host name, perhaps with "*." before it. */
static bool
pattern_valid(struct span pattern)
{
	struct span name =
	    span_after(pattern, span_starts(pattern, SPAN("*.")) ? 2 : 0);
	size_t label = 0;

	if (name.n == 0 || name.n > 253)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		label = name.at[i] == '.' ? 0 : label + 1;
		if (name.at[i] == '.' && (i == 0 || name.at[i - 1] == '.'))
			return false;
		if (label > 63 || (label > 0 && !ascii_alnum(name.at[i]) &&
				   name.at[i] != '-' && name.at[i] != '_'))
			return false;
	}
	return label > 0;
}

static void
host_add(struct reading *r, struct span value)
{
	if (!pattern_valid(value))
		r->error = "an mx is no host name or pattern";
	else if (r->policy.n_hosts == STS_HOSTS_MAX)
		r->error = "it has too many mx lines";
	else
		r->policy.hosts[r->policy.n_hosts++] = value;
}

static void
line_take(struct reading *r, struct span line)
{
	size_t colon = span_find(line, ':');
	struct span key = span_first(line, colon),
		    value = span_trim(span_after(line, colon + 1), " \t");

	if (line.n == 0)
		return;
	if (colon == line.n || colon == 0)
		r->error = "a line is not of the form \"key: value\"";
	else if (span_equal(key, SPAN("version")) && !r->has_version)
		version_set(r, value);
	else if (span_equal(key, SPAN("mode")) && !r->has_mode)
		mode_set(r, value);
	else if (span_equal(key, SPAN("max_age")) && !r->has_max_age)
		max_age_set(r, value);
	else if (span_equal(key, SPAN("mx")))
		host_add(r, value);
}

static void
whole_check(struct reading *r)
{
	if (!r->has_version)
		r->error = "it has no version";
	else if (!r->has_mode)
		r->error = "it has no mode";
	else if (!r->has_max_age)
		r->error = "it has no max_age";
	else if (r->policy.mode != STS_NONE && r->policy.n_hosts == 0)
		r->error = "it has no mx";
}

bool
sts_policy_parse(struct span body, struct sts_policy *out, const char **error)
{
	struct reading r = {0};

	if (body.n > STS_POLICY_BYTES_MAX)
		r.error = "it is too long";
	while (!r.error && body.n > 0) {
		struct span line = span_cut(&body, '\n');

		if (line.n > 0 && line.at[line.n - 1] == '\r')
			line.n--;
		line_take(&r, line);
	}
	if (!r.error)
		whole_check(&r);
	if (r.error) {
		*error = r.error;
		return false;
	}
	*out = r.policy;
	return true;
}
