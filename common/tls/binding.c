#include "common/tls/internal.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_BYTES 32

/* [RFC9266 4.2]: under TLS 1.2 the exporter is unique only with the extended
 * master secret. The context is a string of no bytes. */
static size_t
exporter(SSL *ssl, uint8_t *out)
{
	if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
		return 0;
	if (SSL_export_keying_material(ssl, out, EXPORTER_BYTES, EXPORTER_LABEL,
				       sizeof(EXPORTER_LABEL) - 1,
				       (const unsigned char *)"", 0, 1) == 1)
		return EXPORTER_BYTES;
	ERR_clear_error();
	return 0;
}

/* [RFC5929 4.1]: the hash of the certificate's signature, but SHA-256 in place
 * of MD5 and SHA-1; not defined where the signature names none. */
static const EVP_MD *
end_point_hash(X509 *leaf)
{
	int hash = NID_undef;

	if (X509_get_signature_info(leaf, &hash, NULL, NULL, NULL) != 1 ||
	    hash == NID_undef)
		return NULL;
	if (hash == NID_md5 || hash == NID_sha1)
		return EVP_sha256();
	return EVP_get_digestbynid(hash);
}

static size_t
end_point(SSL *ssl, uint8_t *out)
{
	X509 *leaf = SSL_is_server(ssl) ? SSL_get_certificate(ssl)
					: SSL_get0_peer_certificate(ssl);
	const EVP_MD *hash = leaf ? end_point_hash(leaf) : NULL;
	unsigned n = 0;

	if (!hash || EVP_MD_get_size(hash) > TLS_BINDING_MAX)
		return 0;
	if (X509_digest(leaf, hash, out, &n) == 1)
		return n;
	ERR_clear_error();
	return 0;
}

size_t
tls_session_binding(const struct tls_session *t, enum tls_binding type, uint8_t *out)
{
	switch (type) {
	case TLS_BINDING_EXPORTER:
		return exporter(t->ssl, out);
	case TLS_BINDING_SERVER_END_POINT:
		return end_point(t->ssl, out);
	case TLS_BINDING_NONE:
		break;
	}
	return 0;
}

enum tls_binding
tls_binding_named(struct span client_first)
{
	struct span rest = client_first, flag = span_cut(&rest, ',');

	if (span_equal(flag, SPAN("p=tls-exporter")))
		return TLS_BINDING_EXPORTER;
	if (span_equal(flag, SPAN("p=tls-server-end-point")))
		return TLS_BINDING_SERVER_END_POINT;
	return TLS_BINDING_NONE;
}
