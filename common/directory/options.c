#include "common/directory/directory.h"
#include "common/conf/conf.h"

void
directory_options_of(const struct settings *s, struct directory_options *out)
{
	static const enum directory_backend backends[] = {
	    [CONF_DIRECTORY_BERKELEY] = DIRECTORY_BERKELEY,
	    [CONF_DIRECTORY_POSTGRESQL] = DIRECTORY_POSTGRESQL,
	    [CONF_DIRECTORY_SQL] = DIRECTORY_SQL,
	};

	*out = (struct directory_options){
	    .folder = s->directory_directory,
	    .backend = backends[s->directory],
	    .connection = s->postgresql_connection,
	    .password_file = s->postgresql_password_file,
	    .connections = (unsigned)s->postgresql_connections,
	    .timeout_ms = s->postgresql_timeout_s * 1000,
	    .queries =
		{
			  [DIRECTORY_SQL_DOMAIN] = s->sql_domain_query,
			  [DIRECTORY_SQL_ACCOUNT] = s->sql_account_query,
			  [DIRECTORY_SQL_ALIAS] = s->sql_alias_query,
			  },
	};
}
