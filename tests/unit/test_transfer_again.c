/* tests/unit/test_transfer_again.c - a second import brings the account level */
#include "tests/unit/transfer_fixture.h"

#include "common/transfer/import_internal.h"

static const struct store_settings settings = {.summarize = true};

struct world {
	struct fixture f;
	char source[64];
	struct transfer_counts counts;
	struct transfer_options options;
	char note[200];
};

static void
path_of(const struct world *w, const char *path, char out[300])
{
	snprintf(out, 300, "%s/%s", w->source, path);
}

static void
put(const struct world *w, const char *path, const char *text)
{
	char full[SOURCE_PATH_MAX];

	source_put(w->source, path, text, full);
}

static void
rename_to(const struct world *w, const char *from, const char *to)
{
	char a[300], b[300];

	path_of(w, from, a);
	path_of(w, to, b);
	assert_int_equal(rename(a, b), 0);
}

static void
drop(const struct world *w, const char *path)
{
	char full[300];

	path_of(w, path, full);
	fixture_remove_tree(full);
}

static void
on_note(void *context, const struct transfer_note *note)
{
	struct world *w = context;

	snprintf(w->note, sizeof(w->note), "%s", note->text);
}

static void
import(struct world *w)
{
	const struct transfer_callbacks calls = {.note = on_note, .context = w};
	enum transfer_result result = transfer_import(
	    w->f.account, w->source, &w->options, &calls, &w->counts, &w->f.err);

	if (result != TRANSFER_OK)
		print_message("%s\n", w->f.err.text);
	assert_int_equal(result, TRANSFER_OK);
	fixture_check(&w->f, store_view_refresh(w->f.account, &w->f.err));
}

static void
world_init(struct world *w)
{
	*w = (struct world){.options = {.now_us = FIXTURE_NOW}};
	fixture_init(&w->f, &settings);
	source_init(w->source);
	put(w, "cur/1.a:2,S", "Subject: one\n\n1\n");
	put(w, "cur/2.b:2,Fa", "Subject: two\n\n2\n");
	put(w, "new/3.c", "Subject: three\n\n3\n");
	put(w, "dovecot-uidlist", "3 V1400000000 N12\n4 :1.a\n7 :2.b\n9 :3.c\n");
	put(w, "dovecot-keywords", "0 work\n1 home\n");
	put(w, ".Old/cur/4.d:2,", "Subject: four\n\n4\n");
	import(w);
	assert_int_equal(w->counts.imported, 4);
}

static void
world_release(struct world *w)
{
	fixture_remove_tree(w->source);
	fixture_release(&w->f);
}

static const struct store_record *
message(const struct world *w, uint32_t uid)
{
	return store_find(w->f.account, STORE_INBOX, uid);
}

static uint64_t
keyword(const struct world *w, const char *name)
{
	int bit = store_keyword_find(w->f.account, span_str(name));

	assert_true(bit >= 0);
	return UINT64_C(1) << bit;
}

static void
flags_here(struct world *w, uint32_t uid, enum store_flag_verb verb, uint32_t flags)
{
	const struct store_range one = {uid, uid};
	const struct store_flag_change change = {.verb = verb, .flags = flags};
	uint64_t modseq;

	fixture_check(&w->f, store_flags_change(w->f.account, STORE_INBOX,
						(struct store_uids){&one, 1}, &change,
						FIXTURE_NOW, &modseq, NULL, &w->f.err));
	fixture_check(&w->f, store_sync(w->f.account, FIXTURE_NOW, &w->f.err));
}

static void
deliver(struct world *w)
{
	struct store_message m =
	    fixture_message(&w->f, SPAN("Subject: here\r\n\r\n"), SPAN(""));

	(void)fixture_append(&w->f, &m);
}

static void
check_level(const struct world *w, uint64_t changed, uint64_t gone, uint64_t kept)
{
	assert_int_equal(w->counts.changed, changed);
	assert_int_equal(w->counts.gone, gone);
	assert_int_equal(w->counts.kept, kept);
}

static void
test_nothing_changed_changes_nothing(void **state)
{
	struct world w;
	uint64_t modseq;

	(void)state;
	world_init(&w);
	modseq = message(&w, 4)->modseq;
	flags_here(&w, 9, STORE_FLAGS_ADD, STORE_FLAGGED);
	for (int i = 0; i < 2; i++) {
		import(&w);
		check_level(&w, 0, 0, 0);
		assert_int_equal(w.counts.known, 4);
	}
	assert_int_equal(message(&w, 4)->modseq, modseq);
	assert_int_equal(message(&w, 9)->flags, STORE_FLAGGED);
	world_release(&w);
}

static void
test_flags_and_keywords_follow_the_source(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	rename_to(&w, "cur/1.a:2,S", "cur/1.a:2,R");
	rename_to(&w, "cur/2.b:2,Fa", "cur/2.b:2,Fb");
	rename_to(&w, "new/3.c", "cur/3.c:2,S");
	import(&w);
	check_level(&w, 3, 0, 0);
	assert_int_equal(message(&w, 4)->flags, STORE_ANSWERED);
	assert_int_equal(message(&w, 7)->flags, STORE_FLAGGED);
	assert_int_equal(message(&w, 7)->keywords, keyword(&w, "home"));
	assert_int_equal(message(&w, 9)->flags, STORE_SEEN);
	/* And a third time, though the import itself has touched them. */
	rename_to(&w, "cur/3.c:2,S", "cur/3.c:2,");
	import(&w);
	check_level(&w, 1, 0, 0);
	assert_int_equal(message(&w, 9)->flags, 0);
	world_release(&w);
}

static void
test_what_changed_here_stays(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	flags_here(&w, 4, STORE_FLAGS_REMOVE, STORE_SEEN);
	flags_here(&w, 9, STORE_FLAGS_ADD, STORE_SEEN | STORE_FLAGGED);
	rename_to(&w, "cur/1.a:2,S", "cur/1.a:2,RS");
	rename_to(&w, "new/3.c", "cur/3.c:2,S");
	import(&w);
	check_level(&w, 1, 0, 0);
	assert_int_equal(message(&w, 4)->flags, STORE_ANSWERED);
	assert_int_equal(message(&w, 9)->flags, STORE_SEEN | STORE_FLAGGED);
	world_release(&w);
}

/* As after an import of an earlier version, or one that was killed. */
static void
test_without_notes_the_untouched_follow(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fixture_remove(&w.f, "imported");
	flags_here(&w, 4, STORE_FLAGS_ADD, STORE_FLAGGED);
	rename_to(&w, "cur/1.a:2,S", "cur/1.a:2,RS");
	rename_to(&w, "new/3.c", "cur/3.c:2,S");
	import(&w);
	check_level(&w, 1, 0, 1);
	assert_int_equal(message(&w, 4)->flags, STORE_SEEN | STORE_FLAGGED);
	assert_int_equal(message(&w, 9)->flags, STORE_SEEN);
	import(&w);
	check_level(&w, 0, 0, 0);
	world_release(&w);
}

static void
test_damaged_notes_are_none(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fixture_poke(&w.f, "imported", 60);
	rename_to(&w, "new/3.c", "cur/3.c:2,S");
	drop(&w, "cur/1.a:2,S");
	import(&w);
	check_level(&w, 1, 0, 0);
	world_release(&w);
}

static void
test_gone_goes_when_it_is_wanted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	drop(&w, "cur/1.a:2,S");
	drop(&w, ".Old");
	import(&w);
	check_level(&w, 0, 2, 0);
	assert_non_null(message(&w, 4));
	assert_string_equal(w.note, "the source has this mailbox no more");
	w.options.delete_gone = w.options.dry_run = true;
	import(&w);
	check_level(&w, 0, 2, 0);
	assert_non_null(message(&w, 4));
	w.options.dry_run = false;
	import(&w);
	check_level(&w, 0, 2, 0);
	assert_null(message(&w, 4));
	assert_non_null(message(&w, 7));
	assert_null(
	    store_first(w.f.account, store_mailbox_find(w.f.account, SPAN("Old"))));
	import(&w);
	check_level(&w, 0, 0, 0);
	world_release(&w);
}

static void
test_gone_but_touched_or_never_there_stays(void **state)
{
	const struct store_range two = {7, 7};
	struct world w;
	uint32_t first;
	uint64_t n;

	(void)state;
	world_init(&w);
	deliver(&w);
	flags_here(&w, 4, STORE_FLAGS_ADD, STORE_FLAGGED);
	fixture_check(&w.f,
		      store_move(w.f.account, STORE_INBOX, (struct store_uids){&two, 1},
				 store_mailbox_find(w.f.account, SPAN("Old")),
				 FIXTURE_NOW, &first, &n, NULL, &w.f.err));
	drop(&w, "cur/1.a:2,S");
	drop(&w, "cur/2.b:2,Fa");
	drop(&w, "new/3.c");
	w.options.delete_gone = true;
	import(&w);
	check_level(&w, 0, 1, 2);
	assert_non_null(message(&w, 4));
	assert_null(message(&w, 9));
	assert_non_null(message(&w, 12));
	world_release(&w);
}

/* Another source of the same mailboxes takes nothing away. */
static void
test_sources_do_not_take_from_each_other(void **state)
{
	struct world w;
	char other[64];

	(void)state;
	world_init(&w);
	memcpy(other, w.source, sizeof(other));
	source_init(w.source);
	put(&w, "cur/8.x:2,", "Subject: x\n\n");
	w.options.delete_gone = true;
	import(&w);
	assert_int_equal(w.counts.imported, 1);
	check_level(&w, 0, 0, 0);
	assert_non_null(message(&w, 4));
	fixture_remove_tree(other);
	world_release(&w);
}

static void
test_new_ones_keep_their_uids(void **state)
{
	struct store_mailbox m;
	struct world w;

	(void)state;
	world_init(&w);
	put(&w, "new/5.e", "Subject: five\n\n");
	put(&w, "new/6.f", "Subject: six\n\n");
	put(&w, "dovecot-uidlist",
	    "3 V1400000000 N20\n4 :1.a\n7 :2.b\n9 :3.c\n15 :5.e\n17 :6.f\n");
	import(&w);
	assert_int_equal(w.counts.imported, 2);
	assert_int_equal(w.counts.new_uids + w.counts.moved, 0);
	assert_non_null(message(&w, 15));
	assert_non_null(message(&w, 17));
	assert_true(store_mailbox_get(w.f.account, STORE_INBOX, &m));
	assert_int_equal(m.uidnext, 20);
	world_release(&w);
}

static void
test_a_uid_that_is_taken_is_told(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	deliver(&w); /* 12 */
	put(&w, "new/5.e", "Subject: five\n\n");
	put(&w, "new/6.f", "Subject: six\n\n");
	put(&w, "dovecot-uidlist",
	    "3 V1400000000 N14\n4 :1.a\n7 :2.b\n9 :3.c\n12 :5.e\n13 :6.f\n");
	import(&w);
	assert_int_equal(w.counts.imported, 2);
	assert_int_equal(w.counts.new_uids, 1);
	assert_int_equal(w.counts.moved, 1);
	assert_null(message(&w, 12));
	assert_non_null(message(&w, 13));
	assert_non_null(message(&w, 14));
	assert_non_null(message(&w, 15));
	import(&w);
	assert_int_equal(w.counts.known, 6);
	assert_int_equal(w.counts.moved, 0);
	world_release(&w);
}

static void
test_dry_run_tells_the_same(void **state)
{
	struct transfer_counts dry;
	uint64_t position;
	struct world w;

	(void)state;
	world_init(&w);
	rename_to(&w, "cur/1.a:2,S", "cur/1.a:2,RSb");
	drop(&w, "cur/2.b:2,Fa");
	put(&w, "new/5.e", "Subject: five\n\n");
	w.options.dry_run = w.options.delete_gone = true;
	position = store_position(w.f.account);
	import(&w);
	assert_int_equal(store_position(w.f.account), position);
	dry = w.counts;
	w.options.dry_run = false;
	import(&w);
	assert_int_equal(dry.imported, w.counts.imported);
	assert_int_equal(dry.known, w.counts.known);
	check_level(&w, dry.changed, dry.gone, dry.kept);
	check_level(&w, 1, 1, 0);
	world_release(&w);
}

/* A message read while it is imported is not lost, nor met twice. */
static void
test_a_file_that_is_renamed_is_found(void **state)
{
	struct mail_source *source;
	struct mail_shape shape;
	struct world w;
	struct buf out = buf_make(10000);
	char a[300], b[300];

	(void)state;
	world_init(&w);
	source = mail_source_open(w.source, MAIL_MAILDIR, &w.f.err);
	assert_non_null(source);
	assert_int_equal(mail_source_load(source, 0, &w.f.err), 0);
	rename_to(&w, "cur/1.a:2,S", "cur/1.a:2,RS");
	rename_to(&w, "new/3.c", "cur/3.c:2,S");
	for (size_t i = 0; i < mail_source_box(source, 0)->n; i++)
		assert_int_equal(
		    mail_source_read(source, &mail_source_box(source, 0)->messages[i],
				     &out, &shape, &w.f.err),
		    MAIL_READ_OK);
	drop(&w, "cur/1.a:2,RS");
	assert_int_equal(mail_source_read(source,
					  &mail_source_box(source, 0)->messages[0],
					  &out, &shape, &w.f.err),
			 MAIL_READ_GONE);
	/* One file under two names, as a folder may show it meanwhile. */
	path_of(&w, "cur/3.c:2,S", a);
	path_of(&w, "new/3.c", b);
	assert_int_equal(link(a, b), 0);
	assert_int_equal(mail_source_load(source, 0, &w.f.err), 0);
	assert_int_equal(mail_source_box(source, 0)->n, 2);
	assert_int_equal(mail_source_box(source, 0)->messages[1].flags, MAIL_SEEN);
	mail_source_free(&source);
	buf_release(&out);
	world_release(&w);
}

static void
test_courier_keeps_keywords_in_a_folder(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	put(&w, ".C/cur/1.a:2,", "Subject: 1\n\n");
	put(&w, ".C/cur/2.b:2,", "Subject: 2\n\n");
	put(&w, ".C/cur/3.c:2,", "Subject: 3\n\n");
	put(&w, ".C/courierimapuiddb", "1 1234567 90\n1 1.a\n2 2.b\n3 3.c\n");
	put(&w, ".C/courierimapkeywords/:list", "work\nlater\n\n1.a:0 1\n2.b:0\n");
	put(&w, ".C/courierimapkeywords/2.b", "later\n");
	put(&w, ".C/courierimapkeywords/.5.3.c", "old\n");
	put(&w, ".C/courierimapkeywords/.12.3.c", "$Label1\nwork\n");
	import(&w);
	{
		uint32_t box = store_mailbox_find(w.f.account, SPAN("C"));
		uint64_t work = keyword(&w, "work"), later = keyword(&w, "later");

		assert_int_equal(store_find(w.f.account, box, 1)->keywords,
				 work | later);
		assert_int_equal(store_find(w.f.account, box, 2)->keywords, later);
		assert_int_equal(store_find(w.f.account, box, 3)->keywords,
				 work | keyword(&w, "$Label1"));
	}
	world_release(&w);
}

static void
test_control_stands_elsewhere(void **state)
{
	char control[300];
	struct world w;

	(void)state;
	world_init(&w);
	put(&w, ".B/cur/7.g:2,a", "Subject: 7\n\n");
	put(&w, "control/.B/dovecot-uidlist", "3 V77 N60\n50 :7.g\n");
	put(&w, "control/.B/dovecot-keywords", "0 far\n");
	put(&w, "control/.INBOX/dovecot-uidlist", "3 V1400000000 N90\n80 :1.a\n");
	path_of(&w, "control", control);
	w.options.control = control;
	w.options.into = SPAN("X");
	import(&w);
	assert_int_equal(
	    store_find(w.f.account, store_mailbox_find(w.f.account, SPAN("X/B")), 50)
		->keywords,
	    keyword(&w, "far"));
	assert_non_null(
	    store_find(w.f.account, store_mailbox_find(w.f.account, SPAN("X")), 80));
	world_release(&w);
}

static void
test_a_dbox_is_named(void **state)
{
	static const char *const there[] = {
	    "d/mailboxes/INBOX/dbox-Mails/u.1",
	    "d/storage/dovecot.map.index",
	    "home/mdbox/mailboxes/INBOX/dbox-Mails/dovecot.index",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(there); i++) {
		struct world w;
		enum transfer_result result;

		world_init(&w);
		fixture_remove_tree(w.source);
		assert_int_equal(mkdir(w.source, 0700), 0);
		put(&w, there[i], "x");
		result = transfer_import(w.f.account, w.source, &w.options, NULL,
					 &w.counts, &w.f.err);
		assert_int_equal(result, TRANSFER_NONE);
		assert_non_null(strstr(w.f.err.text, "doveadm backup"));
		world_release(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_changed_changes_nothing),
	    cmocka_unit_test(test_flags_and_keywords_follow_the_source),
	    cmocka_unit_test(test_what_changed_here_stays),
	    cmocka_unit_test(test_without_notes_the_untouched_follow),
	    cmocka_unit_test(test_damaged_notes_are_none),
	    cmocka_unit_test(test_gone_goes_when_it_is_wanted),
	    cmocka_unit_test(test_gone_but_touched_or_never_there_stays),
	    cmocka_unit_test(test_sources_do_not_take_from_each_other),
	    cmocka_unit_test(test_new_ones_keep_their_uids),
	    cmocka_unit_test(test_a_uid_that_is_taken_is_told),
	    cmocka_unit_test(test_dry_run_tells_the_same),
	    cmocka_unit_test(test_a_file_that_is_renamed_is_found),
	    cmocka_unit_test(test_courier_keeps_keywords_in_a_folder),
	    cmocka_unit_test(test_control_stands_elsewhere),
	    cmocka_unit_test(test_a_dbox_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
