#include "common/front/limits.h"

#define CLIENTS_TABLE_MAX 65536u
#define MINUTE_MS         60000u

uint32_t
limits_share(const struct proc *p, enum ipc_kind kind, uint64_t all)
{
	uint32_t n = proc_count(p, kind);
	uint64_t mine = (all + n - 1) / n;

	return mine < UINT32_MAX ? (uint32_t)mine : UINT32_MAX;
}

struct net_limits_config
limits_of_clients(const struct proc *p, enum ipc_kind kind)
{
	const struct settings *s = proc_settings(p);
	const uint64_t per_minute[NET_EVENTS] = {
	    [NET_EVENT_CONNECTION] = s->client_connections_per_minute_max,
	    [NET_EVENT_MESSAGE] = s->client_messages_per_minute_max,
	    [NET_EVENT_RECIPIENT] = s->client_recipients_per_minute_max,
	    [NET_EVENT_ERROR] = s->client_errors_per_minute_max,
	};
	struct net_limits_config config = {
	    .clients_max = CLIENTS_TABLE_MAX,
	    .connections_max = limits_share(p, kind, s->client_connections_max),
	};

	for (size_t i = 0; i < NET_EVENTS; i++)
		config.rates[i] =
		    (struct net_rate){limits_share(p, kind, per_minute[i]), MINUTE_MS};
	return config;
}
