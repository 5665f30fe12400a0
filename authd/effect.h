/* authd/effect.h - what else follows from a change of the directory
 *
 * What    who may not stay logged in (closing), whose sessions have another quota,
 *         which domain has to be counted anew. Found before the change is made, since
 *         what is removed cannot be asked for afterwards.
 */
#pragma once

#include "authd/authd.h"

struct effect {
	struct closing closing;
	uint64_t account; /* whose quota is another; 0 none's */
	uint64_t quota_bytes;
	uint64_t domain;   /* whose accounts, or whose quota, are others; 0 none's */
	bool domain_quota; /* the quota of `domain` is another */
	uint64_t domain_quota_bytes;
	bool loaded; /* anything may be */
};

void effect_find(struct directory *d, const struct directory_request *change,
		 struct effect *out);
/* The change has been made. */
void effect_tell(struct authd *a, const struct effect *f);
void effect_release(struct effect *f);
