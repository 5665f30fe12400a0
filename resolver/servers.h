/* resolver/servers.h - whom to ask and what to trust; read while files can be */
#pragma once

#include "common/base/base.h"
#include "common/conf/conf.h"

struct event_base;
struct ub_ctx;

/* A context of libunbound, complete: its first question opens no file. Null: a
 * wrong server, a broken trust anchor. */
MUST_USE struct ub_ctx *
servers_context(struct event_base *base, const struct settings *settings,
		struct err *err);

/* Off the front of a resolv.conf: the next "nameserver", as ADDRESS; its scope
 * ("%eth0") is left on. */
MUST_USE bool resolv_conf_next(struct span *rest, struct span *address);
