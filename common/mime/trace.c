#include "common/mime/trace.h"

/* What a hop writes for other servers. A name that ends in '*' is a prefix. */
static const char *const trace_names[] = {
    "arc-*",
    "authentication-results",
    "authentication-results-original",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "received",
    "received-spf",
    "return-path",
    "x-authentication-*",
    "x-dkim*",
    "x-envelope-*",
    "x-forefront-antispam-report*",
    "x-gm-message-state",
    "x-google-dkim-signature",
    "x-google-smtp-source",
    "x-microsoft-antispam*",
    "x-ms-exchange-*",
    "x-original-to",
    "x-originatororg",
    "x-proofpoint-*",
    "x-received",
};

static bool
row_matches(const char *row, struct span name)
{
	size_t i = 0;

	while (i < name.n && row[i] && row[i] == ascii_lower(name.at[i]))
		i++;
	return row[i] == '*' || (row[i] == '\0' && i == name.n);
}

bool
mime_header_is_trace(struct span name)
{
	for (size_t i = 0; i < N_ELEMS(trace_names); i++)
		if (row_matches(trace_names[i], name))
			return true;
	return false;
}

struct mime_hops
mime_hops_count(struct span block)
{
	struct mime_hops hops = {0, 0};
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init(&walk, block);
	while (mime_headers_next(&walk, &field)) {
		hops.received += field.id == MIME_HEADER_RECEIVED;
		hops.delivered_to += field.id == MIME_HEADER_DELIVERED_TO;
	}
	return hops;
}

void
mime_headers_put_kept(struct span block, struct buf *out)
{
	struct mime_headers walk;
	struct mime_header field;
	const char *from;

	mime_headers_init(&walk, block);
	while (mime_headers_next(&walk, &field))
		if (field.id == MIME_HEADER_OPAQUE || !mime_header_is_trace(field.name))
			buf_put(out, field.raw);
	from = walk.rest.at;
	if (walk.ended)
		buf_put(out, from - walk.start >= 2 && from[-2] == '\r' ? SPAN("\r\n")
									: SPAN("\n"));
}
