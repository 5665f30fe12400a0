/* tests/unit/test_store_text.c - texts are the same from the file, made anew, and after
 * any damage to the file */
#include "tests/unit/store_fixture.h"

#include "common/store/text_internal.h"

#define PREFIX "Return-Path: <a@example.org>\r\nDelivered-To: b@example.org\r\n"
#define N      300

static const struct store_settings plain = {.summarize = true};

static void
message_make(unsigned i, char text[1024])
{
	snprintf(
	    text, 1024,
	    "Subject: Number %u =?utf-8?q?Stra=C3=9Fe?=\r\nX-%s: y\r\n\r\nBody of %u "
	    "\xc3\x84rger\r\n%0*u\r\n",
	    i, i % 3 ? "Odd" : "Three", i, (int)(i % 500) + 1, i);
}

static void
append_n(struct fixture *f, unsigned first, unsigned n)
{
	char text[1024];

	fixture_check(f, store_batch_begin(f->account, true, &f->err));
	for (unsigned i = first; i < first + n; i++) {
		struct store_appended out;
		struct store_message m;

		message_make(i, text);
		m = fixture_message(f, span_str(text), SPAN(PREFIX));
		fixture_check(f, store_append(f->account, &m, &out, &f->err));
		/* The content must live until the end of the batch. */
		fixture_check(f, store_batch_end(f->account, &f->err));
		fixture_check(f, store_batch_begin(f->account, true, &f->err));
	}
	fixture_check(f, store_batch_end(f->account, &f->err));
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	fixture_check(f, store_view_refresh(f->account, &f->err));
}

static void
want_make(unsigned i, char headers[1024], char body[1024])
{
	snprintf(headers, 1024,
		 "return-path: <a@example.org>\ndelivered-to: b@example.org\n"
		 "subject: number %u strasse\nx-%s: y\n",
		 i, i % 3 ? "odd" : "three");
	snprintf(body, 1024, "body of %u arger %0*u \n", i, (int)(i % 500) + 1, i);
}

static void
check_text(unsigned i, const struct text_parts *text)
{
	char headers[1024], body[1024];

	want_make(i, headers, body);
	if (!span_equal(text->headers, span_str(headers)) ||
	    !span_equal(text->body, span_str(body)))
		print_message("%u: [%.*s] [%.*s]\n", i, SPAN_ARG(text->headers),
			      SPAN_ARG(text->body));
	assert_true(span_equal(text->headers, span_str(headers)));
	assert_true(span_equal(text->body, span_str(body)));
}

/* All of a mailbox in blocks; the messages are numbered as appended. Returns the
 * blocks. */
static unsigned
check_all(struct fixture *f, uint32_t mailbox, unsigned first, unsigned n)
{
	struct store_range uids = {1, UINT32_MAX - 1};
	struct store_text_block block;
	unsigned seen = 0, blocks = 0;

	do {
		fixture_check(
		    f, store_text_block(f->account, mailbox, uids, &block, &f->err));
		for (size_t i = 0; i < block.n; i++, seen++) {
			assert_false(block.items[i].damaged);
			check_text(first + seen, &block.items[i].text);
			assert_true(block.items[i].text.headers.at >= block.all.at &&
				    block.items[i].text.body.at +
					    block.items[i].text.body.n <=
					block.all.at + block.all.n);
		}
		uids.first = block.next;
		blocks++;
	} while (block.next > 0);
	assert_int_equal(seen, n);
	return blocks;
}

static unsigned
fill(struct fixture *f, uint64_t step)
{
	unsigned steps = 0;
	bool done = false;

	while (!done) {
		fixture_check(f, store_text_fill(f->account, step, &done, &f->err));
		assert_true(++steps < 10000);
	}
	return steps;
}

static off_t
file_size(const struct fixture *f, const char *name)
{
	char path[160];
	struct stat st;

	fixture_path(f, name, path);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void
test_texts_are_the_same_made_and_stored(void **state)
{
	struct text_parts text;
	struct fixture f;
	off_t size;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, N);
	assert_true(fill(&f, 20000) > 3);
	assert_true(check_all(&f, STORE_INBOX, 1, N) < 5);
	size = file_size(&f, "text.1");
	assert_true(size > 0);
	assert_true(fill(&f, 20000) == 1);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_true(check_all(&f, STORE_INBOX, 1, N) < 5);
	assert_true(fill(&f, 20000) == 1);
	assert_int_equal(file_size(&f, "text.1"), size);
	fixture_check(&f,
		      store_text_of(f.account, store_find(f.account, STORE_INBOX, 17),
				    &text, &f.err));
	check_text(17, &text);
	fixture_release(&f);
}

/* A search writes what it had to make, so that the next one need not. */
static void
test_searching_makes_texts_too(void **state)
{
	struct fixture f;
	off_t size;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, N);
	assert_int_equal(check_all(&f, STORE_INBOX, 1, N), N);
	size = file_size(&f, "text.1");
	assert_true(size > N * 100);
	assert_true(check_all(&f, STORE_INBOX, 1, N) < 5);
	(void)fill(&f, 20000);
	assert_int_equal(file_size(&f, "text.1"), size);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_true(check_all(&f, STORE_INBOX, 1, N) < 5);
	fixture_release(&f);
}

static void
test_new_messages_are_added_and_copies_share(void **state)
{
	struct store_range all = {1, UINT32_MAX - 1};
	struct store_uids uids = {&all, 1};
	struct fixture f;
	uint32_t to, first;
	uint64_t n;
	off_t size;

	(void)state;
	fixture_init(&f, &plain);
	for (unsigned i = 0; i < 20; i++) {
		append_n(&f, 1 + i, 1);
		(void)fill(&f, 20000);
	}
	assert_int_equal(check_all(&f, STORE_INBOX, 1, 20), 1);
	size = file_size(&f, "text.1");
	to = store_mailbox_find(f.account, SPAN("Archive"));
	assert_true(to > 0);
	fixture_check(&f, store_copy(f.account, STORE_INBOX, uids, to, f.now_us, &first,
				     &n, NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_int_equal(check_all(&f, to, 1, 20), 1);
	(void)fill(&f, 20000);
	assert_int_equal(file_size(&f, "text.1"), size);
	fixture_release(&f);
}

struct findings {
	size_t n;
	struct store_finding last;
};

static void
note(void *context, const struct store_finding *finding)
{
	struct findings *f = context;

	f->n++;
	f->last = *finding;
	assert_int_equal(finding->what, STORE_DAMAGE_TEXT);
}

static struct findings
verify(struct fixture *f)
{
	struct findings found = {0};
	uint64_t n;

	fixture_check(f, store_verify(f->account, note, &found, &n, &f->err));
	return found;
}

/* Whatever byte of the file is changed, and wherever it ends: the same texts; and then
 * all is as it was. */
static void
test_damage_changes_no_text_and_is_mended(void **state)
{
	struct fixture f;
	char path[160];
	uint64_t n;
	off_t size;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 100);
	(void)fill(&f, 20000);
	size = file_size(&f, "text.1");
	assert_int_equal(verify(&f).n, 0);
	fixture_path(&f, "text.1", path);
	for (off_t at = 3; at < size; at += size / 40) {
		struct findings found;

		fixture_poke(&f, "text.1", at);
		if (at % 2 == 0)
			fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		(void)check_all(&f, STORE_INBOX, 1, 100);
		found = verify(&f);
		if (at >= 2048)
			assert_true(found.n >= 1 && found.last.file == 1);
		(void)fill(&f, 20000);
		assert_true(check_all(&f, STORE_INBOX, 1, 100) < 60);
		fixture_check(&f, store_rebuild(f.account, f.now_us, &n, &f.err));
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		(void)check_all(&f, STORE_INBOX, 1, 100);
	}
	for (size = file_size(&f, "text.1"); size > 0; size -= size / 7 + 1) {
		assert_int_equal(truncate(path, size), 0);
		(void)check_all(&f, STORE_INBOX, 1, 100);
		(void)fill(&f, 20000);
		(void)check_all(&f, STORE_INBOX, 1, 100);
		fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		(void)check_all(&f, STORE_INBOX, 1, 100);
		(void)fill(&f, 20000);
	}
	fixture_release(&f);
}

static void
test_file_may_be_deleted_at_any_time(void **state)
{
	struct fixture f;
	uint64_t n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 50);
	(void)fill(&f, 20000);
	fixture_remove(&f, "text.1");
	(void)check_all(&f, STORE_INBOX, 1, 50);
	append_n(&f, 51, 10);
	(void)fill(&f, 20000);
	(void)fill(&f, 20000);
	(void)check_all(&f, STORE_INBOX, 1, 60);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_int_equal(check_all(&f, STORE_INBOX, 1, 60), 1);
	fixture_remove(&f, "text.1");
	fixture_check(&f, store_rebuild(f.account, f.now_us, &n, &f.err));
	assert_int_equal(check_all(&f, STORE_INBOX, 1, 60), 1);
	fixture_release(&f);
}

/* Two processes make the same texts. */
static void
test_two_writers_do_no_harm(void **state)
{
	struct store_account *first, *second;
	struct fixture f;
	bool done;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 100);
	first = f.account;
	fixture_open(&f);
	second = f.account;
	fixture_check(&f, store_view_refresh(second, &f.err));
	for (unsigned i = 0; i < 40; i++) {
		f.account = i % 2 ? first : second;
		fixture_check(&f, store_text_fill(f.account, 2000, &done, &f.err));
		(void)check_all(&f, STORE_INBOX, 1, 100);
	}
	f.account = first;
	(void)fill(&f, 20000);
	assert_int_equal(verify(&f).n, 0);
	(void)check_all(&f, STORE_INBOX, 1, 100);
	f.account = second;
	(void)fill(&f, 20000);
	(void)check_all(&f, STORE_INBOX, 1, 100);
	store_account_close(&first);
	fixture_release(&f);
}

static void
test_compaction_takes_texts_with_it(void **state)
{
	struct store_range half = {1, 50};
	struct store_uids uids = {&half, 1};
	struct store_compaction out;
	struct fixture f;
	uint64_t n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 100);
	(void)fill(&f, 20000);
	fixture_check(&f, store_expunge(f.account, STORE_INBOX, uids, f.now_us, &n,
					NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	f.now_us += 1000000;
	fixture_check(&f,
		      store_compact(f.account, 0, f.now_us, NULL, NULL, &out, &f.err));
	assert_int_equal(out.messages_dropped, 50);
	assert_int_equal(file_size(&f, "text.1"), -1);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	(void)check_all(&f, STORE_INBOX, 51, 50);
	(void)fill(&f, 20000);
	assert_int_equal(check_all(&f, STORE_INBOX, 51, 50), 1);
	assert_true(file_size(&f, "text.2") > 0);
	fixture_release(&f);
}

static void
test_damaged_message_has_no_text(void **state)
{
	struct store_range uids = {1, UINT32_MAX - 1};
	struct store_text_block block;
	struct text_parts text;
	struct fixture f;
	unsigned seen = 0;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 10);
	fixture_poke(&f, "data.1",
		     store_find(f.account, STORE_INBOX, 4)->data_offset + 130);
	assert_int_equal(store_text_of(f.account, store_find(f.account, STORE_INBOX, 4),
				       &text, &f.err),
			 STORE_DAMAGED);
	(void)fill(&f, 20000);
	do {
		fixture_check(
		    &f, store_text_block(f.account, STORE_INBOX, uids, &block, &f.err));
		for (size_t i = 0; i < block.n; i++) {
			seen++;
			assert_int_equal(block.items[i].record->uid, seen);
			assert_int_equal(block.items[i].damaged, seen == 4);
			if (seen != 4)
				check_text(seen, &block.items[i].text);
		}
		uids.first = block.next;
	} while (block.next > 0);
	assert_int_equal(seen, 10);
	fixture_release(&f);
}

/* The file of the messages is gone: nothing can be had of them, and that is said. */
static void
test_lost_messages_end_no_search(void **state)
{
	struct store_range uids = {1, UINT32_MAX - 1};
	struct store_text_block block;
	struct text_parts text;
	struct fixture f;
	unsigned seen = 0;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 5);
	fixture_remove(&f, "data.1");
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_int_equal(store_text_of(f.account, store_find(f.account, STORE_INBOX, 4),
				       &text, &f.err),
			 STORE_DAMAGED);
	do {
		fixture_check(
		    &f, store_text_block(f.account, STORE_INBOX, uids, &block, &f.err));
		for (size_t i = 0; i < block.n; i++, seen++)
			assert_true(block.items[i].damaged);
		uids.first = block.next;
	} while (block.next > 0);
	assert_int_equal(seen, 5);
	(void)fill(&f, 20000);
	fixture_release(&f);
}

/* Another process compacts while this one has its view. */
static void
test_texts_are_found_after_a_compaction_by_another(void **state)
{
	struct store_range half = {1, 50}, uids = {51, UINT32_MAX - 1};
	struct store_uids gone = {&half, 1};
	struct store_account *mine, *other;
	struct store_text_block block;
	struct store_compaction out;
	struct text_parts text;
	struct fixture f;
	uint64_t n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 100);
	(void)fill(&f, 20000);
	fixture_check(&f, store_expunge(f.account, STORE_INBOX, gone, f.now_us, &n,
					NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	fixture_reopen(&f); /* and so no file of messages is open */
	mine = f.account;
	fixture_check(&f, store_view_refresh(mine, &f.err));
	fixture_open(&f);
	other = f.account;
	f.now_us += 1000000;
	fixture_check(&f, store_compact(other, 0, f.now_us, NULL, NULL, &out, &f.err));
	f.account = mine;
	assert_int_equal(
	    store_text_of(mine, store_find(mine, STORE_INBOX, 60), &text, &f.err),
	    STORE_NONE);
	fixture_check(&f, store_text_block(mine, STORE_INBOX, uids, &block, &f.err));
	assert_int_equal(block.n, 1);
	check_text(51, &block.items[0].text);
	(void)fill(&f, 20000);
	assert_int_equal(check_all(&f, STORE_INBOX, 51, 50), 1);
	store_account_close(&other);
	fixture_release(&f);
}

/* New messages get their texts though the directory was forgotten. */
static void
test_forgotten_directory_is_not_needed_for_new_messages(void **state)
{
	struct text_file *t;
	struct fixture f;
	off_t size;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 50);
	(void)fill(&f, 20000);
	store_text_forget(f.account);
	for (unsigned i = 51; i <= 60; i++) {
		append_n(&f, i, 1);
		(void)fill(&f, 20000);
		t = text_file_tail(f.account, 1);
		assert_false(t->loaded);
		assert_null(t->chunks);
	}
	assert_int_equal(check_all(&f, STORE_INBOX, 1, 60), 1);
	assert_true(text_file_tail(f.account, 1)->loaded);
	store_text_forget(f.account);
	fixture_remove(&f, "text.1");
	append_n(&f, 61, 1);
	(void)fill(&f, 20000);
	size = file_size(&f, "text.1");
	assert_int_equal(check_all(&f, STORE_INBOX, 1, 61), 1);
	assert_true(size > 5000);
	fixture_release(&f);
}

/* Against an array that says which row of which chunk has it. */
static void
test_directory_finds_what_was_added_in_any_order(void **state)
{
	enum {
		OFFSETS = 20000
	};
	static uint32_t row_of[OFFSETS];
	struct text_file t = {.loaded = true};
	uint64_t seed = 88172645463325252u;
	size_t hint = 0;

	(void)state;
	for (uint32_t i = 1; i <= 30000; i++) {
		struct text_row row = {.bytes = 1};

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		row.data_offset =
		    (uint32_t)(i < 3000 ? i : seed % OFFSETS / (1 + i % 3));
		if (i % 100 == 1)
			text_file_add_chunk(&t, i * 8, 8);
		text_file_add(&t, &row, 0, i);
		row_of[row.data_offset] = i;
	}
	for (uint32_t i = 0; i < OFFSETS; i++) {
		const struct text_entry *e = text_file_find(&t, i, &hint);

		assert_int_equal(e ? e->row : 0, row_of[i]);
		if (e)
			assert_int_equal(e->chunk, (row_of[i] - 1) / 100);
	}
	text_file_reset(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts_are_the_same_made_and_stored),
	    cmocka_unit_test(test_searching_makes_texts_too),
	    cmocka_unit_test(test_new_messages_are_added_and_copies_share),
	    cmocka_unit_test(test_damage_changes_no_text_and_is_mended),
	    cmocka_unit_test(test_file_may_be_deleted_at_any_time),
	    cmocka_unit_test(test_two_writers_do_no_harm),
	    cmocka_unit_test(test_compaction_takes_texts_with_it),
	    cmocka_unit_test(test_damaged_message_has_no_text),
	    cmocka_unit_test(test_lost_messages_end_no_search),
	    cmocka_unit_test(test_texts_are_found_after_a_compaction_by_another),
	    cmocka_unit_test(test_forgotten_directory_is_not_needed_for_new_messages),
	    cmocka_unit_test(test_directory_finds_what_was_added_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
