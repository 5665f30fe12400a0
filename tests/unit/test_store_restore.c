/* tests/unit/test_store_restore.c - cuts, what is put back from them, and the past */
#include "tests/unit/store_fixture.h"

#include "common/store/internal.h"

static const struct store_settings settings = {.summarize = true};

#define SECOND INT64_C(1000000)

static void
append_n(struct fixture *f, unsigned first, unsigned n)
{
	char text[128];

	for (unsigned i = first; i < first + n; i++) {
		struct store_message m;

		snprintf(text, sizeof(text), "Subject: number %u\r\n\r\nbody %u\r\n", i,
			 i);
		m = fixture_message(f, span_str(text), SPAN("Return-Path: <a@b>\r\n"));
		m.delivery = (struct store_delivery_id){i, 0, 1};
		(void)fixture_append(f, &m);
	}
	fixture_check(f, store_view_refresh(f->account, &f->err));
}

static void
make_durable(struct fixture *f)
{
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	fixture_check(f, store_view_refresh(f->account, &f->err));
}

static void
flag(struct fixture *f, uint32_t uid, uint32_t flags)
{
	const struct store_range range = {uid, uid};
	const struct store_flag_change change = {.verb = STORE_FLAGS_REPLACE,
						 .flags = flags};
	uint64_t modseq;

	fixture_check(f, store_flags_change(f->account, STORE_INBOX,
					    (struct store_uids){&range, 1}, &change,
					    f->now_us, &modseq, NULL, &f->err));
}

static void
expunge(struct fixture *f, uint32_t first, uint32_t last)
{
	const struct store_range range = {first, last};
	uint64_t n;

	fixture_check(f, store_expunge(f->account, STORE_INBOX,
				       (struct store_uids){&range, 1}, f->now_us, &n,
				       NULL, &f->err));
	assert_true(n > 0);
}

static void
check_body(struct fixture *f, uint32_t mailbox, uint32_t uid, unsigned i)
{
	struct buf got = buf_make(4096);
	char text[160];

	snprintf(text, sizeof(text),
		 "Return-Path: <a@b>\r\nSubject: number %u\r\n\r\nbody %u\r\n", i, i);
	fixture_check(f, fixture_read(f, mailbox, uid, &got));
	assert_true(span_equal(buf_span(&got), span_str(text)));
	buf_release(&got);
}

static void
finding(void *context, const struct store_finding *found)
{
	(void)context;
	print_message("mailbox %u uid %u: %s\n", found->mailbox, found->uid,
		      found->text);
}

static void
copy_bytes(int from, int to, uint64_t n)
{
	char bytes[4096];

	for (uint64_t at = 0; at < n;) {
		size_t some = n - at < sizeof(bytes) ? (size_t)(n - at) : sizeof(bytes);

		assert_int_equal(pread(from, bytes, some, (off_t)at), some);
		assert_int_equal(pwrite(to, bytes, some, (off_t)at), some);
		at += some;
	}
}

/* The files of a cut into another store. */
static void
place(struct fixture *f, const struct store_cut *cut, struct store *to)
{
	for (size_t i = 0; i < cut->n; i++) {
		int in, out;

		fixture_check(f, store_cut_open(f->store, FIXTURE_ID,
						cut->files[i].name, &in, &f->err));
		fixture_check(f,
			      store_restore_create(to, FIXTURE_ID, cut->files[i].name,
						   &out, &f->err));
		copy_bytes(in, out, cut->files[i].bytes);
		close(in);
		close(out);
	}
}

/* A second store below the first one's root. */
static struct store *
store_beside(struct fixture *f, char path[96])
{
	struct store *s;

	snprintf(path, 96, "%s/beside", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	s = store_new(path, &settings, &f->err);
	assert_non_null(s);
	return s;
}

static void
test_cut_is_what_there_was_whatever_comes_after(void **state)
{
	struct store_mailbox was, is;
	struct store_cut cut;
	struct store *other;
	struct fixture f;
	char path[96];
	struct fixture g;

	(void)state;
	fixture_init(&f, &settings);
	append_n(&f, 1, 20);
	flag(&f, 3, STORE_FLAGGED);
	expunge(&f, 5, 6);
	make_durable(&f);
	assert_true(store_mailbox_get(f.account, STORE_INBOX, &was));
	fixture_check(&f, store_cut(f.account, &cut, &f.err));
	assert_int_equal(cut.position, store_position(f.account));
	append_n(&f, 21, 10);
	expunge(&f, 1, 4);
	flag(&f, 10, STORE_DELETED);
	make_durable(&f);

	other = store_beside(&f, path);
	place(&f, &cut, other);
	store_cut_release(&cut);
	fixture_check(&f, store_restored(other, FIXTURE_ID, f.now_us, &f.err));
	g = f;
	g.store = other;
	fixture_open(&g);
	fixture_check(&g, store_view_refresh(g.account, &g.err));
	assert_true(store_mailbox_get(g.account, STORE_INBOX, &is));
	assert_int_equal(is.uidvalidity, was.uidvalidity);
	assert_int_equal(is.messages, 18);
	assert_int_equal(is.unseen, was.unseen);
	assert_int_equal(is.bytes, was.bytes);
	assert_int_equal(is.uidnext, was.uidnext + STORE_RESTORED_UIDS);
	assert_true(is.modseq > store_position(f.account));
	for (uint32_t uid = 1; uid <= 20; uid++) {
		const struct store_record *r = store_find(g.account, STORE_INBOX, uid);

		assert_true((r == NULL) == (uid == 5 || uid == 6));
		if (!r)
			continue;
		assert_int_equal(r->flags, uid == 3 ? STORE_FLAGGED : 0);
		assert_true(r->modseq > store_position(f.account));
		check_body(&g, STORE_INBOX, uid, uid);
	}
	/* Whoever knew uids up to 30 hears that those are gone. */
	{
		struct store_uid_list gone = {0};

		store_vanished(g.account, STORE_INBOX, store_position(f.account),
			       &gone);
		assert_true(gone.n >= 1);
		assert_int_equal(gone.at[gone.n - 1].first, 21);
		assert_true(gone.at[gone.n - 1].last >= 30);
		store_uid_list_release(&gone);
	}
	append_n(&g, 99, 1);
	check_body(&g, STORE_INBOX, 21 + STORE_RESTORED_UIDS, 99);
	store_account_close(&g.account);
	store_free(&other);
	fixture_release(&f);
}

static void
test_cut_names_the_last_journal_and_nothing_when_there_is_none(void **state)
{
	struct store_cut_file last, again;
	struct store_cut cut;
	struct fixture f;

	(void)state;
	fixture_init(&f, &settings);
	append_n(&f, 1, 3);
	fixture_check(&f, store_cut(f.account, &cut, &f.err));
	fixture_check(&f, store_cut_last(f.store, FIXTURE_ID, &last, &f.err));
	assert_string_equal(last.name, "journal.1");
	assert_int_equal(last.bytes, cut.files[0].bytes);
	store_cut_release(&cut);
	append_n(&f, 4, 1);
	fixture_check(&f, store_cut_last(f.store, FIXTURE_ID, &again, &f.err));
	assert_true(again.bytes > last.bytes);
	assert_int_equal(store_cut_last(f.store, 7, &last, &f.err), STORE_NONE);
	assert_int_equal(store_restore_vacant(f.store, FIXTURE_ID, &f.err),
			 STORE_EXISTS);
	assert_int_equal(store_restore_vacant(f.store, 7, &f.err), STORE_OK);
	fixture_release(&f);
}

static void
test_replaced_account_is_followed_by_who_has_it_open(void **state)
{
	struct store_account *from = NULL, *writer = NULL;
	struct store_mailbox box;
	struct store_cut cut;
	struct store *other;
	uint64_t findings;
	uint32_t id;
	struct fixture f;
	char path[96];

	(void)state;
	fixture_init(&f, &settings);
	append_n(&f, 1, 10);
	flag(&f, 2, STORE_SEEN);
	make_durable(&f);
	fixture_check(&f, store_cut(f.account, &cut, &f.err));
	other = store_beside(&f, path);
	place(&f, &cut, other);
	store_cut_release(&cut);
	/* What happened since is to be gone. */
	fixture_check(&f, store_mailbox_create(f.account, SPAN("New"), STORE_USE_NONE,
					       f.now_us, &id, &f.err));
	expunge(&f, 1, 5);
	append_n(&f, 11, 3);
	make_durable(&f);
	fixture_check(&f, store_account_open(other, FIXTURE_ID, STORE_MUST_EXIST,
					     f.now_us, &from, &f.err));
	fixture_check(&f, store_account_open(f.store, FIXTURE_ID, STORE_MUST_EXIST,
					     f.now_us, &writer, &f.err));
	fixture_check(&f, store_replace(writer, from, f.now_us, &f.err));
	store_account_close(&from);
	store_account_close(&writer);
	store_free(&other);
	/* The handle that was open all the time. */
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	append_n(&f, 50, 1);
	make_durable(&f);
	assert_int_equal(store_mailbox_find(f.account, SPAN("New")), 0);
	assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
	assert_int_equal(box.messages, 11);
	for (uint32_t uid = 1; uid <= 10; uid++)
		check_body(&f, STORE_INBOX, uid, uid);
	assert_int_equal(store_find(f.account, STORE_INBOX, 2)->flags, STORE_SEEN);
	assert_null(store_find(f.account, STORE_INBOX, 11));
	/* Its uidnext was 14: uids that were given are not given again. */
	check_body(&f, STORE_INBOX, 14 + STORE_RESTORED_UIDS, 50);
	fixture_check(&f, store_verify(f.account, finding, NULL, &findings, &f.err));
	assert_int_equal(findings, 0);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
	assert_int_equal(box.messages, 11);
	fixture_release(&f);
}

/* What is brought back of the INBOX as of `at` into a new mailbox. */
static uint32_t
bring_back(struct fixture *f, int64_t at_us, const char *into, uint64_t want)
{
	struct store_past_done done;
	struct store_past *past = NULL;
	uint32_t id = 0;

	fixture_check(f, store_past_open(f->account, at_us, f->now_us, &past, &f->err));
	fixture_check(f, store_mailbox_create(f->account, span_str(into),
					      STORE_USE_NONE, f->now_us, &id, &f->err));
	fixture_check(f, store_past_restore(f->account, past, STORE_INBOX, id, true,
					    f->now_us, &done, &f->err));
	assert_int_equal(done.messages, want);
	assert_int_equal(done.damaged, 0);
	store_past_free(&past);
	make_durable(f);
	return id;
}

static void
test_past_is_brought_back_with_the_flags_of_then(void **state)
{
	int64_t first, second;
	struct store_past_done done;
	struct store_past *past = NULL;
	uint64_t findings;
	struct fixture f;
	uint32_t id;

	(void)state;
	fixture_init(&f, &settings);
	append_n(&f, 1, 5);
	flag(&f, 2, STORE_SEEN | STORE_FLAGGED);
	first = f.now_us;
	f.now_us += 3600 * SECOND;
	flag(&f, 2, 0);
	flag(&f, 3, STORE_ANSWERED);
	append_n(&f, 6, 2);
	second = f.now_us;
	f.now_us += 3600 * SECOND;
	expunge(&f, 1, 7);
	make_durable(&f);

	id = bring_back(&f, first, "First", 5);
	assert_int_equal(store_find(f.account, id, 2)->flags,
			 STORE_SEEN | STORE_FLAGGED);
	assert_int_equal(store_find(f.account, id, 3)->flags, 0);
	for (uint32_t uid = 1; uid <= 5; uid++)
		check_body(&f, id, uid, uid);
	id = bring_back(&f, second, "Second", 7);
	assert_int_equal(store_find(f.account, id, 2)->flags, 0);
	assert_int_equal(store_find(f.account, id, 3)->flags, STORE_ANSWERED);
	/* In place: what is missing, and once. */
	fixture_check(&f, store_past_open(f.account, second, f.now_us, &past, &f.err));
	for (int i = 0; i < 2; i++) {
		fixture_check(&f, store_past_restore(f.account, past, STORE_INBOX,
						     STORE_INBOX, false, f.now_us,
						     &done, &f.err));
		assert_int_equal(done.messages, i == 0 ? 7 : 0);
		make_durable(&f);
	}
	store_past_free(&past);
	check_body(&f, STORE_INBOX, 8, 1);
	fixture_check(&f, store_verify(f.account, finding, NULL, &findings, &f.err));
	assert_int_equal(findings, 0);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	check_body(&f, id, 7, 7);
	fixture_release(&f);
}

static void
test_past_of_a_deleted_mailbox_outlives_a_compaction(void **state)
{
	struct store_compaction compaction;
	struct store_past_mailbox box = {0};
	struct store_past *past = NULL;
	const struct store_range all = {1, UINT32_MAX};
	uint32_t id, first;
	struct fixture f;
	int64_t then;
	uint64_t n;

	(void)state;
	fixture_init(&f, &settings);
	append_n(&f, 1, 5);
	fixture_check(&f, store_mailbox_create(f.account, SPAN("Work"), STORE_USE_NONE,
					       f.now_us, &id, &f.err));
	fixture_check(&f,
		      store_copy(f.account, STORE_INBOX, (struct store_uids){&all, 1},
				 id, f.now_us, &first, &n, NULL, &f.err));
	make_durable(&f);
	then = f.now_us + SECOND;
	f.now_us += 3600 * SECOND;
	fixture_check(&f, store_mailbox_delete(f.account, id, f.now_us, &f.err));
	make_durable(&f);
	f.now_us += 3600 * SECOND;
	fixture_check(&f, store_compact(f.account, 86400, f.now_us, NULL, NULL,
					&compaction, &f.err));
	fixture_check(&f, store_past_open(f.account, then, f.now_us, &past, &f.err));
	assert_int_equal(store_past_compacted_us(past), f.now_us);
	while (store_past_mailbox_next(past, box.id, &box) && box.id != id)
		continue;
	assert_int_equal(box.id, id);
	assert_true(span_equal(box.name, SPAN("Work")));
	assert_true(box.deleted);
	assert_int_equal(box.messages, 5);
	assert_int_equal(box.missing, 5);
	assert_int_equal(box.lost, 0);
	store_past_free(&past);
	fixture_release(&f);
}

static void
test_past_says_what_a_compaction_took(void **state)
{
	struct store_compaction compaction;
	struct store_past_mailbox box = {0};
	struct store_past *past = NULL;
	struct fixture f;
	int64_t then;

	(void)state;
	fixture_init(&f, &settings);
	append_n(&f, 1, 10);
	then = f.now_us + SECOND;
	f.now_us += 3600 * SECOND;
	expunge(&f, 3, 6);
	make_durable(&f);
	f.now_us += 3600 * SECOND;
	fixture_check(
	    &f, store_compact(f.account, 0, f.now_us, NULL, NULL, &compaction, &f.err));
	assert_int_equal(compaction.messages_dropped, 4);
	fixture_check(&f, store_past_open(f.account, then, f.now_us, &past, &f.err));
	assert_true(store_past_mailbox_next(past, 0, &box));
	assert_int_equal(box.messages, 6);
	assert_int_equal(box.missing, 0);
	assert_int_equal(box.lost, 4);
	store_past_free(&past);
	fixture_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cut_is_what_there_was_whatever_comes_after),
	    cmocka_unit_test(
		test_cut_names_the_last_journal_and_nothing_when_there_is_none),
	    cmocka_unit_test(test_replaced_account_is_followed_by_who_has_it_open),
	    cmocka_unit_test(test_past_is_brought_back_with_the_flags_of_then),
	    cmocka_unit_test(test_past_of_a_deleted_mailbox_outlives_a_compaction),
	    cmocka_unit_test(test_past_says_what_a_compaction_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
