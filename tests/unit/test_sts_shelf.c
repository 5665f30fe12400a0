/* tests/unit/test_sts_shelf.c - MTA-STS policies in their file, and out of it again */
#include "resolver/shelf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define YEAR_S 1800000000u /* of some day */

static const struct policy_moment start = {5000, YEAR_S};

/* --- the bytes ------------------------------------------------------------ */

static const struct kept_policy examples[] = {
    {SPAN("a.example"), SPAN("1"),             SPAN("mx.a.example\n*.mx.a.example\n"), STS_ENFORCE,
     YEAR_S												   },
    {SPAN("b.example"), SPAN("20261122T0000"), SPAN(""),                               STS_NONE,    1         },
    {SPAN("c.example"), SPAN("x"),             SPAN("mx.c.example\n"),                 STS_TESTING, UINT64_MAX},
};

static void
half_make(struct buf *out, uint64_t number, size_t n)
{
	kept_head_put(out, number);
	for (size_t i = 0; i < n; i++)
		kept_record_put(out, number, &examples[i]);
	kept_end_put(out, number);
}

static bool
same(const struct kept_policy *a, const struct kept_policy *b)
{
	return span_equal(a->domain, b->domain) && span_equal(a->id, b->id) &&
	       span_equal(a->hosts, b->hosts) && a->mode == b->mode &&
	       a->until_s == b->until_s;
}

/* What is read must be the examples in their order; how many, and how it ended. */
static size_t
half_read(struct span bytes, unsigned which, enum kept_result *end)
{
	struct kept_half half;
	struct kept_policy p;
	size_t n = 0;

	*end = kept_open(bytes, which, &half);
	if (*end != KEPT_POLICY)
		return 0;
	while ((*end = kept_next(&half, &p)) == KEPT_POLICY) {
		assert_true(n < N_ELEMS(examples) && same(&p, &examples[n]));
		n++;
	}
	return n;
}

static void
test_sts_kept_policies_are_read_as_they_were_written(void **state)
{
	struct buf b = buf_make(KEPT_HALF_BYTES);
	enum kept_result end;

	(void)state;
	for (size_t n = 0; n <= N_ELEMS(examples); n++) {
		buf_reset(&b);
		half_make(&b, 7, n);
		assert_int_equal(half_read(buf_span(&b), 1, &end), n);
		assert_int_equal(end, KEPT_END);
		assert_int_equal(half_read(buf_span(&b), 0, &end), 0);
		assert_int_equal(end, KEPT_DAMAGED);
	}
	buf_release(&b);
}

static void
test_sts_kept_half_that_was_never_written_is_not_damaged(void **state)
{
	static const char zeros[100];
	enum kept_result end;

	(void)state;
	assert_int_equal(half_read(SPAN(""), 0, &end), 0);
	assert_int_equal(end, KEPT_END);
	assert_int_equal(half_read(span_make(zeros, sizeof(zeros)), 1, &end), 0);
	assert_int_equal(end, KEPT_END);
}

static void
test_sts_kept_cut_anywhere_gives_what_stands_before(void **state)
{
	struct buf b = buf_make(KEPT_HALF_BYTES);
	enum kept_result end;
	size_t before = 0;

	(void)state;
	half_make(&b, 2, N_ELEMS(examples));
	for (size_t cut = 1; cut < b.n; cut++) {
		size_t n = half_read(span_first(buf_span(&b), cut), 0, &end);

		assert_int_equal(end, KEPT_DAMAGED);
		assert_true(n >= before);
		before = n;
	}
	assert_int_equal(before, N_ELEMS(examples));
	buf_release(&b);
}

static void
test_sts_kept_any_wrong_bit_is_found(void **state)
{
	struct buf b = buf_make(KEPT_HALF_BYTES);
	enum kept_result end;

	(void)state;
	half_make(&b, 2, N_ELEMS(examples));
	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		b.at[bit / 8] = (char)(b.at[bit / 8] ^ 1 << bit % 8);
		(void)half_read(buf_span(&b), 0, &end);
		assert_int_equal(end, KEPT_DAMAGED);
		b.at[bit / 8] = (char)(b.at[bit / 8] ^ 1 << bit % 8);
	}
	buf_release(&b);
}

/* A half that is written anew has the records of its last turn behind its end. */
static void
test_sts_kept_record_of_another_number_is_none(void **state)
{
	struct buf b = buf_make(KEPT_HALF_BYTES);
	enum kept_result end;

	(void)state;
	kept_head_put(&b, 4);
	kept_record_put(&b, 2, &examples[0]);
	kept_end_put(&b, 4);
	assert_int_equal(half_read(buf_span(&b), 0, &end), 0);
	assert_int_equal(end, KEPT_DAMAGED);
	buf_release(&b);
}

static void
test_sts_kept_record_that_no_policy_has_is_none(void **state)
{
	static const struct kept_policy rows[] = {
	    {SPAN(""),          SPAN("1"),                                 SPAN(""), STS_NONE,           0},
	    {SPAN("a b"),       SPAN("1"),                                 SPAN(""), STS_NONE,           0},
	    {SPAN("a.example"), SPAN(""),                                  SPAN(""), STS_NONE,           0},
	    {SPAN("a.example"), SPAN("\0"),                                SPAN(""), STS_NONE,           0},
	    {SPAN("a.example"), SPAN("123456789012345678901234567890123"), SPAN(""),
	     STS_NONE,										   0},
	    {SPAN("a.example"), SPAN("1"),                                 SPAN(""), STS_LATER,          0},
	    {SPAN("a.example"), SPAN("1"),                                 SPAN(""), (enum sts_mode)200, 0},
	};
	enum kept_result end;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf b = buf_make(KEPT_HALF_BYTES);

		kept_head_put(&b, 2);
		kept_record_put(&b, 2, &rows[i]);
		kept_end_put(&b, 2);
		assert_int_equal(half_read(buf_span(&b), 0, &end), 0);
		assert_int_equal(end, KEPT_DAMAGED);
		buf_release(&b);
	}
}

/* --- the file ------------------------------------------------------------- */

/* One run of the program. */
struct run {
	struct shelf shelf;
	struct policies *all;
	struct policy_moment now;
	size_t kept;
};

static void
run_begin(struct run *r, int file, struct policy_moment now)
{
	int fd = dup(file);

	assert_true(fd >= 0);
	r->all = memory_new(1, sizeof(*r->all));
	r->now = now;
	policies_init(r->all);
	shelf_init(&r->shelf);
	r->kept = shelf_open(&r->shelf, fd, r->all, &now);
}

static void
run_end(struct run *r)
{
	close(r->shelf.fd);
	policies_release(r->all);
	free(r->all);
}

static void
fetched(struct run *r, const char *domain, const char *id, uint32_t max_age_s)
{
	struct sts_policy policy = {.mode = STS_ENFORCE,
				    .max_age_s = max_age_s,
				    .hosts = {SPAN("mx.example")},
				    .n_hosts = 1};
	struct policy *p = policies_get(r->all, span_str(domain));

	policy_set(p, &policy, span_str(id), r->now.ms);
	shelf_add(&r->shelf, r->all, p, &r->now);
}

/* Its id, or "" when it has none that is good. */
static const char *
known(struct run *r, const char *domain)
{
	const struct policy *p = policies_get(r->all, span_str(domain));

	return policy_good(p, r->now.ms) ? p->id : "";
}

static int
file_new(void)
{
	int file = memfd_create("policies", MFD_CLOEXEC);

	assert_true(file >= 0);
	return file;
}

static void
test_sts_shelf_gives_back_the_last_policy_of_each_domain(void **state)
{
	int file = file_new();
	struct run r;

	(void)state;
	run_begin(&r, file, start);
	assert_int_equal(r.kept, 0);
	fetched(&r, "a.example", "1", 1000);
	fetched(&r, "b.example", "1", 1000);
	fetched(&r, "a.example", "2", 1000);
	run_end(&r);
	for (int restart = 0; restart < 5; restart++) {
		run_begin(&r, file, start);
		assert_int_equal(r.kept, 2);
		assert_string_equal(known(&r, "a.example"), "2");
		assert_string_equal(known(&r, "b.example"), "1");
		assert_string_equal(policies_get(r.all, SPAN("a.example"))->hosts,
				    "mx.example\n");
		assert_int_equal(policies_get(r.all, SPAN("a.example"))->mode,
				 STS_ENFORCE);
		run_end(&r);
	}
	close(file);
}

/* The other clock starts anew with the machine; what is left is by the calendar. */
static void
test_sts_shelf_policy_lasts_as_long_as_it_would_have(void **state)
{
	static const struct {
		const char *name;
		uint64_t unix_s; /* of the restart */
		uint64_t left_s;
	} rows[] = {
	    {"at once",               YEAR_S,        1000           },
	    {"later",                 YEAR_S + 400,  600            },
	    {"in its last second",    YEAR_S + 999,  1              },
	    {"too late",              YEAR_S + 1000, 0              },
	    {"much too late",         YEAR_S * 2,    0              },
	    {"the clock is set back", 1,             STS_MAX_AGE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int file = file_new();
		struct run r;

		print_message("%s\n", rows[i].name);
		run_begin(&r, file, start);
		fetched(&r, "a.example", "1", 1000);
		run_end(&r);
		run_begin(&r, file, (struct policy_moment){77, rows[i].unix_s});
		assert_int_equal(r.kept, rows[i].left_s > 0);
		assert_int_equal(r.all->n, rows[i].left_s > 0);
		if (rows[i].left_s > 0) {
			struct policy *p = policies_get(r.all, SPAN("a.example"));

			assert_true(policy_good(p, 77 + rows[i].left_s * 1000 - 1));
			assert_false(policy_good(p, 77 + rows[i].left_s * 1000));
			assert_false(policy_fresh(p, SPAN("1"), 77));
		}
		run_end(&r);
		close(file);
	}
}

/* More is added than one half has room for, again and again. */
static void
test_sts_shelf_full_half_is_followed_by_the_other_one(void **state)
{
	int file = file_new();
	struct run r;
	uint64_t first;
	char id[20];
	unsigned n = 0;

	(void)state;
	run_begin(&r, file, start);
	first = r.shelf.number;
	fetched(&r, "first.example", "1", 1000);
	while (r.shelf.number < first + 3) {
		snprintf(id, sizeof(id), "%u", ++n);
		fetched(&r, "again.example", id, 1000);
	}
	assert_true(lseek(file, 0, SEEK_END) <= 2 * (off_t)KEPT_HALF_BYTES);
	run_end(&r);
	run_begin(&r, file, start);
	assert_int_equal(r.kept, 2);
	assert_string_equal(known(&r, "first.example"), "1");
	assert_string_equal(known(&r, "again.example"), id);
	run_end(&r);
	close(file);
}

/* Policies as big as they may be: those asked for last are kept. */
static void
test_sts_shelf_keeps_what_was_asked_for_last(void **state)
{
	static char host[STS_HOSTS_MAX][260];
	struct sts_policy big = {
	    .mode = STS_ENFORCE, .max_age_s = 1000, .n_hosts = STS_HOSTS_MAX};
	int file = file_new();
	struct run r;
	char name[40];

	(void)state;
	for (size_t i = 0; i < STS_HOSTS_MAX; i++) {
		memset(host[i], 'm', 250);
		big.hosts[i] = span_make(host[i], 250);
	}
	run_begin(&r, file, start);
	for (unsigned i = 0; i < 400; i++) {
		struct policy *p;

		snprintf(name, sizeof(name), "n%u.example", i);
		p = policies_get(r.all, span_str(name));
		policy_set(p, &big, SPAN("1"), r.now.ms);
		(void)!policies_get(r.all, SPAN("n0.example"));
		shelf_add(&r.shelf, r.all, p, &r.now);
	}
	run_end(&r);
	run_begin(&r, file, start);
	assert_in_range(r.kept, SHELF_FULL_BYTES / 26000, 2 * KEPT_HALF_BYTES / 25000);
	assert_string_equal(known(&r, "n0.example"), "1");
	assert_string_equal(known(&r, "n399.example"), "1");
	assert_string_equal(known(&r, "n1.example"), "");
	run_end(&r);
	close(file);
}

static void
test_sts_shelf_damage_costs_what_stands_behind_it_and_is_mended(void **state)
{
	struct buf zeros = buf_make(KEPT_HALF_BYTES);
	int file = file_new();
	off_t half;
	struct run r;

	(void)state;
	assert_non_null(buf_extend(&zeros, 100));
	memset(zeros.at, 'x', zeros.n);
	run_begin(&r, file, start);
	fetched(&r, "a.example", "1", 1000);
	half = r.shelf.number % 2 ? (off_t)KEPT_HALF_BYTES : 0;
	assert_true(pwrite(file, zeros.at, 100, half + (off_t)r.shelf.at) == 100);
	run_end(&r);
	for (int restart = 0; restart < 3; restart++) {
		run_begin(&r, file, start);
		assert_string_equal(known(&r, "a.example"), "1");
		run_end(&r);
	}
	/* All of it. */
	assert_int_equal(ftruncate(file, 0), 0);
	assert_true(pwrite(file, zeros.at, 100, 0) == 100);
	assert_true(pwrite(file, zeros.at, 100, KEPT_HALF_BYTES) == 100);
	run_begin(&r, file, start);
	assert_int_equal(r.kept, 0);
	fetched(&r, "b.example", "1", 1000);
	run_end(&r);
	run_begin(&r, file, start);
	assert_string_equal(known(&r, "b.example"), "1");
	run_end(&r);
	buf_release(&zeros);
	close(file);
}

/* Sealed, so that every write fails as on a full disk. */
static void
test_sts_shelf_that_cannot_be_written_is_tried_again_after_a_while(void **state)
{
	int file = memfd_create("policies", MFD_CLOEXEC);
	int broken = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct run r;

	(void)state;
	assert_int_equal(fcntl(broken, F_ADD_SEALS, F_SEAL_GROW), 0);
	run_begin(&r, file, start);
	fetched(&r, "a.example", "1", 1000);
	assert_true(dup2(broken, r.shelf.fd) == r.shelf.fd);
	fetched(&r, "b.example", "1", 1000);
	assert_string_equal(known(&r, "b.example"), "1");
	assert_true(dup2(file, r.shelf.fd) == r.shelf.fd);
	r.now.ms += SHELF_PAUSE_MS - 1;
	fetched(&r, "c.example", "1", 1000);
	assert_true(r.shelf.torn);
	r.now.ms += 1;
	fetched(&r, "d.example", "1", 1000);
	assert_false(r.shelf.torn);
	run_end(&r);
	run_begin(&r, file, start);
	assert_int_equal(r.kept, 4);
	run_end(&r);
	close(file);
	close(broken);
}

static void
test_sts_shelf_takes_one_file(void **state)
{
	int file = file_new(), other = file_new();
	struct run r;

	(void)state;
	run_begin(&r, file, start);
	fetched(&r, "a.example", "1", 1000);
	assert_int_equal(shelf_open(&r.shelf, other, r.all, &start), 0);
	assert_int_equal(fcntl(other, F_GETFD), -1);
	assert_true(r.shelf.fd != other);
	run_end(&r);
	close(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sts_kept_policies_are_read_as_they_were_written),
	    cmocka_unit_test(test_sts_kept_half_that_was_never_written_is_not_damaged),
	    cmocka_unit_test(test_sts_kept_cut_anywhere_gives_what_stands_before),
	    cmocka_unit_test(test_sts_kept_any_wrong_bit_is_found),
	    cmocka_unit_test(test_sts_kept_record_of_another_number_is_none),
	    cmocka_unit_test(test_sts_kept_record_that_no_policy_has_is_none),
	    cmocka_unit_test(test_sts_shelf_gives_back_the_last_policy_of_each_domain),
	    cmocka_unit_test(test_sts_shelf_policy_lasts_as_long_as_it_would_have),
	    cmocka_unit_test(test_sts_shelf_full_half_is_followed_by_the_other_one),
	    cmocka_unit_test(test_sts_shelf_keeps_what_was_asked_for_last),
	    cmocka_unit_test(
		test_sts_shelf_damage_costs_what_stands_behind_it_and_is_mended),
	    cmocka_unit_test(
		test_sts_shelf_that_cannot_be_written_is_tried_again_after_a_while),
	    cmocka_unit_test(test_sts_shelf_takes_one_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
