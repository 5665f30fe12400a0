#include "common/conf/conf.h"

#define ROW(type, name, preset, min, max, reload, help)                                \
	{CONF_##type, #name,  preset, min,                                             \
	 max,         reload, help,   offsetof(struct settings, name)},

static const struct conf_row the_rows[] = {CONF_SETTINGS(ROW)};

const struct conf_row *
conf_rows(size_t *n)
{
	*n = N_ELEMS(the_rows);
	return the_rows;
}

const char *
conf_type_name(enum conf_type type)
{
	static const char *const names[] = {
	    [CONF_TEXT] = "text",
	    [CONF_DOMAIN] = "domain",
	    [CONF_PATH] = "path",
	    [CONF_NUMBER] = "number",
	    [CONF_BYTES] = "bytes",
	    [CONF_SECONDS] = "duration",
	    [CONF_SWITCH] = "yes or no",
	    [CONF_CHOICE] = "choice",
	    [CONF_LIST] = "list",
	    [CONF_DOMAINS] = "list of domains",
	    [CONF_LISTEN] = "list of addresses",
	    [CONF_NETWORKS] = "list of networks",
	};

	return names[type];
}
