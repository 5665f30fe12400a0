/* common/directory/name.h - addresses and domains in the one form they are compared in
 *
 * What    a domain becomes lower-case A-labels; a local part loses its quotes,
 *         becomes lower case and NFC. Two addresses are the same when their
 *         canonical forms are.
 * RFC     [RFC5321 4.1.2] quoted forms, [RFC5890 2.3.2.1] A-labels, [RFC6531 3.3].
 * Trust   the text may be a peer's; nothing here asserts on it.
 */
#pragma once

#include "common/base/base.h"

#define DIRECTORY_DOMAIN_MAX 253
/* What is looked up may have a long detail; accounts and aliases themselves keep
 * to the 64 bytes of [RFC5321 4.5.3.1.1]. */
#define DIRECTORY_LOCAL_MAX   256
#define DIRECTORY_LOCAL_OWN   64
#define DIRECTORY_ADDRESS_MAX (DIRECTORY_LOCAL_MAX + 1 + DIRECTORY_DOMAIN_MAX)

struct directory_name {
	char text[DIRECTORY_ADDRESS_MAX + 1]; /* local@domain, NUL-terminated */
	size_t local_bytes;                   /* 0: "@domain", a catch-all */
	size_t bytes;
};

struct span directory_name_local(const struct directory_name *n);
struct span directory_name_domain(const struct directory_name *n);
struct span directory_name_span(const struct directory_name *n);

/* Canonical form of a domain into `out` (DIRECTORY_DOMAIN_MAX + 1 bytes). When
 * it is none, -1 with the reason for an operator in *err. */
MUST_USE int directory_domain_canonical(struct span domain, char *out, struct err *err);

/* The same of an address. "@domain" is taken as well. */
MUST_USE int
directory_name_parse(struct span address, struct directory_name *out, struct err *err);

/* Puts name together from canonical parts; false when it does not fit. */
MUST_USE bool
directory_name_make(struct span local, struct span domain, struct directory_name *out);
