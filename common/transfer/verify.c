/* what has come is read back and compared with what was read from the source */
#include "common/transfer/import_internal.h"

#include <openssl/evp.h>
#include <stdio.h>

static int
order_uids(const void *a, const void *b)
{
	const struct arrived *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* The digest of what the store has. OK, NONE (expunged since), DAMAGED, FAULT. */
static enum store_result
content_digest(struct import_box *box, uint32_t uid, uint8_t out[DIGEST_BYTES])
{
	struct store_account *account = box->im->account;
	struct store_content *content = NULL;
	EVP_MD_CTX *md;
	enum store_result result =
	    store_content_open(account, box->id, uid, &content, box->im->err);
	struct span piece;
	uint64_t at = 0;

	if (result != STORE_OK)
		return result;
	md = EVP_MD_CTX_new();
	ASSERT(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
	do {
		result = store_content_read(content, at, STORE_PIECE_MAX, &piece,
					    box->im->err);
		if (result == STORE_OK)
			ASSERT(EVP_DigestUpdate(md, piece.at, piece.n) == 1);
		at += piece.n;
	} while (result == STORE_OK && piece.n > 0);
	ASSERT(EVP_DigestFinal_ex(md, out, NULL) == 1);
	EVP_MD_CTX_free(md);
	store_content_close(&content);
	return result;
}

static void
differs(struct import_box *box, uint32_t uid)
{
	char text[100];

	snprintf(text, sizeof(text), "uid %u was read back and is not what was written",
		 (unsigned)uid);
	import_note(box->im, box->name, "", text);
	box->counts.failed++;
}

int
import_verify(struct import_box *box, uint8_t digest[DIGEST_BYTES])
{
	struct buf all = buf_make(box->n_arrived * DIGEST_BYTES);

	if (store_view_refresh(box->im->account, box->im->err) != STORE_OK)
		return -1;
	if (box->n_arrived > 0)
		qsort(box->arrived, box->n_arrived, sizeof(*box->arrived), order_uids);
	for (size_t i = 0; i < box->n_arrived; i++) {
		const struct arrived *a = &box->arrived[i];
		uint8_t found[DIGEST_BYTES];

		switch (content_digest(box, a->uid, found)) {
		case STORE_OK:
			break;
		case STORE_NONE:
			continue; /* somebody deleted it meanwhile */
		case STORE_DAMAGED:
			differs(box, a->uid);
			continue;
		default:
			buf_release(&all);
			return -1;
		}
		if (memcmp(found, a->digest, sizeof(found)) == 0)
			box->counts.verified++;
		else
			differs(box, a->uid);
		buf_put(&all, span_make(found, sizeof(found)));
	}
	digest_of(buf_span(&all), digest);
	buf_release(&all);
	return 0;
}
