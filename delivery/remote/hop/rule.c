/* what TLS a host must do */
#include "delivery/remote/hop/plan.h"

/* A name is added once. */
static void
name_add(struct hop_host *h, struct span name)
{
	for (size_t i = 0; i < h->n_names; i++)
		if (span_equal_nocase(h->names[i], name))
			return;
	if (name.n > 0 && h->n_names < HOP_NAMES_MAX)
		h->names[h->n_names++] = name;
}

static void
unusable(struct hop_plan *p, size_t host, enum host_fault fault, struct span why)
{
	p->work[host].fault = fault;
	p->work[host].why = why;
}

/* [RFC7672 3.2.2] the TLSA base domain, then the domain of the mail, then the host. */
static void
rule_dane(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];

	h->tls = HOP_TLS_DANE;
	name_add(h, p->work[host].base);
	name_add(h, p->wish.domain);
	name_add(h, h->name);
}

static void
rule_verify(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];

	h->tls = HOP_TLS_VERIFY;
	name_add(h, p->wish.tls_name.n > 0 ? p->wish.tls_name : h->name);
	if (h->n_names == 0) /* an address literal is its own name */
		name_add(h, literal_of(&p->wish));
}

/* [RFC8461 5] */
static bool
rule_sts(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];
	bool match = sts_hosts_match(p->sts_hosts, h->name);

	if (p->sts == STS_TESTING) {
		h->sts_testing = true;
		h->sts_mismatch = !match;
	}
	if (p->sts != STS_ENFORCE)
		return false;
	h->tls = HOP_TLS_VERIFY;
	h->sts_enforced = true;
	name_add(h, h->name);
	if (!match)
		unusable(p, host, HOST_POLICY,
			 SPAN("no mail server is one of the MTA-STS policy"));
	return true;
}

static void
rule_opportune(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];

	if (h->n_tlsa > 0)
		rule_dane(p, host);
	else if (!rule_sts(p, host)) /* [RFC7672 2.2] none that can be used */
		h->tls = p->work[host].tlsa_found ? HOP_TLS_ENCRYPT : HOP_TLS_MAY;
}

static void
rule_usual(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];

	switch (p->wish.policy) {
	case CONF_REMOTE_TLS_NONE:
		h->tls = HOP_TLS_NONE;
		return;
	case CONF_REMOTE_TLS_MAY:
		h->tls = HOP_TLS_MAY;
		return;
	case CONF_REMOTE_TLS_DANE:
		rule_opportune(p, host);
		return;
	case CONF_REMOTE_TLS_ENCRYPT:
		h->tls = HOP_TLS_ENCRYPT;
		return;
	case CONF_REMOTE_TLS_VERIFY:
		rule_verify(p, host);
		return;
	case CONF_REMOTE_TLS_DANE_ONLY:
		if (h->n_tlsa > 0)
			rule_dane(p, host);
		else
			unusable(p, host, HOST_POLICY,
				 SPAN("there are no usable DANE records"));
		return;
	}
}

/* [RFC8689 4.2.1] the name of the host must be beyond doubt, and then proved. */
static void
rule_required(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];
	bool sts = p->sts == STS_ENFORCE && sts_hosts_match(p->sts_hosts, h->name);

	if (p->wish.policy == CONF_REMOTE_TLS_NONE)
		unusable(p, host, HOST_REQUIRE, SPAN("TLS is switched off"));
	else if (h->n_tlsa > 0)
		rule_dane(p, host);
	else if (p->mx_secure || sts || h->name.n == 0)
		rule_verify(p, host);
	else
		unusable(
		    p, host, HOST_REQUIRE,
		    SPAN("neither DNSSEC nor MTA-STS vouches for its mail servers"));
}

void
rule_decide(struct hop_plan *p, size_t host)
{
	struct hop_host *h = &p->hosts[host];

	if (p->work[host].fault != HOST_GOOD)
		return;
	if (p->wish.require_tls)
		rule_required(p, host);
	else
		rule_usual(p, host);
	/* Names to look at where nothing must be verified. */
	if (h->n_names == 0)
		name_add(h, p->wish.tls_name.n > 0 ? p->wish.tls_name : h->name);
}

const char *
hop_tls_name(enum hop_tls tls)
{
	static const char *const names[] = {"none", "may", "encrypt", "verify", "dane"};

	return names[tls];
}
