/* tests/unit/test_store_import.c - mail from elsewhere keeps what it had there */
#include "tests/unit/store_fixture.h"

static const struct store_settings settings = {.summarize = true};

#define LETTER "Subject: old\r\n\r\nmail\r\n"

static struct store_message
letter(const struct fixture *f, uint32_t uid, struct span uidl)
{
	struct store_message m = fixture_message(f, SPAN(LETTER), SPAN(""));

	m.uid = uid;
	m.uidl = uidl;
	m.internal_us = 1000;
	m.saved_us = 2000;
	m.now_us = f->now_us;
	return m;
}

static enum store_result
append_one(struct fixture *f, const struct store_message *m)
{
	struct store_appended out;
	enum store_result result;

	fixture_check(f, store_batch_begin(f->account, true, &f->err));
	result = store_append(f->account, m, &out, &f->err);
	if (result == STORE_OK) {
		fixture_check(f, store_batch_end(f->account, &f->err));
		fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	} else {
		store_batch_cancel(f->account);
	}
	fixture_check(f, store_view_refresh(f->account, &f->err));
	return result;
}

static void
check_uidl(struct fixture *f, uint32_t mailbox, uint32_t uid, const char *want)
{
	const struct store_record *r = store_find(f->account, mailbox, uid);
	struct span got = SPAN("");

	assert_non_null(r);
	if (want)
		fixture_check(f, store_uidl_get(f->account, r, &got, &f->err));
	else
		assert_int_equal(store_uidl_get(f->account, r, &got, &f->err),
				 STORE_NONE);
	assert_true(span_equal(got, span_str(want)));
}

static void
test_given_uid_and_dates_are_kept(void **state)
{
	const struct store_record *r;
	struct store_mailbox box;
	struct store_message m;
	struct fixture f;

	(void)state;
	fixture_init(&f, &settings);
	m = letter(&f, 7, SPAN("0000000759a0b1c2"));
	assert_int_equal(append_one(&f, &m), STORE_OK);
	m.uid = 4;
	assert_int_equal(append_one(&f, &m), STORE_EXISTS);
	m.uid = 9;
	assert_int_equal(append_one(&f, &m), STORE_OK);
	m.uid = 0;
	assert_int_equal(append_one(&f, &m), STORE_OK);
	r = store_first(f.account, STORE_INBOX);
	assert_int_equal(r->uid, 7);
	assert_int_equal(r->internal_us, 1000);
	assert_int_equal(r->saved_us, 2000);
	assert_int_equal(store_next(f.account, r)->uid, 9);
	assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
	assert_int_equal(box.uidnext, 11);
	fixture_release(&f);
}

static void
test_unique_id_stays_with_the_message(void **state)
{
	struct store_range all = {1, UINT32_MAX};
	struct store_uids uids = {&all, 1};
	struct store_compaction compaction;
	uint64_t n, summaries, findings;
	struct store_message m;
	struct fixture f;
	uint32_t first;

	(void)state;
	fixture_init(&f, &settings);
	m = letter(&f, 1, SPAN("!one~"));
	assert_int_equal(append_one(&f, &m), STORE_OK);
	m = letter(&f, 2, SPAN(""));
	m.prefix = SPAN("Return-Path: <>\r\n");
	assert_int_equal(append_one(&f, &m), STORE_OK);
	m = letter(&f, 3, SPAN("three"));
	m.prefix = SPAN("Return-Path: <>\r\n");
	assert_int_equal(append_one(&f, &m), STORE_OK);
	fixture_check(&f, store_copy(f.account, STORE_INBOX, uids, 2, f.now_us, &first,
				     &n, NULL, &f.err));
	fixture_check(&f, store_move(f.account, STORE_INBOX, uids, 3, f.now_us, &first,
				     &n, NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	for (int round = 0; round < 4; round++) {
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		for (uint32_t mailbox = 2; mailbox <= 3; mailbox++) {
			check_uidl(&f, mailbox, 1, "!one~");
			check_uidl(&f, mailbox, 2, NULL);
			check_uidl(&f, mailbox, 3, "three");
		}
		if (round == 0)
			fixture_reopen(&f);
		if (round == 1)
			fixture_check(&f,
				      store_compact(f.account, 0, f.now_us + 5000000,
						    NULL, NULL, &compaction, &f.err));
		if (round == 2)
			fixture_check(
			    &f, store_rebuild(f.account, f.now_us, &summaries, &f.err));
	}
	fixture_check(&f, store_verify(f.account, NULL, NULL, &findings, &f.err));
	assert_int_equal(findings, 0);
	fixture_release(&f);
}

static void
test_what_is_no_unique_id_is_refused(void **state)
{
	static const char long_one[] =
	    "1234567890123456789012345678901234567890123456789012345678901234567890x";
	struct store_message m;
	struct fixture f;

	(void)state;
	fixture_init(&f, &settings);
	m = letter(&f, 1, SPAN("a b"));
	assert_int_equal(append_one(&f, &m), STORE_LIMIT);
	m = letter(&f, 1, SPAN("a\x7f"));
	assert_int_equal(append_one(&f, &m), STORE_LIMIT);
	m = letter(&f, 1, span_str(long_one));
	assert_int_equal(append_one(&f, &m), STORE_LIMIT);
	m = letter(&f, 1, span_first(span_str(long_one), 70));
	assert_int_equal(append_one(&f, &m), STORE_OK);
	fixture_release(&f);
}

static void
test_mailbox_has_its_uidvalidity(void **state)
{
	struct store_import_mailbox m = {.name = SPAN("Work/2020"),
					 .use = STORE_USE_NONE,
					 .subscribe = true,
					 .uidvalidity = 1275660208,
					 .uidnext = 0};
	struct store_mailbox box;
	struct fixture f;
	uint32_t id, again;
	bool made;

	(void)state;
	fixture_init(&f, &settings);
	fixture_check(
	    &f, store_import_mailbox(f.account, &m, f.now_us, &id, &made, &f.err));
	assert_true(made);
	assert_true(store_mailbox_get(f.account, id, &box));
	assert_int_equal(box.uidvalidity, 1275660208);
	assert_int_equal(box.uidnext, 1);
	assert_true(box.subscribed);
	assert_int_not_equal(store_mailbox_find(f.account, SPAN("Work")), 0);
	m.uidnext = 25022;
	m.uidvalidity = 0;
	fixture_check(
	    &f, store_import_mailbox(f.account, &m, f.now_us, &again, &made, &f.err));
	assert_false(made);
	assert_int_equal(id, again);
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_true(store_mailbox_get(f.account, id, &box));
	assert_int_equal(box.uidvalidity, 1275660208);
	assert_int_equal(box.uidnext, 25022);
	m.uidvalidity = STORE_UIDVALIDITY_MAX + 1;
	assert_int_equal(
	    store_import_mailbox(f.account, &m, f.now_us, &id, &made, &f.err),
	    STORE_LIMIT);
	fixture_release(&f);
}

/* What was there keeps its MODSEQ; another handle follows. */
static void
test_modseqs_jump_once(void **state)
{
	struct store_account *other = NULL;
	struct store_message m;
	uint64_t position;
	struct fixture f;

	(void)state;
	fixture_init(&f, &settings);
	m = letter(&f, 1, SPAN(""));
	assert_int_equal(append_one(&f, &m), STORE_OK);
	fixture_check(&f, store_account_open(f.store, FIXTURE_ID, STORE_MUST_EXIST,
					     f.now_us, &other, &f.err));
	fixture_check(&f, store_view_refresh(other, &f.err));
	fixture_check(&f, store_import_begin(f.account, f.now_us, &f.err));
	position = store_position(f.account);
	assert_true(position > UINT64_C(1) << 33);
	fixture_check(&f, store_import_begin(f.account, f.now_us, &f.err));
	assert_int_equal(store_position(f.account), position);
	m.uid = 2;
	assert_int_equal(append_one(&f, &m), STORE_OK);
	fixture_check(&f, store_view_refresh(other, &f.err));
	assert_true(store_find(other, STORE_INBOX, 1)->modseq < UINT64_C(1) << 33);
	assert_true(store_find(other, STORE_INBOX, 2)->modseq > position);
	store_account_close(&other);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_non_null(store_find(f.account, STORE_INBOX, 2));
	fixture_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_given_uid_and_dates_are_kept),
	    cmocka_unit_test(test_unique_id_stays_with_the_message),
	    cmocka_unit_test(test_what_is_no_unique_id_is_refused),
	    cmocka_unit_test(test_mailbox_has_its_uidvalidity),
	    cmocka_unit_test(test_modseqs_jump_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
