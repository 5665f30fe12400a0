/* tests/unit/test_imap_deflate.c - COMPRESS=DEFLATE both ways, and what is no deflate
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "imapd/deflate.h"

#include <zlib.h>

#define BIG (4u << 20)

/* What a client sends. */
static void
squeeze(struct buf *out, struct span bytes, int flush)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY),
			 0);
	z.next_in = (z_const Bytef *)(uintptr_t)bytes.at;
	z.avail_in = (uInt)bytes.n;
	do {
		char *at = buf_extend(out, 4096);

		assert_non_null(at);
		z.next_out = (Bytef *)at;
		z.avail_out = 4096;
		(void)deflate(&z, flush);
		out->n -= z.avail_out;
	} while (z.avail_out == 0);
	(void)deflateEnd(&z);
}

static void
test_deflate_input_same_at_every_cut(void **state)
{
	struct span text = SPAN("a NOOP\r\nb SELECT INBOX\r\nc FETCH 1:* (FLAGS)\r\n");
	struct buf wire = buf_make(10000);

	(void)state;
	squeeze(&wire, text, Z_SYNC_FLUSH);
	for (size_t cut = 0; cut <= wire.n; cut++) {
		struct deflate *d = deflate_new(1000);
		struct span in = span_first(buf_span(&wire), cut);

		assert_true(deflate_feed(d, &in));
		assert_int_equal(in.n, 0);
		in = span_after(buf_span(&wire), cut);
		assert_true(deflate_feed(d, &in));
		assert_true(span_equal(deflate_input(d), text));
		deflate_take(d, 8);
		assert_true(span_equal(deflate_input(d), span_after(text, 8)));
		deflate_free(&d);
	}
	buf_release(&wire);
}

/* A bomb stops where its reader stops, and goes on when he does. */
static void
test_deflate_input_is_bounded(void **state)
{
	struct buf wire = buf_make(BIG), zeros = buf_make(BIG);
	struct deflate *d = deflate_new(1000);
	struct span in;
	size_t all = 0;

	(void)state;
	memset(buf_extend(&zeros, BIG), 'x', BIG);
	squeeze(&wire, buf_span(&zeros), Z_SYNC_FLUSH);
	in = buf_span(&wire);
	for (int i = 0; i < 1000 && all < BIG; i++) {
		size_t n;

		assert_true(deflate_feed(d, &in));
		n = deflate_input(d).n;
		assert_in_range(n, 1, DEFLATE_INPUT_MAX);
		/* Full: nothing more is taken. */
		assert_true(deflate_feed(d, &in));
		all += n;
		deflate_take(d, n);
	}
	assert_int_equal(all, BIG);
	deflate_free(&d);
	buf_release(&wire);
	buf_release(&zeros);
}

static void
test_deflate_refuses_what_is_broken_or_over(void **state)
{
	struct span noise = SPAN("\xff\xff\xff\xff this was never deflated");
	struct deflate *d = deflate_new(1000);
	struct buf wire = buf_make(10000);
	struct span in = noise;

	(void)state;
	assert_false(deflate_feed(d, &in));
	assert_false(deflate_feed(d, &in));
	deflate_free(&d);
	/* What came before the end is still read. */
	squeeze(&wire, SPAN("a NOOP\r\n"), Z_FINISH);
	d = deflate_new(1000);
	in = buf_span(&wire);
	assert_true(deflate_feed(d, &in));
	assert_true(span_equal(deflate_input(d), SPAN("a NOOP\r\n")));
	deflate_take(d, 8);
	assert_false(deflate_feed(d, &in));
	deflate_free(&d);
	buf_release(&wire);
}

static void
test_deflate_output_is_whole_at_each_flush(void **state)
{
	static const size_t sizes[] = {1, 100, 16384, 100000, 300000};
	struct deflate *d = deflate_new(BIG), *client = deflate_new(1);
	struct buf wire = buf_make(BIG);

	(void)state;
	for (size_t i = 0; i < N_ELEMS(sizes); i++) {
		size_t got = 0;
		struct span in;

		for (size_t n = 0; n < sizes[i]; n++)
			buf_put_char(deflate_output(d), (char)(n * n >> 7));
		deflate_flush(d, &wire);
		assert_int_equal(deflate_output(d)->n, 0);
		in = buf_span(&wire);
		while (got < sizes[i]) {
			struct span text;

			assert_true(deflate_feed(client, &in));
			text = deflate_input(client);
			for (size_t n = 0; n < text.n; n++)
				assert_int_equal(text.at[n],
						 (char)((got + n) * (got + n) >> 7));
			got += text.n;
			assert_true(text.n > 0);
			deflate_take(client, text.n);
		}
		assert_int_equal(got, sizes[i]);
		buf_reset(&wire);
	}
	deflate_free(&d);
	deflate_free(&client);
	buf_release(&wire);
}

/* Half a response is lost: the stream must learn of it. */
static void
test_deflate_overflow_is_told(void **state)
{
	struct deflate *d = deflate_new(10);
	struct buf wire = buf_make(BIG);

	(void)state;
	buf_put(deflate_output(d), SPAN("more than ten bytes"));
	buf_put(deflate_output(d), SPAN("few"));
	deflate_flush(d, &wire);
	assert_true(wire.full);
	deflate_free(&d);
	buf_release(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_deflate_input_same_at_every_cut),
	    cmocka_unit_test(test_deflate_input_is_bounded),
	    cmocka_unit_test(test_deflate_refuses_what_is_broken_or_over),
	    cmocka_unit_test(test_deflate_output_is_whole_at_each_flush),
	    cmocka_unit_test(test_deflate_overflow_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
