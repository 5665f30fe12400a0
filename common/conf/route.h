/* common/conf/route.h - where mail for a domain goes: the `route` sections
 *
 *   route "example.net" { to = "mail.example.net:2525" }
 *   route ".corp.example" { to = "[192.0.2.7]" protocol = lmtp }
 *   route "*" { to = "mx:provider.example" user = "me" password = "secret" }
 *
 * A title is a domain, a ".domain" for all that is below it, an address literal
 * "[192.0.2.1]", or "*" for the rest. Titles are compared in A-labels and lower case.
 */
#pragma once

#include "common/base/base.h"

#define CONF_ROUTES_MAX         10000
#define CONF_REMOTE_TLS_DEFAULT (-1) /* as the setting remote_tls has it */
#define CONF_LMTP_PORT          24

/* The keys of a section, as settings.h has its rows. */
/* clang-format off */
#define CONF_ROUTE_KEYS(S) \
	S(TEXT,   to,                  "", 0, 300, 1, "where mail goes: HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT, or mx:DOMAIN for the MX of another domain; the MX of the recipient's domain when empty") \
	S(CHOICE, protocol,            "*smtp|lmtp", 0, 1, 1, "what that server speaks; LMTP is at port 24 where no other is named") \
	S(CHOICE, tls,                 "*default|none|may|dane|encrypt|verify|dane-only", 0, 6, 1, "as remote_tls, for this route") \
	S(DOMAIN, tls_name,            "", 0, 253, 1, "name that the server's certificate must have, where it is verified; the server's own when empty") \
	S(TEXT,   user,                "", 0, 255, 1, "name to log in with") \
	S(TEXT,   password,            "", 0, 255, 1, "password to log in with; nobody else may then read the file") \
	S(NUMBER, connections,         "0", 0, 10000, 1, "as remote_connections_max, for this route; 0: the same") \
	S(NUMBER, messages_per_minute, "0", 0, 1000000, 1, "as remote_messages_per_minute_max, for this route; 0: the same") \
	S(TEXT,   source,              "", 0, 45, 1, "local address to connect from; as remote_source when empty")
/* clang-format on */

/* In the order of the words in settings.h. */
enum conf_remote_tls {
	CONF_REMOTE_TLS_NONE,
	CONF_REMOTE_TLS_MAY,
	CONF_REMOTE_TLS_DANE, /* DANE, or an MTA-STS policy, where there is one; else
				 MAY */
	CONF_REMOTE_TLS_ENCRYPT,
	CONF_REMOTE_TLS_VERIFY,
	CONF_REMOTE_TLS_DANE_ONLY,
};

enum conf_remote_ip {
	CONF_REMOTE_IP_ANY,
	CONF_REMOTE_IP_4,
	CONF_REMOTE_IP_6,
};

enum conf_route_protocol {
	ROUTE_SMTP,
	ROUTE_LMTP,
};

/* Texts are never null. */
struct conf_route {
	char *domain; /* the title, in A-labels and lower case */
	char *to;     /* empty: the MX of the recipient's domain */
	enum conf_route_protocol protocol;
	bool mx;               /* look up the MX of `to`; else `to` is a host */
	bool literal;          /* `to` is an IPv4 or IPv6 address, without brackets */
	uint16_t port;         /* 0: as remote_port has it */
	int tls;               /* enum conf_remote_tls, or CONF_REMOTE_TLS_DEFAULT */
	char *tls_name;        /* name in the certificate; empty: the host's */
	char *user, *password; /* to log in with; empty: no login */
	uint64_t connections_max;         /* 0: as remote_connections_max has it */
	uint64_t messages_per_minute_max; /* 0: as remote_messages_per_minute_max */
	char *source; /* local address to connect from; empty: as remote_source */
};

struct conf_routes {
	struct conf_route *at; /* by domain */
	size_t n;
};

/* What `to` says. */
struct conf_hop {
	char *host; /* allocated */
	bool mx;    /* look up the MX of `host` */
	bool literal;
	bool lmtp;     /* "lmtp://" is before it: only a lookup table says so */
	uint16_t port; /* 0: none was given */
};

/* Takes a `to` apart that is not empty; false when it is none, and *out is untouched.
 */
MUST_USE bool conf_hop_parse(struct span to, struct conf_hop *out);

/* The route for a recipient's domain, in whatever case, U-labels or A-labels, or an
 * address literal in its brackets: the exact one, else that of the nearest domain
 * above ("." and its name), else "*"; null when there is none. */
MUST_USE const struct conf_route *
conf_route_find(const struct conf_routes *routes, struct span domain);

/* Does one of them have a password? */
MUST_USE bool conf_routes_secret(const struct conf_routes *routes);

void conf_routes_release(struct conf_routes *routes);
