/* delivery/remote/hop/hop.h - the door: from a domain to the servers that take its mail
 *
 * What    a plan says what is to be asked of the DNS and of MTA-STS, takes the
 *         answers in any order, and ends as a list of hosts with their addresses and
 *         the TLS each must do, or as the reason why there are none. Then, for each
 *         connection, the order in which addresses are tried. Also: the memory of
 *         addresses that failed, and who runs a host.
 * RFC     [RFC5321 5.1] MX, implicit MX, loops; [RFC7505 3] null MX; [RFC5321 4.1.3]
 *         literals; [RFC7672 2.2] when DANE holds, [RFC7672 3.2] names to verify;
 *         [RFC8461 5] MTA-STS; [RFC8689 4.2.1] REQUIRETLS.
 * Trust   records come from the world: whatever they are leads to a host, to a
 *         failure or to nothing. Pure: time and random bits are passed in.
 * Memory  a plan has one arena of at most HOP_BYTES_MAX; the memory of addresses is
 *         HOP_HEALTH_MAX entries, made once.
 */
#pragma once

#include "common/base/base.h"
#include "common/conf/conf.h"
#include "common/dns/dns.h"
#include "common/net/net.h"
#include "common/sts/sts.h"
#include "common/tls/tls.h"

#include "delivery/remote/hop/health.h"

#define HOP_HOSTS_MAX          5u  /* MX hosts that are looked at */
#define HOP_ADDRESSES_MAX      10u /* that one try goes through */
#define HOP_HOST_ADDRESSES_MAX 4u  /* of one host; with both families, half of each */
#define HOP_TLSA_MAX           16u /* usable records of one host; more are not looked at */
#define HOP_NAMES_MAX          3u
#define HOP_BYTES_MAX          (1u << 20)
#define HOP_TEXT_MAX           400u

/* What a connection must do. */
enum hop_tls {
	HOP_TLS_NONE,
	HOP_TLS_MAY,
	HOP_TLS_ENCRYPT,
	HOP_TLS_VERIFY, /* a certificate that the CAs vouch for, with one of `names` */
	HOP_TLS_DANE,   /* one that `tlsa` vouches for */
};

/* "dane" */
MUST_USE const char *hop_tls_name(enum hop_tls tls);

struct hop_wish {
	/* Whose MX are wanted, or (not mx) whose addresses; "[192.0.2.1]" and
	 * "[IPv6:2001:db8::1]" are their own address. */
	struct span domain;
	bool literal; /* `domain` is an address without brackets */
	bool mx;
	uint16_t port;
	enum conf_remote_tls policy;
	enum conf_remote_ip family;
	struct span tls_name; /* the name to verify; empty: the host's */
	bool sts;             /* policies of MTA-STS are asked for */
	bool require_tls;     /* [RFC8689] */
	/* Who we are, so that mail does not go round. */
	struct span hostname;
	const struct net_address *own;
	size_t n_own;
	uint64_t random;
};

struct hop_host {
	struct span name; /* as the DNS has it; empty for a literal */
	uint16_t preference;
	struct net_address addresses[HOP_HOST_ADDRESSES_MAX];
	size_t n_addresses;
	enum hop_tls tls;
	struct span names[HOP_NAMES_MAX]; /* to verify; the first is the SNI */
	size_t n_names;
	const struct tls_tlsa *tlsa;
	size_t n_tlsa;
	/* A policy in testing mode allows (or not) this host: the connection must do
	 * no more than MAY, but what would fail is to be told. */
	bool sts_testing, sts_mismatch;
	bool sts_enforced; /* VERIFY comes from a policy */
};

/* Why there is no host. */
struct hop_failure {
	bool forever;
	uint16_t code; /* of a reply, where a standard names one; else 0 */
	uint16_t enhanced[3];
	char text[HOP_TEXT_MAX];
};

struct hop_plan;

/* Copies what it needs of the wish but `own`, which must live on. */
MUST_USE struct hop_plan *hop_plan_new(const struct hop_wish *wish);
void hop_plan_free(struct hop_plan **p);

#define HOP_SLOTS_MAX (2 + 5 * HOP_HOSTS_MAX)

struct hop_question {
	size_t slot; /* below HOP_SLOTS_MAX; comes back with the answer */
	bool sts;    /* the MTA-STS policy of `name`; else records of `type` */
	enum dns_type type;
	struct span name;
};

enum hop_step {
	HOP_ASK,  /* *out is a question; there may be more */
	HOP_WAIT, /* for answers */
	HOP_FOUND,
	HOP_FAILED, /* hop_plan_failure() */
};

MUST_USE enum hop_step hop_plan_next(struct hop_plan *p, struct hop_question *out);
void hop_plan_answer(struct hop_plan *p, size_t slot, const struct dns_answer *a);
void hop_plan_answer_sts(struct hop_plan *p, enum sts_mode mode, struct span hosts,
			 struct span text);

MUST_USE const struct hop_failure *hop_plan_failure(const struct hop_plan *p);
MUST_USE size_t hop_plan_hosts(const struct hop_plan *p, const struct hop_host **hosts);
/* How long what the DNS said may be used. */
MUST_USE uint32_t hop_plan_ttl_s(const struct hop_plan *p);

struct hop_try {
	const struct hop_host *host;
	struct net_address address;
};

/* The order for one connection: by preference, at random among equals, both
 * families by turns; addresses that failed lately come last. How many. */
MUST_USE size_t hop_plan_order(const struct hop_plan *p,
			       const struct hop_health *health, uint64_t now_s,
			       uint64_t random, struct hop_try out[HOP_ADDRESSES_MAX]);

/* Is there a better host, which did not fail lately? Then a connection to this one is
 * not worth keeping. */
MUST_USE bool hop_plan_has_better(const struct hop_plan *p, const struct hop_host *host,
				  const struct hop_health *health, uint64_t now_s);

/* "mx1.example.org[192.0.2.1]", or "[192.0.2.1]". */
void hop_try_put(const struct hop_try *t, struct buf *out);

/* Who runs a host: its last two labels, or three where the last has two letters and
 * the one before at most three ("co.uk"). A guess that is good enough to count by. */
MUST_USE struct span hop_provider(struct span host);
