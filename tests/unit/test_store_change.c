/* tests/unit/test_store_change.c - what sessions that share an account rely on */
#include "tests/unit/store_fixture.h"

static const struct store_settings plain = {.summarize = true};
static const struct store_settings tiny = {
    .data_file_bytes = 20000, .journal_file_bytes = 3000, .summarize = true};
static const struct store_range all = {1, UINT32_MAX};

static void
append_n(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct store_message m =
		    fixture_message(f, SPAN("Subject: x\r\n\r\ntext\r\n"), SPAN(""));

		(void)fixture_append(f, &m);
	}
	fixture_check(f, store_view_refresh(f->account, &f->err));
}

/* "1:3,5" of a list. */
static void
list_text(const struct store_range *at, size_t n, char text[256])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, 256 - used,
					 at[i].first == at[i].last ? "%s%u" : "%s%u:%u",
					 i ? "," : "", at[i].first, at[i].last);
}

static void
check_list(const struct store_uid_list *list, const char *want)
{
	char text[256];

	list_text(list->at, list->n, text);
	assert_string_equal(text, want);
}

static uint64_t
flags_set(struct fixture *f, struct store_range range, uint32_t flags)
{
	const struct store_flag_change add = {.verb = STORE_FLAGS_ADD, .flags = flags};
	uint64_t modseq;

	fixture_check(f, store_flags_change(f->account, STORE_INBOX,
					    (struct store_uids){&range, 1}, &add,
					    f->now_us, &modseq, NULL, &f->err));
	return modseq;
}

static void
test_unchangedsince_leaves_what_is_newer_alone(void **state)
{
	struct store_flag_change change = {
	    .verb = STORE_FLAGS_ADD, .flags = STORE_SEEN, .conditional = true};
	const struct store_uids uids = {&all, 1};
	struct store_uid_list modified = {0};
	uint64_t modseq, first;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 8);
	first = flags_set(&f, (struct store_range){2, 3}, STORE_FLAGGED);
	(void)flags_set(&f, (struct store_range){4, 4}, STORE_FLAGGED);
	(void)flags_set(&f, (struct store_range){7, 7}, STORE_SEEN);
	change.unchanged_since = first;
	fixture_check(&f, store_flags_change(f.account, STORE_INBOX, uids, &change,
					     f.now_us, &modseq, &modified, &f.err));
	/* 7 has the flag already, and is newer all the same. */
	check_list(&modified, "4,7");
	assert_true(modseq > first);
	for (uint32_t uid = 1; uid <= 8; uid++) {
		const struct store_record *r = store_find(f.account, 1, uid);

		assert_int_equal(!(r->flags & STORE_SEEN), uid == 4);
		assert_int_equal(r->modseq == modseq, uid != 4 && uid != 7);
	}
	/* Nothing is old enough. */
	change.unchanged_since = 0;
	fixture_check(&f, store_flags_change(f.account, STORE_INBOX, uids, &change,
					     f.now_us, &modseq, &modified, &f.err));
	check_list(&modified, "1:8");
	assert_int_equal(modseq, 0);
	store_uid_list_release(&modified);
	fixture_release(&f);
}

static void
test_what_was_done_is_told_by_uid(void **state)
{
	const struct store_range some[] = {
	    {2, 3 },
            {5, 99}
        };
	const struct store_uids uids = {some, 2};
	struct store_uid_list done = {0};
	struct store_range gone = {6, 6};
	struct fixture f;
	uint32_t first;
	uint64_t n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 8);
	fixture_check(&f, store_expunge(f.account, 1, (struct store_uids){&gone, 1},
					f.now_us, &n, &done, &f.err));
	check_list(&done, "6");
	fixture_check(
	    &f, store_copy(f.account, 1, uids, 3, f.now_us, &first, &n, &done, &f.err));
	check_list(&done, "2:3,5,7:8");
	assert_int_equal(n, 5);
	assert_int_equal(first, 1);
	fixture_check(
	    &f, store_move(f.account, 1, uids, 3, f.now_us, &first, &n, &done, &f.err));
	check_list(&done, "2:3,5,7:8");
	assert_int_equal(first, 6);
	fixture_check(&f,
		      store_expunge(f.account, 1, uids, f.now_us, &n, &done, &f.err));
	assert_int_equal(n, 0);
	check_list(&done, "");
	store_vanished(f.account, 1, 0, &done);
	check_list(&done, "2:3,5:8");
	store_uid_list_release(&done);
	fixture_release(&f);
}

static void
test_a_lock_that_is_held_is_not_waited_for(void **state)
{
	const struct store_uids uids = {&all, 1};
	const struct store_flag_change seen = {.flags = STORE_SEEN};
	struct fixture f, other;
	uint64_t n, modseq;
	uint32_t first, id;
	int bit;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 2);
	other = f;
	fixture_open(&other);
	store_account_wait(other.account, false);
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	/* The first view needs the lock, a later one does not. */
	assert_int_equal(store_view_refresh(other.account, &other.err), STORE_BUSY);
	store_batch_cancel(f.account);
	fixture_check(&other, store_view_refresh(other.account, &other.err));
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&other, store_view_refresh(other.account, &other.err));
	assert_int_equal(store_flags_change(other.account, 1, uids, &seen, 1, &modseq,
					    NULL, &other.err),
			 STORE_BUSY);
	assert_int_equal(store_expunge(other.account, 1, uids, 1, &n, NULL, &other.err),
			 STORE_BUSY);
	assert_int_equal(
	    store_copy(other.account, 1, uids, 3, 1, &first, &n, NULL, &other.err),
	    STORE_BUSY);
	assert_int_equal(store_mailbox_create(other.account, SPAN("x"), STORE_USE_NONE,
					      1, &id, &other.err),
			 STORE_BUSY);
	assert_int_equal(store_subscribe(other.account, SPAN("x"), true, 1, &other.err),
			 STORE_BUSY);
	assert_int_equal(
	    store_keyword_add(other.account, SPAN("x"), 1, &bit, &other.err),
	    STORE_BUSY);
	assert_int_equal(store_batch_begin(other.account, true, &other.err),
			 STORE_BUSY);
	assert_int_equal(store_sync(other.account, 1, &other.err), STORE_BUSY);
	assert_int_equal(store_abandon(other.account, 1, &other.err), STORE_BUSY);
	store_batch_cancel(f.account);
	fixture_check(&other, store_flags_change(other.account, 1, uids, &seen, 1,
						 &modseq, NULL, &other.err));
	store_account_close(&other.account);
	fixture_release(&f);
}

/* --- the watcher ---------------------------------------------------------- */

struct seen {
	char text[2000];
	size_t n;
};

static void
note(void *context, const struct store_change *c)
{
	static const char *const names[] = {
	    [STORE_CHANGE_APPENDED] = "appended", [STORE_CHANGE_FLAGS] = "flags",
	    [STORE_CHANGE_EXPUNGED] = "expunged", [STORE_CHANGE_MAILBOX] = "mailbox",
	    [STORE_CHANGE_ALL] = "all",
	};
	struct seen *s = context;
	char uids[256];

	list_text(c->uids.at, c->uids.n, uids);
	s->n += (size_t)snprintf(s->text + s->n, sizeof(s->text) - s->n, "%s %u %s;",
				 names[c->kind], c->mailbox, uids);
}

static void
check_seen(struct seen *s, const char *want)
{
	assert_string_equal(s->text, want);
	*s = (struct seen){0};
}

static void
test_watcher_is_told_own_changes_and_those_of_others(void **state)
{
	const struct store_range two = {2, 2};
	struct store_message m;
	struct store_appended got;
	struct fixture f, other;
	struct seen seen = {0};
	uint32_t first, id;
	uint64_t n, covered;
	int bit;

	(void)state;
	fixture_init(&f, &plain);
	store_watch(f.account, note, &seen);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	check_seen(&seen, "all 0 ;");
	/* Told when it is durable, here in the call that says so. */
	m = fixture_message(&f, SPAN("Subject: x\r\n\r\n"), SPAN(""));
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	fixture_check(&f, store_batch_end(f.account, &f.err));
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	check_seen(&seen, "");
	covered = store_position(f.account);
	assert_int_equal(store_sync_disk(f.store, &f.err), 0);
	fixture_check(&f, store_synced(f.account, covered, &f.err));
	check_seen(&seen, "appended 1 1:2;");
	(void)flags_set(&f, all, STORE_SEEN);
	check_seen(&seen, "flags 1 1:2;");
	(void)flags_set(&f, all, STORE_SEEN);
	check_seen(&seen, "");
	fixture_check(&f, store_move(f.account, 1, (struct store_uids){&two, 1}, 3,
				     f.now_us, &first, &n, NULL, &f.err));
	check_seen(&seen, "expunged 1 2;");
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	check_seen(&seen, "appended 3 1;");
	fixture_check(&f, store_mailbox_create(f.account, SPAN("a/b"), STORE_USE_NONE,
					       f.now_us, &id, &f.err));
	check_seen(&seen, "mailbox 7 ;mailbox 8 ;");
	fixture_check(&f, store_mailbox_delete(f.account, id, f.now_us, &f.err));
	fixture_check(&f,
		      store_keyword_add(f.account, SPAN("$x"), f.now_us, &bit, &f.err));
	check_seen(&seen, "mailbox 8 ;mailbox 0 ;");
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));

	other = f;
	fixture_open(&other);
	append_n(&other, 2);
	(void)flags_set(&other, (struct store_range){4, 4}, STORE_FLAGGED);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	check_seen(&seen, "appended 1 3:4;");
	fixture_check(&other, store_sync(other.account, f.now_us, &f.err));
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	check_seen(&seen, "flags 1 4;");
	store_account_close(&other.account);
	fixture_release(&f);
}

/* --- mailboxes ------------------------------------------------------------ */

static void
test_levels_above_a_mailbox_are_made(void **state)
{
	static const char *bad[] = {"", "/", "a//b", "/a", "a/", "\xff"};
	struct store_mailbox box;
	struct fixture f;
	uint32_t id, other;

	(void)state;
	fixture_init(&f, &plain);
	fixture_check(&f, store_mailbox_create(f.account, SPAN("a/b/c"), STORE_USE_JUNK,
					       f.now_us, &id, &f.err));
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_int_equal(store_mailbox_create(f.account, span_str(bad[i]),
						      STORE_USE_NONE, 1, &other,
						      &f.err),
				 STORE_LIMIT);
	assert_int_equal(store_mailbox_create(f.account, SPAN("a/b"), STORE_USE_NONE, 1,
					      &other, &f.err),
			 STORE_EXISTS);
	assert_true(store_mailbox_get(
	    f.account, store_mailbox_find(f.account, SPAN("a/b")), &box));
	assert_int_equal(box.special_use, STORE_USE_NONE);
	assert_true(store_mailbox_find(f.account, SPAN("a")) != 0);
	/* Deleting leaves what is below; it may be renamed away. */
	fixture_check(&f, store_mailbox_delete(
			      f.account, store_mailbox_find(f.account, SPAN("a/b")),
			      f.now_us, &f.err));
	assert_int_equal(store_mailbox_find(f.account, SPAN("a/b/c")), id);
	assert_int_equal(
	    store_mailbox_rename(f.account, id, SPAN("a/b/c/d"), 1, &f.err),
	    STORE_LIMIT);
	fixture_check(&f, store_mailbox_rename(f.account, id, SPAN("x/y"), 1, &f.err));
	assert_int_equal(store_mailbox_find(f.account, SPAN("x/y")), id);
	assert_true(store_mailbox_find(f.account, SPAN("x")) != 0);
	fixture_check(&f, store_mailbox_create(f.account, SPAN("inBox/z"),
					       STORE_USE_NONE, 1, &id, &f.err));
	assert_true(store_mailbox_get(f.account, id, &box));
	assert_true(span_equal(box.name, SPAN("INBOX/z")));
	assert_int_equal(store_mailbox_find(f.account, SPAN("Inbox/z")), id);
	fixture_release(&f);
}

static void
test_inbox_renamed_gives_its_messages_away_and_stays(void **state)
{
	struct store_mailbox box;
	struct fixture f;
	uint32_t id;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 3);
	(void)flags_set(&f, (struct store_range){2, 2}, STORE_SEEN);
	fixture_check(&f, store_mailbox_create(f.account, SPAN("INBOX/below"),
					       STORE_USE_NONE, f.now_us, &id, &f.err));
	fixture_check(&f, store_mailbox_rename(f.account, STORE_INBOX, SPAN("Old/In"),
					       f.now_us, &f.err));
	assert_int_equal(store_mailbox_rename(f.account, STORE_INBOX, SPAN("Old/In"),
					      f.now_us, &f.err),
			 STORE_EXISTS);
	assert_int_equal(
	    store_mailbox_rename(f.account, STORE_INBOX, SPAN("inbox"), 1, &f.err),
	    STORE_EXISTS);
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	for (int pass = 0; pass < 2; pass++) {
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_int_equal(store_mailbox_find(f.account, SPAN("INBOX/below")),
				 id);
		assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
		assert_int_equal(box.messages, 0);
		assert_int_equal(box.uidnext, 4);
		assert_true(store_mailbox_get(
		    f.account, store_mailbox_find(f.account, SPAN("Old/In")), &box));
		assert_int_equal(box.messages, 3);
		assert_int_equal(box.unseen, 2);
		fixture_reopen(&f);
	}
	fixture_release(&f);
}

static bool
name_listed(const struct fixture *f, struct span name)
{
	struct span found;
	size_t place = 0;

	while (store_subscribed_next(f->account, &place, &found))
		if (span_equal(found, name))
			return true;
	return false;
}

static bool
box_subscribed(const struct fixture *f, struct span name)
{
	struct store_mailbox box;

	return store_mailbox_get(f->account, store_mailbox_find(f->account, name),
				 &box) &&
	       box.subscribed;
}

static void
test_names_without_a_mailbox_stay_subscribed(void **state)
{
	struct store_compaction done;
	struct fixture f;
	uint32_t id;

	(void)state;
	fixture_init(&f, &tiny);
	fixture_check(
	    &f, store_subscribe(f.account, SPAN("later"), true, f.now_us, &f.err));
	fixture_check(
	    &f, store_subscribe(f.account, SPAN("never"), true, f.now_us, &f.err));
	fixture_check(&f, store_mailbox_create(f.account, SPAN("gone"), STORE_USE_NONE,
					       f.now_us, &id, &f.err));
	fixture_check(&f,
		      store_subscribe(f.account, SPAN("gone"), true, f.now_us, &f.err));
	assert_true(box_subscribed(&f, SPAN("gone")));
	fixture_check(&f, store_mailbox_delete(f.account, id, f.now_us, &f.err));
	fixture_check(&f, store_mailbox_create(f.account, SPAN("later"), STORE_USE_NONE,
					       f.now_us, &id, &f.err));
	fixture_check(
	    &f, store_subscribe(f.account, SPAN("never"), false, f.now_us, &f.err));
	for (int pass = 0; pass < 3; pass++) {
		assert_true(box_subscribed(&f, SPAN("later")));
		assert_true(name_listed(&f, SPAN("gone")));
		assert_false(name_listed(&f, SPAN("later")));
		assert_false(name_listed(&f, SPAN("never")));
		append_n(&f, 20); /* new journals */
		if (pass == 1)
			fixture_check(&f, store_compact(f.account, 0, f.now_us, NULL,
							NULL, &done, &f.err));
		fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
	}
	fixture_release(&f);
}

static void
test_limits_of_names_are_told(void **state)
{
	struct fixture f;
	char name[32];
	int bit;

	(void)state;
	fixture_init(&f, &plain);
	for (int i = 0; i <= STORE_KEYWORDS_MAX; i++) {
		enum store_result want =
		    i < STORE_KEYWORDS_MAX ? STORE_OK : STORE_LIMIT;

		snprintf(name, sizeof(name), "label%d", i);
		assert_int_equal(
		    store_keyword_add(f.account, span_str(name), 1, &bit, &f.err),
		    want);
		if (want == STORE_OK)
			assert_int_equal(bit, i);
	}
	assert_non_null(strstr(f.err.text, "64 different keywords"));
	for (int i = 0; i <= STORE_SUBSCRIPTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		assert_int_equal(
		    store_subscribe(f.account, span_str(name), true, 1, &f.err),
		    i < STORE_SUBSCRIPTIONS_MAX ? STORE_OK : STORE_LIMIT);
	}
	fixture_release(&f);
}

/* --- replacing, and who comes back ---------------------------------------- */

static void
test_a_batch_replaces_a_message(void **state)
{
	const struct store_range two = {2, 2};
	const struct store_uids uids = {&two, 1};
	struct store_uid_list done = {0};
	struct store_message m;
	struct store_appended got;
	struct seen seen = {0};
	struct store_mailbox box;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 3);
	store_watch(f.account, note, &seen);
	m = fixture_message(&f, SPAN("Subject: new\r\n\r\n"), SPAN(""));
	/* Given up: nothing has happened. */
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	fixture_check(&f, store_batch_expunge(f.account, 1, uids, &done, &f.err));
	store_batch_cancel(f.account);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_non_null(store_find(f.account, 1, 2));
	check_seen(&seen, "expunged 1 2;all 0 ;");
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	fixture_check(&f, store_batch_expunge(f.account, 1, uids, &done, &f.err));
	fixture_check(&f, store_batch_end(f.account, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	check_list(&done, "2");
	check_seen(&seen, "expunged 1 2;appended 1 4;");
	for (int pass = 0; pass < 2; pass++) {
		assert_null(store_find(f.account, 1, 2));
		assert_non_null(store_find(f.account, 1, 4));
		assert_true(store_mailbox_get(f.account, 1, &box));
		assert_int_equal(box.messages, 3);
		fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
	}
	store_uid_list_release(&done);
	fixture_release(&f);
}

static void
test_vanished_is_exact_or_all_that_is_not_there(void **state)
{
	const struct store_range early = {2, 3}, late = {6, 6};
	struct store_uid_list gone = {0};
	struct store_compaction done;
	struct store_mailbox box;
	struct fixture f;
	uint64_t n, before, between;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 8);
	before = store_position(f.account);
	fixture_check(&f, store_expunge(f.account, 1, (struct store_uids){&early, 1},
					f.now_us, &n, NULL, &f.err));
	between = store_position(f.account);
	f.now_us += INT64_C(8) * 86400 * 1000000;
	fixture_check(&f, store_expunge(f.account, 1, (struct store_uids){&late, 1},
					f.now_us, &n, NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	store_vanished(f.account, 1, before, &gone);
	check_list(&gone, "2:3,6");
	store_vanished(f.account, 1, between, &gone);
	check_list(&gone, "6");
	fixture_check(&f, store_compact(f.account, 7 * 86400, f.now_us, NULL, NULL,
					&done, &f.err));
	assert_int_equal(done.messages_dropped, 2);
	for (int pass = 0; pass < 2; pass++) {
		assert_true(store_mailbox_get(f.account, 1, &box));
		assert_true(box.expunged_since > before &&
			    box.expunged_since <= between);
		store_vanished(f.account, 1, between, &gone);
		check_list(&gone, "6");
		/* Too long ago to be known one by one: the answer holds more, never
		 * less. */
		store_vanished(f.account, 1, before, &gone);
		check_list(&gone, "2:3,6");
		fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
	}
	store_uid_list_release(&gone);
	fixture_release(&f);
}

/* A data or summary file that is cut short. */
static void
test_a_file_cut_short_damages_and_does_not_kill(void **state)
{
	struct buf got = buf_make(4096);
	struct store_summary s;
	char path[160];
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 5);
	assert_int_equal(fixture_read(&f, 1, 1, &got), STORE_OK);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	fixture_path(&f, "data.1", path);
	assert_int_equal(truncate(path, store_find(f.account, 1, 4)->data_offset + 40),
			 0);
	fixture_path(&f, "summary.1", path);
	assert_int_equal(
	    truncate(path, store_find(f.account, 1, 3)->summary_offset + 40), 0);
	for (uint32_t uid = 1; uid <= 5; uid++) {
		assert_int_equal(fixture_read(&f, 1, uid, &got),
				 uid < 4 ? STORE_OK : STORE_DAMAGED);
		assert_int_equal(store_summary_get(f.account, 1, uid, &s, &f.err),
				 uid < 4 ? STORE_OK : STORE_DAMAGED);
	}
	buf_release(&got);
	fixture_release(&f);
}

/* Who does not wait gets a large copy bit by bit: nothing of it is listed, though it is
 * durable, and the lock is not to be had, until all of it is there. */
static void
test_a_large_copy_is_listed_as_a_whole(void **state)
{
	const struct store_settings stepwise = {.summarize = true, .copy_step = 2};
	const struct store_uids uids = {&all, 1};
	unsigned steps = 0, busy = 0;
	struct store_uid_list done = {0};
	struct store_mailbox box;
	struct fixture f, other;
	enum store_result result;
	uint32_t first;
	uint64_t n;

	(void)state;
	fixture_init(&f, &stepwise);
	append_n(&f, 9);
	other = f;
	fixture_open(&other);
	store_account_wait(f.account, false);
	fixture_check(&f, store_copy(f.account, STORE_INBOX, uids, 4, f.now_us, &first,
				     &n, &done, &f.err));
	assert_int_equal(n, 9);
	check_list(&done, "1:9");
	fixture_check(&f, store_sync(other.account, f.now_us, &f.err));
	fixture_check(&f, store_view_refresh(other.account, &f.err));
	assert_non_null(store_find(other.account, 4, 9));
	for (; !store_catch_up(f.account); steps++) {
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_true(store_mailbox_get(f.account, 4, &box));
		assert_int_equal(box.messages, 0);
		assert_int_equal(box.uidnext, 1);
		assert_null(store_first(f.account, 4));
	}
	assert_true(steps >= 2);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_true(store_mailbox_get(f.account, 4, &box));
	assert_int_equal(box.messages, 9);
	/* Into the mailbox itself; who wants the lock helps. */
	fixture_check(
	    &f, store_copy(f.account, 4, uids, 4, f.now_us, &first, &n, NULL, &f.err));
	while ((result = store_sync(f.account, f.now_us, &f.err)) == STORE_BUSY)
		busy++;
	fixture_check(&f, result);
	assert_true(busy >= 2);
	assert_true(store_mailbox_get(f.account, 4, &box));
	assert_int_equal(box.messages, 18);
	/* Who waits has all of it at once. */
	store_account_wait(f.account, true);
	fixture_check(
	    &f, store_copy(f.account, 4, uids, 4, f.now_us, &first, &n, NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	assert_non_null(store_find(f.account, 4, 36));
	store_uid_list_release(&done);
	store_account_close(&other.account);
	fixture_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unchangedsince_leaves_what_is_newer_alone),
	    cmocka_unit_test(test_what_was_done_is_told_by_uid),
	    cmocka_unit_test(test_a_lock_that_is_held_is_not_waited_for),
	    cmocka_unit_test(test_watcher_is_told_own_changes_and_those_of_others),
	    cmocka_unit_test(test_levels_above_a_mailbox_are_made),
	    cmocka_unit_test(test_inbox_renamed_gives_its_messages_away_and_stays),
	    cmocka_unit_test(test_names_without_a_mailbox_stay_subscribed),
	    cmocka_unit_test(test_limits_of_names_are_told),
	    cmocka_unit_test(test_a_batch_replaces_a_message),
	    cmocka_unit_test(test_vanished_is_exact_or_all_that_is_not_there),
	    cmocka_unit_test(test_a_file_cut_short_damages_and_does_not_kill),
	    cmocka_unit_test(test_a_large_copy_is_listed_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
