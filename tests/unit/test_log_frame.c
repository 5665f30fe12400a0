/* tests/unit/test_log_frame.c - the bytes of a log file, cut and flipped everywhere */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/log/log.h"

#define KIND 7

static const struct log_id id = {.kind = KIND, .number = 3, .salt = 0x123456789abcdef0};

static size_t
frame_make(struct span payload, uint64_t offset, char *at)
{
	struct log_record r = {.offset = offset, .synced = 1024, .kind = 5};
	char tail[11];
	uint32_t crc = crc32c(log_frame_crc(&id, offset), payload);
	size_t n;

	r.n = (uint32_t)payload.n;
	log_frame_put_head(&id, &r, at);
	memcpy(at + LOG_HEAD_BYTES, payload.at, payload.n);
	n = log_frame_put_tail(crc, &r, at, tail);
	memcpy(at + LOG_HEAD_BYTES + payload.n, tail, n);
	return LOG_HEAD_BYTES + payload.n + n;
}

static void
test_frame_is_checked_at_every_length_and_cut(void **state)
{
	struct log_record r;

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		char frame[64];
		struct span payload =
		    span_make("0123456789abcdefghijklmnopqrstuvwxyzABCD", n);
		size_t bytes = frame_make(payload, 2048, frame);

		assert_int_equal(bytes, log_frame_bytes(n));
		assert_int_equal(bytes % 8, 0);
		for (size_t cut = 0; cut <= bytes; cut++) {
			char *exact = memcpy(memory_new(cut, 1), frame, cut);
			enum log_frame got =
			    log_frame_check(&id, 2048, span_make(exact, cut), &r);

			assert_int_equal(got, cut < LOG_HEAD_BYTES ? LOG_FRAME_BAD
					      : cut < bytes        ? LOG_FRAME_SHORT
								   : LOG_FRAME_OK);
			if (got == LOG_FRAME_SHORT)
				assert_int_equal(r.next, 2048 + bytes);
			if (got == LOG_FRAME_OK)
				assert_true(span_equal(r.payload, payload));
			free(exact);
		}
		assert_int_equal(r.kind, 5);
		assert_int_equal(r.synced, 1024);
		assert_int_equal(r.payload_at, 2048 + LOG_HEAD_BYTES);
	}
}

static void
test_frame_with_a_flipped_bit_is_no_record(void **state)
{
	char frame[64];
	size_t bytes = frame_make(SPAN("thirteen byte"), 2048, frame);
	struct log_record r;

	(void)state;
	for (size_t bit = 0; bit < bytes * 8; bit++) {
		bool padding = bit / 8 >= LOG_HEAD_BYTES + 13 && bit / 8 < bytes - 4;
		enum log_frame got;

		frame[bit / 8] ^= (char)(1 << bit % 8);
		got = log_frame_check(&id, 2048, span_make(frame, bytes), &r);
		assert_int_equal(got, padding ? LOG_FRAME_OK : LOG_FRAME_BAD);
		frame[bit / 8] ^= (char)(1 << bit % 8);
	}
}

static void
test_frame_belongs_to_one_place_in_one_life(void **state)
{
	struct log_id other = id;
	struct log_record r;
	char frame[64];
	struct span all = span_make(frame, frame_make(SPAN("x"), 2048, frame));

	(void)state;
	assert_int_equal(log_frame_check(&id, 2048, all, &r), LOG_FRAME_OK);
	assert_int_equal(log_frame_check(&id, 2056, all, &r), LOG_FRAME_BAD);
	assert_int_equal(log_frame_check(&id, 2049, all, &r), LOG_FRAME_BAD);
	for (int bit = 0; bit < 64; bit++) {
		other.salt = id.salt ^ UINT64_C(1) << bit;
		assert_int_equal(log_frame_check(&other, 2048, all, &r), LOG_FRAME_BAD);
	}
}

static void
test_header_says_ready_unready_or_damaged(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind;
		uint64_t number;
		size_t cut, flip, flip_too; /* 0: none */
		enum log_header want;
	} rows[] = {
	    {"whole",                  KIND,     3, 1024, 0,   0,   LOG_HEADER_OK     },
	    {"nothing yet",            KIND,     3, 0,    0,   0,   LOG_HEADER_UNREADY},
	    {"one copy is enough",     KIND,     3, 36,   0,   0,   LOG_HEADER_OK     },
	    {"first copy lost",        KIND,     3, 1024, 25,  0,   LOG_HEADER_OK     },
	    {"second copy lost",       KIND,     3, 1024, 530, 0,   LOG_HEADER_OK     },
	    {"both copies lost",       KIND,     3, 1024, 25,  530, LOG_HEADER_DAMAGED},
	    {"life of another number", KIND,     4, 1024, 0,   0,   LOG_HEADER_UNREADY},
	    {"another kind of log",    KIND + 1, 3, 1024, 0,   0,   LOG_HEADER_DAMAGED},
	    {"another version",        KIND,     3, 512,  7,   0,   LOG_HEADER_DAMAGED},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct log_id got = {.kind = rows[i].kind, .number = rows[i].number};
		char header[LOG_HEADER_BYTES];

		print_message("%s\n", rows[i].name);
		log_header_put(&id, header);
		header[rows[i].flip] ^= rows[i].flip ? 1 : 0;
		header[rows[i].flip_too] ^= rows[i].flip_too ? 1 : 0;
		assert_int_equal(log_header_check(span_make(header, rows[i].cut), &got),
				 rows[i].want);
		assert_int_equal(got.salt, rows[i].want == LOG_HEADER_OK ? id.salt : 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frame_is_checked_at_every_length_and_cut),
	    cmocka_unit_test(test_frame_with_a_flipped_bit_is_no_record),
	    cmocka_unit_test(test_frame_belongs_to_one_place_in_one_life),
	    cmocka_unit_test(test_header_says_ready_unready_or_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
