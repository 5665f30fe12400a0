#include "common/transfer/import_internal.h"

#include <openssl/evp.h>

#define IMPORTED UINT32_C(0x80000000) /* no spool has such a number */

void
digest_of(struct span bytes, uint8_t out[DIGEST_BYTES])
{
	/* Fails only without memory. */
	ASSERT(EVP_Digest(bytes.at, bytes.n, out, NULL, EVP_sha256(), NULL) == 1);
}

void
identity_make(struct span mailbox, const struct mail_message *m, unsigned again,
	      struct identity *out)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf text = buf_make(64u << 10);

	buf_put_str(&text, "postroad import");
	buf_put_char(&text, '\0');
	buf_put(&text, mailbox);
	buf_put_char(&text, '\0');
	buf_put(&text, m->name);
	if (again > 0)
		buf_putf(&text, "%c%u", '\0', again);
	digest_of(buf_span(&text), digest);
	buf_release(&text);
	memcpy(&out->delivery.queue_id, digest, 8);
	memcpy(&out->delivery.ordinal, digest + 8, 4);
	memcpy(&out->delivery.spool, digest + 12, 4);
	out->delivery.spool |= IMPORTED;
	out->own = !m->has_guid || again > 0;
	memcpy(out->guid, out->own ? digest + 16 : m->guid, sizeof(out->guid));
}

/* --- sets ----------------------------------------------------------------- */

static size_t
place_of(const struct guids *set, const uint8_t *guid, uint32_t mailbox)
{
	uint64_t a, b;
	size_t i;

	memcpy(&a, guid, 8);
	memcpy(&b, guid + 8, 8);
	a = (a ^ b ^ mailbox) * UINT64_C(0x9e3779b97f4a7c15);
	i = (a ^ a >> 29) & (set->size - 1);
	while (set->at[i].used &&
	       (set->at[i].mailbox != mailbox ||
		memcmp(set->at[i].guid, guid, STORE_GUID_BYTES) != 0))
		i = (i + 1) & (set->size - 1);
	return i;
}

static void
guids_grow(struct guids *set)
{
	struct guids old = *set;

	set->size = old.size ? 2 * old.size : 1024;
	set->at = memory_new(set->size, sizeof(*set->at));
	for (size_t i = 0; i < old.size; i++)
		if (old.at[i].used)
			set->at[place_of(set, old.at[i].guid, old.at[i].mailbox)] =
			    old.at[i];
	free(old.at);
}

struct guid_row *
guids_have(struct guids *set, const uint8_t guid[STORE_GUID_BYTES], uint32_t mailbox)
{
	struct guid_row *row;

	if (4 * (set->n + 1) > 3 * set->size)
		guids_grow(set);
	row = &set->at[place_of(set, guid, mailbox)];
	if (row->used)
		return row;
	row->used = true;
	row->mailbox = mailbox;
	memcpy(row->guid, guid, STORE_GUID_BYTES);
	set->n++;
	return row;
}

bool
guids_add(struct guids *set, const uint8_t guid[STORE_GUID_BYTES], uint32_t mailbox)
{
	size_t before = set->n;

	guids_have(set, guid, mailbox);
	return set->n > before;
}

struct guid_row *
guids_find(const struct guids *set, const uint8_t guid[STORE_GUID_BYTES],
	   uint32_t mailbox)
{
	size_t i;

	if (set->n == 0)
		return NULL;
	i = place_of(set, guid, mailbox);
	return set->at[i].used ? &set->at[i] : NULL;
}

bool
guids_has(const struct guids *set, const uint8_t guid[STORE_GUID_BYTES],
	  uint32_t mailbox)
{
	return guids_find(set, guid, mailbox) != NULL;
}

void
guids_release(struct guids *set)
{
	free(set->at);
	*set = (struct guids){0};
}
