#include "common/sts/sts.h"

bool
sts_host_match(struct span pattern, struct span host)
{
	size_t dot;

	if (!span_starts(pattern, SPAN("*.")))
		return span_equal_nocase(pattern, host);
	dot = span_find(host, '.');
	return dot > 0 && dot < host.n &&
	       span_equal_nocase(span_after(pattern, 1), span_after(host, dot));
}

bool
sts_hosts_match(struct span hosts, struct span host)
{
	while (hosts.n > 0)
		if (sts_host_match(span_cut(&hosts, '\n'), host))
			return true;
	return false;
}

void
sts_hosts_put(const struct sts_policy *policy, struct buf *out)
{
	for (size_t i = 0; i < policy->n_hosts; i++) {
		struct span host = policy->hosts[i];

		for (size_t at = 0; at < host.n; at++)
			buf_put_char(out, ascii_lower(host.at[at]));
		buf_put_char(out, '\n');
	}
}
