/* tests/unit/test_store_text.c - texts are the same from the file, made anew, and after
 * any damage to the file */
#include "tests/unit/store_fixture.h"

#include "common/store/internal.h"

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
	assert_int_equal(check_all(&f, STORE_INBOX, 1, N), N);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts_are_the_same_made_and_stored),
	    cmocka_unit_test(test_new_messages_are_added_and_copies_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
