/* delivery/remote/hop/plan.h - a plan from inside; for this room's files only */
#pragma once

#include "delivery/remote/hop/hop.h"

enum slot_state {
	SLOT_UNUSED,
	SLOT_WANTED,
	SLOT_ASKED,
	SLOT_ANSWERED,
};

/* The questions about one host, behind MX and STS. */
enum host_slot {
	HOST_A,
	HOST_AAAA,
	HOST_CNAME, /* of the name itself, when its alias led out of what is signed */
	HOST_TLSA,  /* of the name where the CNAMEs led [RFC7672 2.2.2] */
	HOST_TLSA_ALIAS, /* of the name itself, when that has none or may not count */
	HOST_SLOTS,
};

#define SLOT_MX    0u
#define SLOT_STS   1u
#define SLOT_HOSTS 2u

/* Why a host is of no use; the last ones are the weightiest. */
enum host_fault {
	HOST_GOOD,
	HOST_NO_ADDRESS,
	HOST_OWN,        /* it is we */
	HOST_POLICY,     /* TLS cannot be as it must */
	HOST_TLSA_LATER, /* no answer about what DANE asks of it */
	HOST_LATER,      /* no answer about its addresses */
	HOST_REQUIRE,    /* REQUIRETLS cannot be kept */
};

struct host_work {
	uint64_t rank;                            /* random, among equals */
	struct span target;                       /* where its CNAMEs led */
	struct span base;                         /* whose TLSA records they are */
	bool has_secure, has_insecure, has_later; /* of its addresses */
	bool tlsa_found;                          /* a secure answer with records */
	enum host_fault fault;
	struct span why; /* of resolved, or empty */
};

struct hop_plan {
	struct arena arena;
	struct hop_wish wish;
	enum slot_state slots[HOP_SLOTS_MAX];
	struct span slot_names[HOP_SLOTS_MAX];
	bool failed, finished;
	struct hop_failure failure;
	uint32_t ttl_s;

	bool mx_known; /* hosts are made */
	struct span mx_records;
	bool mx_secure; /* or there are none to look up, and the name is the operator's
			 */
	enum sts_mode sts;
	struct span sts_hosts;
	struct hop_host hosts[HOP_HOSTS_MAX];
	struct host_work work[HOP_HOSTS_MAX];
	size_t n_hosts;
};

void plan_fail(struct hop_plan *p, bool forever, unsigned a, unsigned b, unsigned c,
	       const char *format, ...) PRINTF(6, 7);
/* A question, once. */
void plan_want(struct hop_plan *p, size_t slot, struct span name);
void plan_ttl(struct hop_plan *p, uint32_t ttl_s);
/* A copy in the arena; empty beyond its limit. */
MUST_USE struct span plan_copy(struct hop_plan *p, struct span s);

static inline size_t
host_slot(size_t host, enum host_slot what)
{
	return SLOT_HOSTS + host * HOST_SLOTS + what;
}

/* The address that the domain is, without its brackets; else empty. */
MUST_USE struct span literal_of(const struct hop_wish *wish);

/* mx.c: the hosts, from the answer about MX records. */
void mx_take(struct hop_plan *p, const struct dns_answer *a);
/* Makes them once both MX and MTA-STS are known. */
void mx_settle(struct hop_plan *p);
/* Adds one host, whose addresses are wanted. */
void host_add(struct hop_plan *p, struct span name, uint16_t preference);

/* host.c: what is known of one host. */
void host_take(struct hop_plan *p, size_t slot, const struct dns_answer *a);
/* Is it we who listen there? */
MUST_USE bool address_is_own(const struct hop_plan *p, const struct net_address *a);
/* Can no server have it? */
MUST_USE bool address_is_nobody(const struct net_address *a);

/* rule.c: when all is known: what TLS a host must do, or why it is of no use. */
void rule_decide(struct hop_plan *p, size_t host);
