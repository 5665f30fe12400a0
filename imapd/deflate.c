#include "imapd/deflate.h"

#include <zlib.h>

/* A client may use the whole window of 32 KB; we use less, for the memory. */
#define INFLATE_BITS (-15)
#define DEFLATE_BITS (-13)
#define MEMORY_LEVEL 6
#define PIECE        16384u

struct deflate {
	z_stream inflater, deflater;
	struct buf in, out;
	bool ended;
};

struct deflate *
deflate_new(size_t output_max)
{
	struct deflate *d = memory_new(1, sizeof(*d));

	d->in = buf_make(DEFLATE_INPUT_MAX);
	d->out = buf_make(output_max);
	ASSERT(inflateInit2(&d->inflater, INFLATE_BITS) == Z_OK);
	ASSERT(deflateInit2(&d->deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			    DEFLATE_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
	return d;
}

void
deflate_free(struct deflate **owner)
{
	struct deflate *d = *owner;

	if (!d)
		return;
	(void)inflateEnd(&d->inflater);
	(void)deflateEnd(&d->deflater);
	buf_release(&d->in);
	buf_release(&d->out);
	free(d);
	*owner = NULL;
}

/* zlib's pointers are not to constants, though it writes nowhere. */
static void
source(z_stream *z, struct span bytes)
{
	z->next_in = (z_const Bytef *)(uintptr_t)bytes.at;
	z->avail_in = (uInt)bytes.n;
}

/* One piece; true when another may follow. */
static bool
inflate_piece(struct deflate *d, int *result)
{
	size_t had = d->in.n, room = DEFLATE_INPUT_MAX - had;
	char *at;

	if (room > PIECE)
		room = PIECE;
	at = room > 0 ? buf_extend(&d->in, room) : NULL;
	if (!at)
		return false;
	d->inflater.next_out = (Bytef *)at;
	d->inflater.avail_out = (uInt)room;
	*result = inflate(&d->inflater, Z_SYNC_FLUSH);
	d->in.n = had + room - d->inflater.avail_out;
	return *result == Z_OK && d->inflater.avail_out == 0;
}

bool
deflate_feed(struct deflate *d, struct span *in)
{
	int result = Z_OK;

	if (d->ended)
		return false;
	source(&d->inflater, *in);
	while (inflate_piece(d, &result))
		;
	*in = span_after(*in, in->n - d->inflater.avail_in);
	d->ended = result != Z_OK && result != Z_BUF_ERROR;
	if (d->in.n == 0)
		buf_release(&d->in);
	return !d->ended || d->in.n > 0;
}

struct span
deflate_input(const struct deflate *d)
{
	return buf_span(&d->in);
}

void
deflate_take(struct deflate *d, size_t n)
{
	buf_drop_front(&d->in, n);
	if (d->in.n == 0)
		buf_release(&d->in);
}

struct buf *
deflate_output(struct deflate *d)
{
	return &d->out;
}

void
deflate_flush(struct deflate *d, struct buf *out)
{
	if (d->out.n == 0)
		return;
	source(&d->deflater, buf_span(&d->out));
	do {
		char *at = buf_extend(out, PIECE);

		if (!at)
			break; /* `out` is marked as full */
		d->deflater.next_out = (Bytef *)at;
		d->deflater.avail_out = PIECE;
		(void)deflate(&d->deflater, Z_SYNC_FLUSH);
		out->n -= d->deflater.avail_out;
	} while (d->deflater.avail_out == 0);
	out->full |= d->out.full;
	buf_release(&d->out);
}
