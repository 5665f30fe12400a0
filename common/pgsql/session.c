#include "common/pgsql/internal.h"

struct pgsql_session *
pgsql_session_new(struct pgsql *p)
{
	struct pgsql_session *s = memory_new(1, sizeof(*s));

	s->pool = p;
	return s;
}

void
pgsql_session_free(struct pgsql_session **owner)
{
	struct pgsql_session *s = *owner;
	struct pgsql_connection *c;

	*owner = NULL;
	if (!s)
		return;
	c = s->connection;
	if (s->request)
		pgsql_cancel(&(struct pgsql_request *){s->request});
	if (c)
		connection_release(c);
	free(s);
}
