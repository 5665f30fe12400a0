/* tests/unit/test_backup.c - the list of a generation, and moments */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/backup/backup.h"

#define NOW INT64_C(1795351713000000) /* 2026-11-22T12:48:33Z */

static const struct backup_row rows[] = {
    {.kind = BACKUP_ROW_VERSION,  .number = 1       },
    {					      .kind = BACKUP_ROW_GENERATION,                .number = 7                  },
    {		       .kind = BACKUP_ROW_BEGAN,                           .time_us = NOW                      },
    {	    .kind = BACKUP_ROW_HOST,     .name = SPAN("mx.example.org")  },
    {	    .kind = BACKUP_ROW_TREE, .name = SPAN("mail")                                    },
    {									      .kind = BACKUP_ROW_FILE,
     .name = SPAN("queue/seg/5"),
     .bytes = 12,
     .crc = 0x1a2b3c4d},
    { .kind = BACKUP_ROW_ACCOUNT,    .number = 0x123f,                                .bytes = 81920},
    {								      .kind = BACKUP_ROW_PIECE,
     .number = 0x123f,
     .name = SPAN("journal.3"),
     .bytes = 1048576,
     .crc = 0xa1b2c3d4},
    {						   .kind = BACKUP_ROW_PIECE,
     .number = 0x123f,
     .name = SPAN("data.1"),
     .kept = SPAN("data.1-7"),
     .bytes = UINT64_MAX,
     .crc = 1},
    {									    .kind = BACKUP_ROW_ACCOUNT,                           .number = 0x1240,                    .bytes = 0},
};

static void
write_all(struct buf *out)
{
	struct backup_writer w = {0};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		backup_row_put(&w, &rows[i], out);
	backup_end_put(&w, out);
}

static enum backup_read
read_all(struct span text, size_t *n)
{
	struct backup_reader r = {0};
	enum backup_read got = BACKUP_READ_BAD;
	struct backup_row row;

	for (*n = 0; text.n > 0; (*n)++) {
		size_t end = span_find(text, '\n');

		if (end == text.n)
			return BACKUP_READ_ROW;
		got = backup_read_line(&r, span_first(text, end), &row);
		text = span_after(text, end + 1);
		if (got == BACKUP_READ_BAD)
			break;
	}
	return got;
}

static void
test_list_is_read_as_it_was_written(void **state)
{
	struct buf out = buf_make(4096);
	struct backup_reader r = {0};
	struct backup_row row;
	struct span rest;

	(void)state;
	write_all(&out);
	rest = buf_span(&out);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct backup_row *want = &rows[i];

		assert_int_equal(backup_read_line(&r, span_cut(&rest, '\n'), &row),
				 BACKUP_READ_ROW);
		assert_int_equal(row.kind, want->kind);
		assert_int_equal(row.number, want->number);
		assert_int_equal(row.bytes, want->bytes);
		assert_int_equal(row.crc, want->crc);
		assert_int_equal(row.time_us, want->time_us);
		assert_true(span_equal(row.name, want->name));
		if (want->kept.n > 0)
			assert_true(span_equal(row.kept, want->kept));
	}
	assert_int_equal(backup_read_line(&r, span_cut(&rest, '\n'), &row),
			 BACKUP_READ_END);
	assert_int_equal(backup_read_line(&r, SPAN("synced"), &row), BACKUP_READ_BAD);
	buf_release(&out);
}

static void
test_list_cut_anywhere_is_not_whole(void **state)
{
	struct buf out = buf_make(4096);
	size_t n;

	(void)state;
	write_all(&out);
	for (size_t cut = 0; cut < out.n; cut++)
		assert_int_not_equal(read_all(span_first(buf_span(&out), cut), &n),
				     BACKUP_READ_END);
	assert_int_equal(read_all(buf_span(&out), &n), BACKUP_READ_END);
	buf_release(&out);
}

static void
test_list_with_a_changed_byte_is_not_whole(void **state)
{
	struct buf out = buf_make(4096);
	size_t n;

	(void)state;
	write_all(&out);
	for (size_t i = 0; i < out.n; i++) {
		out.at[i] ^= 1;
		assert_int_not_equal(read_all(buf_span(&out), &n), BACKUP_READ_END);
		out.at[i] ^= 1;
	}
	buf_release(&out);
}

static void
test_bad_lines_are_refused(void **state)
{
	static const struct {
		const char *name, *line;
	} bad[] = {
	    {"no word",             ""				    },
	    {"unknown word",        "colour 3"                            },
	    {"second first line",   "postroad-backup 1"                   },
	    {"piece of nobody",     "piece data.1 5 00000000"             },
	    {"way up",              "file ../passwd 5 00000000"           },
	    {"absolute",            "file /etc/passwd 5 00000000"         },
	    {"hidden",              "file a/.b 5 00000000"                },
	    {"two slashes",         "file a//b 5 00000000"                },
	    {"kept elsewhere",      "file a 5 00000000 ../a"              },
	    {"size is none",        "file a five 00000000"                },
	    {"size is too large",   "file a 18446744073709551616 00000000"},
	    {"crc is short",        "file a 5 0000000"                    },
	    {"account id is short", "account 1 5"                         },
	    {"tree with a slash",   "tree mail/a"                         },
	    {"words behind",        "generation 7 8"                      },
	    {"time is none",        "began yesterday"                     },
	};
	struct backup_row row;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct backup_reader r = {0};

		assert_int_equal(backup_read_line(&r, SPAN("postroad-backup 1"), &row),
				 BACKUP_READ_ROW);
		if (backup_read_line(&r, span_str(bad[i].line), &row) !=
		    BACKUP_READ_BAD)
			fail_msg("%s was taken", bad[i].name);
	}
}

static void
test_accounts_ascend(void **state)
{
	struct backup_reader r = {0};
	struct backup_row row;

	(void)state;
	assert_int_equal(backup_read_line(&r, SPAN("postroad-backup 1"), &row),
			 BACKUP_READ_ROW);
	assert_int_equal(backup_read_line(&r, SPAN("account 0000000000000005 8"), &row),
			 BACKUP_READ_ROW);
	assert_int_equal(backup_read_line(&r, SPAN("account 0000000000000005 8"), &row),
			 BACKUP_READ_BAD);
}

static void
test_moments_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t want_us; /* -1: none */
	} times[] = {
	    {"2026-11-22T12:48:33Z",        NOW                               },
	    {"2026-11-22t12:48:33z",        NOW                               },
	    {"2026-11-22 12:48:33",         NOW                               },
	    {"2026-11-22T13:48:33+01:00",   NOW                               },
	    {"2026-11-22T07:18:33-05:30",   NOW                               },
	    {"2026-11-22T12:48:33.25Z",     NOW + 250000                      },
	    {"2026-11-22T12:48:33.1234567", NOW + 123456                      },
	    {"2026-11-22T12:48",            NOW - 33 * INT64_C(1000000)       },
	    {"2026-11-22",                  INT64_C(1795305600000000)         },
	    {"1970-01-01T00:00:00Z",        0                                 },
	    {"2000-02-29",                  INT64_C(951782400000000)          },
	    {"now",			 NOW			       },
	    {"2h ago",                      NOW - 7200 * INT64_C(1000000)     },
	    {" 3d  ago ",                   NOW - 3 * 86400 * INT64_C(1000000)},
	    {"90 ago",                      NOW - 90 * INT64_C(1000000)       },
	    {"",			    -1				},
	    {"ago",			 -1				},
	    {"2026-02-29",                  -1				},
	    {"2026-13-01",                  -1				},
	    {"2026-11-31",                  -1				},
	    {"2026-11-22T",                 -1				},
	    {"2026-11-22T24:00:00Z",        -1                                },
	    {"2026-11-22T12:48:33Zx",       -1                                },
	    {"2026-11-22T12:48:33.Z",       -1                                },
	    {"2026-11-22T12:48:33+1:00",    -1                                },
	    {"99999999999 ago",             -1                                },
	    {"yesterday",                   -1				},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(times); i++) {
		int64_t us = -1;
		bool read = backup_when_parse(span_str(times[i].text), NOW, &us);

		if (us != times[i].want_us || read != (us >= 0))
			fail_msg("'%s' is %lld", times[i].text, (long long)us);
	}
}

static void
test_moments_survive_being_written(void **state)
{
	char text[BACKUP_WHEN_TEXT];
	int64_t us;

	(void)state;
	for (int64_t s = 0; s < INT64_C(8000000000); s += 3333333) {
		backup_when_put(s * 1000000, text);
		assert_true(backup_when_parse(span_str(text), 0, &us));
		assert_int_equal(us, s * 1000000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_list_is_read_as_it_was_written),
	    cmocka_unit_test(test_list_cut_anywhere_is_not_whole),
	    cmocka_unit_test(test_list_with_a_changed_byte_is_not_whole),
	    cmocka_unit_test(test_bad_lines_are_refused),
	    cmocka_unit_test(test_accounts_ascend),
	    cmocka_unit_test(test_moments_are_read_and_written),
	    cmocka_unit_test(test_moments_survive_being_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
