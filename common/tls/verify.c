#include "common/tls/internal.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define SHOWN_MAX      64u  /* of a name, in texts */
#define NAME_MAX_BYTES 253u /* [RFC1035 2.3.4] as text */

#define USAGE_TA     2 /* [RFC6698 2.1.1] */
#define USAGE_EE     3
#define SELECTOR_ALL 0
#define SELECTOR_KEY 1

/* --- TLSA records --------------------------------------------------------- */

/* A whole certificate, or a whole key, and nothing behind it. */
static bool
is_whole(const struct tls_tlsa *r)
{
	const unsigned char *at = (const unsigned char *)r->data.at;
	long n = r->data.n > UINT16_MAX ? 0 : (long)r->data.n;
	X509 *x = r->selector == SELECTOR_ALL ? d2i_X509(NULL, &at, n) : NULL;
	EVP_PKEY *key = r->selector == SELECTOR_KEY ? d2i_PUBKEY(NULL, &at, n) : NULL;
	bool whole = (x || key) && at == (const unsigned char *)r->data.at + n;

	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return whole;
}

static bool
is_usable(const struct tls_tlsa *r)
{
	if ((r->usage != USAGE_TA && r->usage != USAGE_EE) ||
	    r->selector > SELECTOR_KEY)
		return false;
	switch (r->matching) {
	case 0:
		return is_whole(r);
	case 1:
		return r->data.n == 32;
	case 2:
		return r->data.n == 64;
	default:
		return false;
	}
}

size_t
tls_tlsa_usable(const struct tls_tlsa *records, size_t n)
{
	size_t usable = 0;

	for (size_t i = 0; i < n; i++)
		usable += is_usable(&records[i]);
	return usable;
}

static size_t
add_records(SSL *ssl, const struct tls_tlsa *records, size_t n)
{
	size_t added = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tls_tlsa *r = &records[i];

		if (is_usable(r))
			added += SSL_dane_tlsa_add(
				     ssl, r->usage, r->selector, r->matching,
				     (const unsigned char *)r->data.at, r->data.n) == 1;
	}
	ERR_clear_error();
	return added;
}

/* --- what a policy asks for ----------------------------------------------- */

/* A C string of at most NAME_MAX_BYTES. OpenSSL would take a name with a dot in
 * front for every name below it. */
static bool
name_copy(struct span name, char *out)
{
	if (name.n > 0 && name.at[name.n - 1] == '.')
		name.n--;
	return name.n > 0 && name.at[0] != '.' &&
	       span_copy(name, out, NAME_MAX_BYTES + 1);
}

static bool
refuse(struct tls_session *t, const char *why)
{
	tls_say(&t->fault, "TLS with %s: %s", t->wish->name, why);
	ERR_clear_error();
	return false;
}

/* The first name is the TLSA base domain, which is greeted by when the policy says
 * nothing else [RFC7672 8.1]. A certificate of usage 3 has whatever name it likes
 * [RFC7672 3.1.1]. */
static bool
ask_dane(struct tls_session *t, const struct tls_client_policy *p)
{
	char base[NAME_MAX_BYTES + 1];

	if (p->verify != TLS_VERIFY_DANE)
		return true;
	if (tls_tlsa_usable(p->tlsa, p->n_tlsa) == 0) {
		t->wish->unusable = true;
		t->wish->verify = TLS_VERIFY_NONE;
		return true;
	}
	if (p->n_names == 0 || !name_copy(p->names[0], base) ||
	    SSL_dane_enable(t->ssl, base) != 1)
		return refuse(t, "no base domain for its TLSA records");
	SSL_dane_set_flags(t->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	if (add_records(t->ssl, p->tlsa, p->n_tlsa) == 0)
		return refuse(t, "no TLSA record could be used");
	return true;
}

/* Certificates of the web's authorities have their names in DNS-IDs; those under a
 * TLSA record may have it in the CN alone [RFC7672 3.2.3]. */
static bool
ask_names(struct tls_session *t, const struct tls_client_policy *p)
{
	bool dane = t->wish->verify == TLS_VERIFY_DANE;
	char name[NAME_MAX_BYTES + 1];

	SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				      (dane ? 0 : X509_CHECK_FLAG_NEVER_CHECK_SUBJECT));
	t->wish->named = dane;
	for (size_t i = dane ? 1 : 0; i < p->n_names; i++) {
		if (name_copy(p->names[i], name) && SSL_add1_host(t->ssl, name) == 1)
			t->wish->named = true;
		else if (t->wish->verify != TLS_VERIFY_NONE)
			return refuse(t, "a name to verify is none");
	}
	if (t->wish->verify == TLS_VERIFY_NAMES && !t->wish->named)
		return refuse(t, "no name to verify");
	return true;
}

static bool
ask_sni(struct tls_session *t, struct span sni)
{
	char name[NAME_MAX_BYTES + 1];

	if (sni.n == 0)
		return true;
	if (name_copy(sni, name) && SSL_set_tlsext_host_name(t->ssl, name) == 1)
		return true;
	return t->wish->verify == TLS_VERIFY_NONE ||
	       refuse(t, "a name to greet it by is none");
}

/* Whoever would else send in the clear takes weak keys, SHA-1 and servers without
 * [RFC5746]. */
static void
ask_nothing(SSL *ssl)
{
	SSL_set_security_level(ssl, 0);
	SSL_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT);
}

/* --- what was found ------------------------------------------------------- */

static bool
is_no_match(int code)
{
	return code == X509_V_ERR_DANE_NO_MATCH ||
	       code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       code == X509_V_ERR_CERT_UNTRUSTED;
}

static const char *
reason_of(const struct tls_wish *w, int code)
{
	static const struct {
		int code;
		const char *text;
	} rows[] = {
	    {X509_V_ERR_HOSTNAME_MISMATCH,                 "hostname mismatch"      },
	    {X509_V_ERR_IP_ADDRESS_MISMATCH,               "address mismatch"       },
	    {X509_V_ERR_CERT_HAS_EXPIRED,                  "expired"                },
	    {X509_V_ERR_CERT_NOT_YET_VALID,                "not yet valid"          },
	    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,       "self-signed"            },
	    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,         "its root is not known"  },
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,         "its issuer is not known"},
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "its issuer is not known"},
	    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,   "its issuer is not known"},
	};

	if (w->verify == TLS_VERIFY_DANE && is_no_match(code))
		return "no TLSA record matches";
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].code == code)
			return rows[i].text;
	return X509_verify_cert_error_string(code);
}

static bool
is_shown(const ASN1_IA5STRING *s)
{
	const unsigned char *at = ASN1_STRING_get0_data(s);
	int n = ASN1_STRING_length(s);

	for (int i = 0; i < n; i++)
		if (!ascii_alnum((char)at[i]) && at[i] != '.' && at[i] != '-' &&
		    at[i] != '*' && at[i] != '_')
			return false;
	return n > 0;
}

/* A name that the certificate is good for. */
static void
first_name(X509 *x, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && out[0] == '\0'; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_DNS && is_shown(g->d.dNSName))
			snprintf(out, size, "%.*s", ASN1_STRING_length(g->d.dNSName),
				 (const char *)ASN1_STRING_get0_data(g->d.dNSName));
	}
	GENERAL_NAMES_free(names);
}

static void
complain(struct tls_wish *w, const char *what, const char *more)
{
	tls_say(&w->trouble, "certificate of %s: %s%s", w->name, what, more);
}

/* Called on the first thing that is wrong with a chain. Changes no outcome. */
static int
on_verify(int ok, X509_STORE_CTX *ctx)
{
	const SSL *ssl =
	    X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_wish *w = ((struct tls_session *)SSL_get_app_data(ssl))->wish;
	int code = X509_STORE_CTX_get_error(ctx);
	char name[48], more[80] = "";

	if (ok || w->trouble)
		return ok;
	if (code == X509_V_ERR_HOSTNAME_MISMATCH) {
		first_name(X509_STORE_CTX_get0_cert(ctx), name, sizeof(name));
		if (name[0] != '\0')
			snprintf(more, sizeof(more), " (it is for %s)", name);
	} else if (X509_STORE_CTX_get_error_depth(ctx) > 0 &&
		   code == X509_V_ERR_CERT_HAS_EXPIRED) {
		snprintf(more, sizeof(more), " (an issuer of it)");
	}
	complain(w, reason_of(w, code), more);
	return ok;
}

void
tls_wish_free(struct tls_wish **w)
{
	if (!*w)
		return;
	free((*w)->name);
	free((*w)->trouble);
	free(*w);
	*w = NULL;
}

bool
tls_wish_apply(struct tls_session *t, const struct tls_client_policy *p)
{
	struct span name = p->sni.n > 0 ? p->sni
			   : p->n_names ? p->names[0]
					: SPAN("the server");
	bool none;

	t->wish->name = span_dup(span_first(name, SHOWN_MAX));
	t->wish->verify = p->verify;
	if (!ask_sni(t, p->sni) || !ask_dane(t, p) || !ask_names(t, p))
		return false;
	none = t->wish->verify == TLS_VERIFY_NONE;
	if (none)
		ask_nothing(t->ssl);
	SSL_set_verify(t->ssl, none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, on_verify);
	return true;
}

void
tls_wish_done(struct tls_session *t)
{
	int code = (int)SSL_get_verify_result(t->ssl);
	struct tls_wish *w = t->wish;

	if (w->unusable)
		complain(w, "no TLSA record of it can be used", "");
	else if (code != X509_V_OK && !w->trouble)
		complain(w, reason_of(w, code), "");
	else if (code == X509_V_OK && !w->named)
		complain(w, "no name to compare with", "");
	else if (code == X509_V_OK && !SSL_get0_peer_certificate(t->ssl))
		complain(w, "there is none", "");
	else if (code == X509_V_OK)
		w->found =
		    w->verify == TLS_VERIFY_DANE ? TLS_VERIFY_DANE : TLS_VERIFY_NAMES;
}

void
tls_wish_failed(struct tls_session *t)
{
	tls_resume_forget(t);
	if (t->wish->verify != TLS_VERIFY_NONE && t->wish->trouble)
		tls_say(&t->fault, "%s", t->wish->trouble);
}

enum tls_verify
tls_session_verified(const struct tls_session *t)
{
	return t->wish ? t->wish->found : TLS_VERIFY_NONE;
}

const char *
tls_session_peer_fault(const struct tls_session *t)
{
	const struct tls_wish *w = t->wish;

	return w && w->found == TLS_VERIFY_NONE && w->trouble ? w->trouble : "";
}
