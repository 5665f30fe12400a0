/* tests/unit/test_store_speed.c - one large mailbox: what a client's commands cost
 *
 * MESSAGES= from the environment (2,000 when it is not set); 100000 in a release build
 * gives the figures of docs. The counts must be exact at any size.
 */
#include "tests/unit/store_fixture.h"

#include <sys/resource.h>
#include <time.h>

#define CONTENT_BYTES 2048
#define PREFIX        "Return-Path: <someone@example.net>\r\nDelivered-To: you@example.org\r\n"

static uint32_t n_messages = 2000;

/* Of the processor, so that what else runs on the machine does not count. */
static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
tell(const char *what, double since_ms)
{
	print_message("%-34s %9.3f ms\n", what, now_ms() - since_ms);
}

static void
content_make(uint32_t i, struct buf *out)
{
	buf_reset(out);
	buf_putf(out,
		 "Received: from mx%u.example.net by mx.example.org; Sun, 22 Nov 2026 "
		 "06:00:00 +0000\r\nFrom: Some One <someone%u@example.net>\r\nTo: "
		 "you@example.org\r\nSubject: message number %u of many\r\nDate: Sun, "
		 "22 Nov 2026 06:00:00 +0000\r\nMessage-ID: "
		 "<%u.message@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: "
		 "text/plain; charset=utf-8\r\n\r\n",
		 i % 7, i % 100, i, i);
	while (out->n < CONTENT_BYTES)
		buf_put_str(out,
			    "The quick brown fox jumps over the lazy dog, and on.\r\n");
}

static void
fill(struct fixture *f)
{
	struct buf contents[50];

	for (size_t k = 0; k < N_ELEMS(contents); k++)
		contents[k] = buf_make(2 * CONTENT_BYTES);
	for (uint32_t i = 0; i < n_messages; i += N_ELEMS(contents)) {
		fixture_check(f, store_batch_begin(f->account, true, &f->err));
		for (uint32_t k = 0; k < N_ELEMS(contents); k++) {
			struct store_appended got;
			struct store_message m;

			content_make(i + k, &contents[k]);
			m = fixture_message(f, buf_span(&contents[k]), SPAN(PREFIX));
			m.delivery = (struct store_delivery_id){i + k + 1, 0, 1};
			fixture_check(f, store_append(f->account, &m, &got, &f->err));
		}
		fixture_check(f, store_batch_end(f->account, &f->err));
	}
	for (size_t k = 0; k < N_ELEMS(contents); k++)
		buf_release(&contents[k]);
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	fixture_check(f, store_view_refresh(f->account, &f->err));
	fixture_check(f, store_view_save(f->account, &f->err));
}

static void
check_counts(struct fixture *f, uint32_t id, uint64_t messages, uint64_t unseen)
{
	struct store_mailbox box;
	uint64_t n = 0, n_unseen = 0;

	assert_true(store_mailbox_get(f->account, id, &box));
	for (const struct store_record *r = store_first(f->account, id); r;
	     r = store_next(f->account, r)) {
		n++;
		n_unseen += !(r->flags & STORE_SEEN);
	}
	assert_int_equal(n, messages);
	assert_int_equal(n_unseen, unseen);
	assert_int_equal(box.messages, messages);
	assert_int_equal(box.unseen, unseen);
}

static void
measure_open(struct fixture *f)
{
	double start;

	store_account_close(&f->account);
	start = now_ms();
	fixture_open(f);
	fixture_check(f, store_view_refresh(f->account, &f->err));
	tell("open and first view", start);
	store_account_close(&f->account);
	start = now_ms();
	fixture_open(f);
	tell("open", start);
	start = now_ms();
	fixture_check(f, store_view_refresh(f->account, &f->err));
	tell("first view", start);
	start = now_ms();
	check_counts(f, STORE_INBOX, n_messages, n_messages);
	tell("walk all records", start);
}

static void
measure_summaries(struct fixture *f)
{
	struct store_summary s;
	uint64_t bytes = 0;

	for (int pass = 0; pass < 2; pass++) {
		double start = now_ms();

		for (const struct store_record *r = store_first(f->account, 1); r;
		     r = store_next(f->account, r)) {
			fixture_check(f, store_summary_of(f->account, r, &s, &f->err));
			bytes += s.envelope.n;
		}
		tell("all summaries", start);
	}
	assert_true(bytes > n_messages);
}

static void
measure_contents(struct fixture *f)
{
	uint64_t bytes = 0;

	for (int pass = 0; pass < 2; pass++) {
		double start = now_ms();

		for (uint32_t uid = 1; uid <= n_messages; uid++) {
			struct store_content *c;
			struct span piece;

			fixture_check(
			    f, store_content_open(f->account, 1, uid, &c, &f->err));
			for (uint64_t at = 0; at < store_content_size(c);
			     at += piece.n) {
				fixture_check(f, store_content_read(c, at, 65536,
								    &piece, &f->err));
				bytes += piece.n;
			}
			store_content_close(&c);
		}
		tell("all contents", start);
	}
	assert_true(bytes > CONTENT_BYTES * (uint64_t)n_messages * 2);
}

static void
measure_changes(struct fixture *f)
{
	const struct store_flag_change seen = {.verb = STORE_FLAGS_ADD,
					       .flags = STORE_SEEN},
				       flagged = {.verb = STORE_FLAGS_ADD,
						  .flags = STORE_FLAGGED},
				       same = {.verb = STORE_FLAGS_ADD,
					       .flags = STORE_SEEN};
	const struct store_range all = {1, UINT32_MAX}, tenth = {1, n_messages / 10},
				 half = {1, n_messages / 2};
	struct store_uid_list done = {0};
	uint64_t modseq, n;
	uint32_t first;
	double start = now_ms();

	fixture_check(f, store_flags_change(f->account, 1, (struct store_uids){&all, 1},
					    &seen, f->now_us, &modseq, NULL, &f->err));
	tell("STORE 1:* +FLAGS", start);
	start = now_ms();
	fixture_check(f,
		      store_flags_change(f->account, 1, (struct store_uids){&all, 1},
					 &flagged, f->now_us, &modseq, NULL, &f->err));
	tell("STORE 1:* +FLAGS again", start);
	start = now_ms();
	fixture_check(f, store_flags_change(f->account, 1, (struct store_uids){&all, 1},
					    &same, f->now_us, &modseq, NULL, &f->err));
	tell("STORE 1:* that changes nothing", start);
	start = now_ms();
	fixture_check(f, store_copy(f->account, 1, (struct store_uids){&tenth, 1}, 3,
				    f->now_us, &first, &n, &done, &f->err));
	tell("COPY of a tenth", start);
	assert_int_equal(store_uid_list_count(&done), n_messages / 10);
	start = now_ms();
	fixture_check(f, store_expunge(f->account, 1, (struct store_uids){&half, 1},
				       f->now_us, &n, &done, &f->err));
	tell("EXPUNGE of half", start);
	assert_int_equal(n, n_messages / 2);
	start = now_ms();
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	tell("sync", start);
	fixture_check(f, store_view_refresh(f->account, &f->err));
	check_counts(f, 1, n_messages - n_messages / 2, 0);
	check_counts(f, 3, n_messages / 10, 0);
	store_uid_list_release(&done);
}

static void
measure_refresh(struct fixture *f)
{
	struct fixture other = *f;
	struct buf content = buf_make(2 * CONTENT_BYTES);
	struct store_message m;
	double start = now_ms(), sum = 0;

	for (int i = 0; i < 1000; i++)
		fixture_check(f, store_view_refresh(f->account, &f->err));
	tell("1000 refreshes with nothing new", start);
	fixture_open(&other);
	content_make(1, &content);
	m = fixture_message(f, buf_span(&content), SPAN(PREFIX));
	for (int i = 0; i < 100; i++) {
		(void)fixture_append(&other, &m);
		start = now_ms();
		fixture_check(f, store_view_refresh(f->account, &f->err));
		sum += now_ms() - start;
	}
	tell("100 refreshes with one append", now_ms() - sum);
	store_account_close(&other.account);
	buf_release(&content);
}

static void
test_large_mailbox_is_fast_and_counts_are_exact(void **state)
{
	const struct store_settings settings = {.summarize = true};
	struct rusage used;
	struct fixture f;
	double start;

	(void)state;
	fixture_init(&f, &settings);
	start = now_ms();
	fill(&f);
	tell("append, sync, save the index", start);
	measure_open(&f);
	getrusage(RUSAGE_SELF, &used);
	print_message("memory at most so far %ld MiB\n", used.ru_maxrss / 1024);
	if (n_messages <= 100000) {
		measure_summaries(&f);
		measure_contents(&f);
	}
	measure_changes(&f);
	measure_refresh(&f);
	start = now_ms();
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	tell("open, view and journal since", start);
	check_counts(&f, 3, n_messages / 10, 0);
	fixture_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_large_mailbox_is_fast_and_counts_are_exact),
	};
	const char *text = getenv("MESSAGES");
	uint64_t n;

	if (text && number_parse(span_str(text), 10000000, &n) && n >= 100)
		n_messages = (uint32_t)(n / 50 * 50);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
