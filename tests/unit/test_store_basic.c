/* tests/unit/test_store_basic.c - append, list, read, change, reopen */
#include "tests/unit/store_fixture.h"

#define MAIL                                                                           \
	"From: a@example.org\r\nTo: b@example.org\r\nSubject: Re: hello\r\n"           \
	"Message-ID: <1@example.org>\r\nDate: Tue, 1 Jul 2025 10:00:00 +0000\r\n\r\n"  \
	"text\r\n"
#define PREFIX "Return-Path: <a@example.org>\r\nDelivered-To: b@example.org\r\n"

static const struct store_settings plain = {.summarize = true};

static void
check_message(struct fixture *f, uint32_t mailbox, uint32_t uid, const char *want)
{
	struct buf got = buf_make(1 << 20);

	fixture_check(f, fixture_read(f, mailbox, uid, &got));
	assert_true(span_equal(buf_span(&got), span_str(want)));
	buf_release(&got);
}

static void
test_append_is_listed_and_read_back_after_sync(void **state)
{
	struct store_message m;
	struct store_appended got;
	struct store_mailbox box;
	const struct store_record *r;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	m = fixture_message(&f, SPAN(MAIL), SPAN(PREFIX));
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	assert_int_equal(got.uid, 1);
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	assert_int_equal(got.uid, 2);
	assert_int_equal(got.size, strlen(MAIL PREFIX));
	fixture_check(&f, store_batch_end(f.account, &f.err));
	assert_int_equal(store_usage(f.account).messages, 2);
	assert_int_equal(store_usage(f.account).bytes, 2 * strlen(MAIL PREFIX));

	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_null(store_first(f.account, STORE_INBOX));
	assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
	assert_int_equal(box.uidnext, 1);
	assert_int_equal(box.messages, 0);

	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	r = store_first(f.account, STORE_INBOX);
	assert_non_null(r);
	assert_int_equal(r->uid, 1);
	assert_int_equal(store_record_size(r), strlen(MAIL PREFIX));
	r = store_next(f.account, r);
	assert_int_equal(r->uid, 2);
	assert_memory_equal(r->guid, got.guid, sizeof(got.guid));
	assert_null(store_next(f.account, r));
	check_message(&f, STORE_INBOX, 1, PREFIX MAIL);

	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
	assert_int_equal(box.uidnext, 3);
	assert_int_equal(box.messages, 2);
	assert_int_equal(box.unseen, 2);
	check_message(&f, STORE_INBOX, 2, PREFIX MAIL);
	fixture_release(&f);
}

static void
test_new_account_has_its_mailboxes(void **state)
{
	static const struct {
		const char *name;
		enum store_special_use use;
	} rows[] = {
	    {"INBOX",   STORE_USE_NONE   },
            {"Drafts",  STORE_USE_DRAFTS },
	    {"Sent",    STORE_USE_SENT   },
            {"Archive", STORE_USE_ARCHIVE},
	    {"Junk",    STORE_USE_JUNK   },
            {"Trash",   STORE_USE_TRASH  },
	};
	struct store_mailbox box = {0};
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		assert_true(store_mailbox_next(f.account, box.id, &box));
		assert_true(span_equal(box.name, span_str(rows[i].name)));
		assert_int_equal(box.special_use, rows[i].use);
		assert_true(box.subscribed);
	}
	assert_false(store_mailbox_next(f.account, box.id, &box));
	assert_int_equal(store_mailbox_find(f.account, SPAN("inBox")), STORE_INBOX);
	fixture_release(&f);
}

static void
test_changes_are_the_same_after_reopening(void **state)
{
	const struct store_range all = {1, UINT32_MAX}, second = {2, 2};
	struct store_message m;
	const struct store_record *r;
	struct store_mailbox box;
	struct fixture f;
	uint32_t first, id;
	uint64_t n, modseq;
	size_t n_gone;
	int bit;

	(void)state;
	fixture_init(&f, &plain);
	m = fixture_message(&f, SPAN(MAIL), SPAN(PREFIX));
	for (int i = 0; i < 4; i++)
		(void)fixture_append(&f, &m);
	fixture_check(
	    &f, store_keyword_add(f.account, SPAN("$Work"), f.now_us, &bit, &f.err));
	fixture_check(&f,
		      store_flags_change(
			  f.account, STORE_INBOX, (struct store_uids){&all, 1},
			  &(struct store_flag_change){.verb = STORE_FLAGS_ADD,
						      .flags = STORE_SEEN,
						      .keywords = UINT64_C(1) << bit},
			  f.now_us, &modseq, NULL, &f.err));
	fixture_check(&f, store_mailbox_create(f.account, SPAN("Work/2025"),
					       STORE_USE_NONE, f.now_us, &id, &f.err));
	fixture_check(&f,
		      store_copy(f.account, STORE_INBOX, (struct store_uids){&all, 1},
				 id, f.now_us, &first, &n, NULL, &f.err));
	assert_int_equal(n, 4);
	assert_int_equal(first, 1);
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	fixture_check(&f, store_expunge(f.account, STORE_INBOX,
					(struct store_uids){&second, 1}, f.now_us, &n,
					NULL, &f.err));
	assert_int_equal(n, 1);
	fixture_check(&f, store_move(f.account, id, (struct store_uids){&second, 1}, 6,
				     f.now_us, &first, &n, NULL, &f.err));
	fixture_check(
	    &f, store_mailbox_rename(f.account, id, SPAN("Old"), f.now_us, &f.err));
	fixture_check(&f,
		      store_mailbox_subscribe(f.account, id, true, f.now_us, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));

	for (int pass = 0; pass < 2; pass++) {
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_int_equal(store_usage(f.account).messages, 3 + 3 + 1);
		assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
		assert_int_equal(box.messages, 3);
		assert_int_equal(box.unseen, 0);
		assert_int_equal(store_mailbox_find(f.account, SPAN("Old")), id);
		assert_true(store_mailbox_get(f.account, id, &box));
		assert_true(box.subscribed);
		assert_int_equal(box.messages, 3);
		assert_null(store_find(f.account, STORE_INBOX, 2));
		r = store_find(f.account, 6, 1);
		assert_non_null(r);
		assert_int_equal(r->flags, STORE_SEEN);
		assert_int_equal(r->keywords, UINT64_C(1) << bit);
		assert_int_equal(store_keyword_find(f.account, SPAN("$WORK")), bit);
		assert_int_equal(store_expunged(f.account, id, &n_gone)->uid, 2);
		assert_int_equal(n_gone, 1);
		check_message(&f, 6, 1, PREFIX MAIL);
		fixture_reopen(&f);
	}
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	fixture_check(&f, store_mailbox_delete(f.account, id, f.now_us, &f.err));
	assert_int_equal(store_usage(f.account).messages, 4);
	assert_null(store_first(f.account, id));
	fixture_release(&f);
}

static void
test_replayed_delivery_is_stored_once(void **state)
{
	const struct store_range all = {1, UINT32_MAX};
	struct store_message m;
	struct store_appended got;
	struct fixture f;
	uint64_t n;

	(void)state;
	fixture_init(&f, &plain);
	m = fixture_message(&f, SPAN(MAIL), SPAN(PREFIX));
	m.delivery = (struct store_delivery_id){77, 1, 5};
	(void)fixture_append(&f, &m);
	m.replay = true;
	fixture_reopen(&f);
	got = fixture_append(&f, &m);
	assert_true(got.known);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	fixture_check(&f, store_expunge(f.account, STORE_INBOX,
					(struct store_uids){&all, 1}, f.now_us, &n,
					NULL, &f.err));
	fixture_reopen(&f);
	got = fixture_append(&f, &m);
	assert_true(got.known);
	m.delivery.ordinal = 2;
	got = fixture_append(&f, &m);
	assert_false(got.known);
	got = fixture_append(&f, &m);
	assert_true(got.known);
	assert_int_equal(store_usage(f.account).messages, 1);
	fixture_release(&f);
}

/* What is asked first in the middle of a batch finds what the batch has. */
static void
test_replay_is_known_beside_fresh_ones_of_its_batch(void **state)
{
	struct store_message fresh, again;
	struct store_appended got;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	fresh = again = fixture_message(&f, SPAN(MAIL), SPAN(PREFIX));
	fresh.delivery = (struct store_delivery_id){1, 0, 5};
	again.delivery = (struct store_delivery_id){2, 0, 5};
	again.replay = true;
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &fresh, &got, &f.err));
	if (store_append(f.account, &again, &got, &f.err) == STORE_LIMIT) {
		fixture_check(&f, store_batch_end(f.account, &f.err));
		got = fixture_append(&f, &again);
	} else {
		fixture_check(&f, store_batch_end(f.account, &f.err));
	}
	assert_false(got.known);
	fresh.replay = true;
	got = fixture_append(&f, &fresh);
	assert_true(got.known);
	got = fixture_append(&f, &again);
	assert_true(got.known);
	fixture_release(&f);
}

static void
test_two_handles_learn_from_each_other(void **state)
{
	struct store_account *other;
	struct store_message m;
	struct store_appended got;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	m = fixture_message(&f, SPAN(MAIL), SPAN(PREFIX));
	fixture_check(&f, store_account_open(f.store, FIXTURE_ID, STORE_MUST_EXIST,
					     f.now_us, &other, &f.err));
	fixture_check(&f, store_view_refresh(other, &f.err));
	for (uint32_t i = 1; i <= 10; i++) {
		got = fixture_append(&f, &m);
		assert_int_equal(got.uid, 2 * i - 1);
		fixture_check(&f, store_batch_begin(other, true, &f.err));
		fixture_check(&f, store_append(other, &m, &got, &f.err));
		assert_int_equal(got.uid, 2 * i);
		assert_int_equal(store_batch_begin(f.account, false, &f.err),
				 STORE_BUSY);
		fixture_check(&f, store_batch_end(other, &f.err));
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_non_null(store_find(f.account, STORE_INBOX, 2 * i - 1));
		assert_null(store_find(f.account, STORE_INBOX, 2 * i));
		fixture_check(&f, store_synced(other, store_position(other), &f.err));
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_non_null(store_find(f.account, STORE_INBOX, 2 * i));
	}
	store_account_close(&other);
	fixture_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_append_is_listed_and_read_back_after_sync),
	    cmocka_unit_test(test_new_account_has_its_mailboxes),
	    cmocka_unit_test(test_changes_are_the_same_after_reopening),
	    cmocka_unit_test(test_replayed_delivery_is_stored_once),
	    cmocka_unit_test(test_replay_is_known_beside_fresh_ones_of_its_batch),
	    cmocka_unit_test(test_two_handles_learn_from_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
