/* common/sts/sts.h - the texts of MTA-STS
 *
 * What    the TXT record that says a domain has a policy, the policy itself, and
 *         which hosts it allows.
 * RFC     [RFC8461 3.1] record, [RFC8461 3.2] policy, [RFC8461 4.1] matching.
 * Trust   every byte is the domain's; nothing here asserts on one. Pure.
 * Memory  allocates nothing; spans point into the input.
 */
#pragma once

#include "common/base/base.h"

#define STS_ID_MAX           32u         /* [RFC8461 3.1] */
#define STS_POLICY_BYTES_MAX (64u << 10) /* [RFC8461 3.3] asks for such a limit */
#define STS_HOSTS_MAX        100u        /* "mx" lines of a policy */
#define STS_MAX_AGE_MAX      31557600u   /* about one year [RFC8461 3.2] */

enum sts_mode {
	STS_NONE,    /* no policy, or one that says "none" */
	STS_TESTING, /* failures are only told of */
	STS_ENFORCE, /* no mail to a host that does not match or cannot be verified */
	STS_LATER, /* resolved is away, so nobody knows. A policy that is announced but
		    * cannot be had, with none kept, is STS_NONE [RFC8461 5.1] */
	STS_MODE_COUNT,
};

/* "enforce" */
MUST_USE const char *sts_mode_name(enum sts_mode mode);

/* Is the text of a TXT record one of MTA-STS's? Any that does not start with
 * "v=STSv1;" is to be passed over [RFC8461 3.1]. */
MUST_USE bool sts_record_is(struct span txt);
/* Its id. False when the record is not well-formed. */
MUST_USE bool sts_record_parse(struct span txt, struct span *id);

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age_s;
	struct span hosts[STS_HOSTS_MAX]; /* lower or upper case, as written */
	size_t n_hosts;
};

/* The body of https://mta-sts.DOMAIN/.well-known/mta-sts.txt. False and *error, a
 * text of ours, when it is no policy; *out is then untouched. */
MUST_USE bool
sts_policy_parse(struct span body, struct sts_policy *out, const char **error);

/* The patterns as ipc sts_answer has them, each ended by a line feed, lower case. */
void sts_hosts_put(const struct sts_policy *policy, struct buf *out);

/* Does the name of a mail host match a pattern? "*.example.org" stands for exactly
 * one label more [RFC8461 4.1]. */
MUST_USE bool sts_host_match(struct span pattern, struct span host);
/* Any of a list as sts_hosts_put() makes it. */
MUST_USE bool sts_hosts_match(struct span hosts, struct span host);
