/* tests/unit/test_transfer.c - files into an account, and what clients then see */
#include "tests/unit/transfer_fixture.h"

#include "common/transfer/import_internal.h"

#include <utime.h>

static const struct store_settings settings = {.summarize = true};

#define WHEN 1500000000

/* A Maildir in a directory of its own, beside an account. */
struct world {
	struct fixture f;
	char source[64];
	struct transfer_counts counts;
	struct transfer_options options;
	uint64_t steps, stop_at; /* 0: never */
	char notes[1000];
};

static void
put(const struct world *w, const char *path, const char *text)
{
	char full[SOURCE_PATH_MAX];

	source_put(w->source, path, text, full);
	assert_int_equal(utime(full, &(struct utimbuf){WHEN, WHEN}), 0);
}

static void
world_init(struct world *w)
{
	*w = (struct world){.options = {.now_us = FIXTURE_NOW}};
	fixture_init(&w->f, &settings);
	source_init(w->source);
	put(w, "cur/1.a:2,S", "Subject: one\n\n1\n");
	put(w, "cur/2.b:2,FRab", "Subject: two\n\n2\n");
	put(w, "new/3.c", "Subject: three\n\n3\n");
	put(w, "dovecot-uidlist", "3 V1400000000 N12\n4 :1.a\n7 Pmine :2.b:2,\n");
	put(w, "dovecot-keywords", "0 NonJunk\n1 no(word\n");
	put(w, "subscriptions", "Spam\nA.b\n");
	put(w, ".Spam/cur/4.d:2,", "Subject: four\n\n4\n");
}

static void
world_release(struct world *w)
{
	fixture_remove_tree(w->source);
	fixture_release(&w->f);
}

static bool
on_step(void *context, const struct transfer_step *step)
{
	struct world *w = context;

	assert_true(step->done <= step->total);
	return ++w->steps != w->stop_at;
}

static void
on_note(void *context, const struct transfer_note *note)
{
	struct world *w = context;
	size_t n = strlen(w->notes);

	snprintf(w->notes + n, sizeof(w->notes) - n, "%s: %s\n", note->path,
		 note->text);
}

static enum transfer_result
import(struct world *w)
{
	const struct transfer_callbacks calls = {
	    .step = on_step, .note = on_note, .context = w};
	enum transfer_result result = transfer_import(
	    w->f.account, w->source, &w->options, &calls, &w->counts, &w->f.err);

	if (result == TRANSFER_FAULT)
		print_message("%s\n", w->f.err.text);
	fixture_check(&w->f, store_view_refresh(w->f.account, &w->f.err));
	return result;
}

static struct store_mailbox
box_named(const struct world *w, const char *name)
{
	struct store_mailbox m;

	assert_true(store_mailbox_get(
	    w->f.account, store_mailbox_find(w->f.account, span_str(name)), &m));
	return m;
}

static void
check_subject(struct world *w, uint32_t mailbox, uint32_t uid, const char *subject)
{
	struct buf got = buf_make(4096);
	char want[100];

	assert_int_equal(fixture_read(&w->f, mailbox, uid, &got), STORE_OK);
	snprintf(want, sizeof(want), "Subject: %s\r\n", subject);
	assert_true(span_starts(buf_span(&got), span_str(want)));
	buf_release(&got);
}

static void
test_everything_is_as_it_was(void **state)
{
	const struct store_record *r;
	struct store_mailbox m;
	struct world w;
	struct span uidl;

	(void)state;
	world_init(&w);
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.imported, 4);
	assert_int_equal(w.counts.verified, 4);
	assert_int_equal(w.counts.new_uids, 0);
	assert_int_equal(w.counts.keywords_lost, 1);
	m = box_named(&w, "INBOX");
	assert_int_equal(m.uidvalidity, 1400000000);
	assert_int_equal(m.uidnext, 13);
	assert_int_equal(m.messages, 3);
	assert_true(m.modseq > UINT64_C(1) << 33);
	check_subject(&w, m.id, 4, "one");
	check_subject(&w, m.id, 12, "three");
	r = store_find(w.f.account, m.id, 7);
	assert_int_equal(r->flags, STORE_FLAGGED | STORE_ANSWERED);
	assert_int_equal(r->keywords, UINT64_C(1) << store_keyword_find(
					  w.f.account, SPAN("NonJunk")));
	assert_int_equal(r->internal_us, INT64_C(1000000) * WHEN);
	assert_int_equal(r->saved_us, 2000000);
	fixture_check(&w.f, store_uidl_get(w.f.account, r, &uidl, &w.f.err));
	assert_true(span_equal(uidl, SPAN("mine")));
	r = store_find(w.f.account, m.id, 12);
	fixture_check(&w.f, store_uidl_get(w.f.account, r, &uidl, &w.f.err));
	assert_true(span_equal(uidl, SPAN("0000000c53724e00")));
	world_release(&w);
}

/* An empty "Junk" that nobody used makes room for the "Spam" of the source. */
static void
test_special_use_goes_by_name(void **state)
{
	size_t place = 0;
	struct span name;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(box_named(&w, "Spam").special_use, STORE_USE_JUNK);
	assert_true(box_named(&w, "Spam").subscribed);
	assert_int_equal(store_mailbox_find(w.f.account, SPAN("Junk")), 0);
	assert_int_not_equal(store_mailbox_find(w.f.account, SPAN("Trash")), 0);
	while (store_subscribed_next(w.f.account, &place, &name))
		assert_true(span_equal(name, SPAN("A/b")) ||
			    span_equal(name, SPAN("Junk")));
	world_release(&w);
}

static void
test_again_imports_only_what_is_new(void **state)
{
	const struct store_range one = {4, 4};
	struct world w;
	uint64_t n;

	(void)state;
	world_init(&w);
	assert_int_equal(import(&w), TRANSFER_OK);
	fixture_check(&w.f, store_expunge(w.f.account, STORE_INBOX,
					  (struct store_uids){&one, 1}, FIXTURE_NOW, &n,
					  NULL, &w.f.err));
	put(&w, "new/5.e", "Subject: five\n\n5\n");
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.imported, 1);
	assert_int_equal(w.counts.known, 4);
	check_subject(&w, STORE_INBOX, 13, "five");
	assert_null(store_find(w.f.account, STORE_INBOX, 4));
	world_release(&w);
}

static void
test_stopped_anywhere_goes_on(void **state)
{
	(void)state;
	for (uint64_t stop = 1; stop <= 4; stop++) {
		struct world w;

		world_init(&w);
		w.stop_at = stop;
		assert_int_equal(import(&w), TRANSFER_STOPPED);
		w.stop_at = 0;
		assert_int_equal(import(&w), TRANSFER_OK);
		assert_int_equal(w.counts.imported + w.counts.known, 4);
		assert_int_equal(box_named(&w, "INBOX").messages, 3);
		check_subject(&w, STORE_INBOX, 4, "one");
		check_subject(&w, STORE_INBOX, 7, "two");
		check_subject(&w, STORE_INBOX, 12, "three");
		world_release(&w);
	}
}

static void
deliver(struct world *w)
{
	struct store_message m =
	    fixture_message(&w->f, SPAN("Subject: here\r\n\r\n"), SPAN(""));

	(void)fixture_append(&w->f, &m);
}

/* One message stands there; none of the source's is shown under its UID, and it moves.
 */
static void
test_mail_from_before_moves_behind(void **state)
{
	struct store_mailbox m;
	struct world w;

	(void)state;
	world_init(&w);
	put(&w, "dovecot-uidlist", "3 V1400000000 N12\n1 :1.a\n7 :2.b\n");
	deliver(&w);
	assert_int_equal(import(&w), TRANSFER_OK);
	m = box_named(&w, "INBOX");
	assert_int_equal(m.uidvalidity, 1400000000);
	assert_int_equal(m.messages, 4);
	assert_null(store_find(w.f.account, m.id, 1));
	check_subject(&w, m.id, 7, "two");
	check_subject(&w, m.id, 12, "three");
	check_subject(&w, m.id, 13, "one");
	check_subject(&w, m.id, 14, "here");
	assert_int_equal(w.counts.new_uids, 1);
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.known, 4);
	assert_int_equal(box_named(&w, "INBOX").messages, 4);
	world_release(&w);
}

static void
test_full_mailbox_keeps_its_own_uids(void **state)
{
	struct store_mailbox before, after;
	struct world w;

	(void)state;
	world_init(&w);
	deliver(&w);
	deliver(&w);
	fixture_check(&w.f, store_view_refresh(w.f.account, &w.f.err));
	before = box_named(&w, "INBOX");
	assert_int_equal(import(&w), TRANSFER_OK);
	after = box_named(&w, "INBOX");
	assert_int_equal(before.uidvalidity, after.uidvalidity);
	assert_int_equal(w.counts.new_uids, 3);
	check_subject(&w, STORE_INBOX, 1, "here");
	check_subject(&w, STORE_INBOX, 3, "one");
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.imported, 0);
	assert_int_equal(box_named(&w, "INBOX").messages, 5);
	world_release(&w);
}

static void
test_into_stands_below(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.options.into = SPAN("Old/mail");
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(box_named(&w, "Old/mail").messages, 3);
	assert_int_equal(box_named(&w, "Old/mail/Spam").messages, 1);
	assert_int_equal(box_named(&w, "INBOX").messages, 0);
	world_release(&w);
}

static void
test_dry_run_changes_nothing(void **state)
{
	uint64_t position;
	struct world w;

	(void)state;
	world_init(&w);
	w.options.dry_run = true;
	position = store_position(w.f.account);
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.imported, 4);
	assert_int_equal(w.counts.mailboxes_made, 1);
	assert_int_equal(store_position(w.f.account), position);
	world_release(&w);
}

static void
test_links_are_not_followed(void **state)
{
	char link[200];
	struct world w;

	(void)state;
	world_init(&w);
	snprintf(link, sizeof(link), "%s/cur/9.link:2,", w.source);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	snprintf(link, sizeof(link), "%s/.Link", w.source);
	assert_int_equal(symlink(".Spam", link), 0);
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.messages, 4);
	assert_int_equal(w.counts.mailboxes, 2);
	world_release(&w);
}

static void
test_two_of_one_name_are_two(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	put(&w, "cur/1.a:2,T", "Subject: other\n\n1\n");
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.imported, 5);
	assert_int_equal(import(&w), TRANSFER_OK);
	assert_int_equal(w.counts.imported, 0);
	assert_int_equal(w.counts.known, 5);
	world_release(&w);
}

static void
test_unique_ids_by_format(void **state)
{
	static const struct row {
		const char *format, *want; /* null: none */
	} rows[] = {
	    {"%08Xu%08Xv", "0000002a0000beef"},
	    {"UID%u-%v",   "UID42-48879"     },
	    {"%f",         "1.a"             },
	    {"%g",         "1.a"             },
	    {"%v.%u",      "48879.42"        },
	    {"%4u",        NULL              },
	    {"%04u%%",     "0042%"           },
	    {"",           NULL              },
	    {"a b",        NULL              },
	};
	const struct mail_message m = {.uid = 42, .name = SPAN("1.a")};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct buf out = buf_make(1000);
		bool good = uidl_format(rows[i].format, &m, 0xbeef, &out);

		assert_int_equal(good, rows[i].want != NULL);
		if (good)
			assert_true(span_equal(buf_span(&out), span_str(rows[i].want)));
		buf_release(&out);
	}
}

static void
test_nothing_there_is_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fixture_remove_tree(w.source);
	assert_int_equal(import(&w), TRANSFER_NONE);
	assert_int_equal(mkdir(w.source, 0700), 0);
	assert_int_equal(import(&w), TRANSFER_NONE);
	assert_non_null(strstr(w.f.err.text, "no Maildir, mbox or .eml"));
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_everything_is_as_it_was),
	    cmocka_unit_test(test_special_use_goes_by_name),
	    cmocka_unit_test(test_again_imports_only_what_is_new),
	    cmocka_unit_test(test_stopped_anywhere_goes_on),
	    cmocka_unit_test(test_mail_from_before_moves_behind),
	    cmocka_unit_test(test_full_mailbox_keeps_its_own_uids),
	    cmocka_unit_test(test_into_stands_below),
	    cmocka_unit_test(test_dry_run_changes_nothing),
	    cmocka_unit_test(test_links_are_not_followed),
	    cmocka_unit_test(test_two_of_one_name_are_two),
	    cmocka_unit_test(test_unique_ids_by_format),
	    cmocka_unit_test(test_nothing_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
