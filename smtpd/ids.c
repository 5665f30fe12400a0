#include "smtpd/ids.h"

bool
id_pool_grant(struct id_pool *p, uint64_t first, uint32_t count)
{
	if (p->n_grants == ID_GRANTS_MAX || first == 0 || count == 0 ||
	    first > UINT64_MAX - count)
		return false;
	p->grants[p->n_grants++] = (struct id_grant){first, count};
	return true;
}

bool
id_pool_take(struct id_pool *p, uint64_t *id)
{
	struct id_grant *g = p->grants;

	if (p->n_returned > 0) {
		*id = p->returned[--p->n_returned];
		return true;
	}
	if (p->n_grants == 0)
		return false;
	*id = g->first++;
	if (--g->count == 0)
		memmove(g, g + 1, --p->n_grants * sizeof(*g));
	return true;
}

bool
id_pool_return(struct id_pool *p, uint64_t id)
{
	if (p->n_returned == ID_RETURNED_MAX)
		return false;
	p->returned[p->n_returned++] = id;
	return true;
}

void
id_pool_clear(struct id_pool *p)
{
	p->n_grants = 0;
	p->n_returned = 0;
}
