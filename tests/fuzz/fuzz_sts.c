/* Any bytes as the record and as the policy of MTA-STS: ids and hosts that come out
 * are well-formed, and a list of hosts matches each of its own names. */
#include "common/sts/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
record(struct span text)
{
	struct span id;

	if (!sts_record_parse(text, &id))
		return;
	ASSERT(sts_record_is(text));
	ASSERT(id.n > 0 && id.n <= STS_ID_MAX);
}

static void
policy(struct span text)
{
	struct buf hosts = buf_make(STS_POLICY_BYTES_MAX);
	struct sts_policy p;
	const char *error = NULL;

	if (sts_policy_parse(text, &p, &error)) {
		ASSERT(p.mode <= STS_ENFORCE && p.max_age_s <= STS_MAX_AGE_MAX);
		sts_hosts_put(&p, &hosts);
		ASSERT(!hosts.full);
		for (size_t i = 0; i < p.n_hosts; i++)
			ASSERT(p.hosts[i].at[0] == '*' ||
			       sts_hosts_match(buf_span(&hosts), p.hosts[i]));
	} else {
		ASSERT(error);
	}
	buf_release(&hosts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);

	record(text);
	policy(text);
	(void)!sts_hosts_match(text, SPAN("mx.example.org"));
	return 0;
}
