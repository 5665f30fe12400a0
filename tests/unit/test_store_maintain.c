/* tests/unit/test_store_maintain.c - damage is confined and named; verify, rebuild,
 * compact */
#include "tests/unit/store_fixture.h"

#include "common/store/internal.h"

#include <errno.h>
#include <sys/wait.h>

#define PREFIX "Return-Path: <a@example.org>\r\nDelivered-To: b@example.org\r\n"
#define N      5

static const struct store_settings plain = {.summarize = true};

static void
text_make(unsigned i, char text[256])
{
	snprintf(text, 256,
		 "Subject: number %u\r\nMessage-ID: <%u@example.org>\r\n\r\nbody %u "
		 "%0*u\r\n",
		 i, i, i, (int)(i % 50) + 1, i);
}

static void
append_n(struct fixture *f, unsigned first, unsigned n)
{
	char text[256];

	for (unsigned i = first; i < first + n; i++) {
		struct store_message m;

		text_make(i, text);
		m = fixture_message(f, span_str(text), SPAN(PREFIX));
		m.delivery = (struct store_delivery_id){i, 0, 1};
		(void)fixture_append(f, &m);
	}
	fixture_check(f, store_view_refresh(f->account, &f->err));
}

static void
check_content(struct fixture *f, uint32_t mailbox, uint32_t uid, unsigned i)
{
	struct buf got = buf_make(4096), want = buf_make(4096);
	char text[256];

	text_make(i, text);
	buf_put_str(&want, PREFIX);
	buf_put_str(&want, text);
	fixture_check(f, fixture_read(f, mailbox, uid, &got));
	assert_true(span_equal(buf_span(&got), buf_span(&want)));
	buf_release(&got);
	buf_release(&want);
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
	print_message("found %d mailbox %u uid %u file %u: %s\n", (int)finding->what,
		      finding->mailbox, finding->uid, finding->file, finding->text);
}

static struct findings
verify(struct fixture *f)
{
	struct findings found = {0};
	uint64_t n;

	fixture_check(f, store_verify(f->account, note, &found, &n, &f->err));
	assert_int_equal(n, found.n);
	return found;
}

static void
test_damaged_message_is_named_and_others_are_read(void **state)
{
	struct buf got = buf_make(4096);
	const struct store_record *r;
	struct findings found;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, N);
	assert_int_equal(verify(&f).n, 0);
	r = store_find(f.account, STORE_INBOX, 3);
	fixture_poke(&f, "data.1", r->data_offset + 130);
	found = verify(&f);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.last.what, STORE_DAMAGE_CONTENT);
	assert_int_equal(found.last.mailbox, STORE_INBOX);
	assert_int_equal(found.last.uid, 3);
	for (unsigned i = 1; i <= N; i++)
		if (i != 3)
			check_content(&f, STORE_INBOX, i, i);
	assert_int_equal(fixture_read(&f, STORE_INBOX, 3, &got), STORE_DAMAGED);
	assert_non_null(strstr(f.err.text, "uid 3"));
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_non_null(store_find(f.account, STORE_INBOX, 3));
	append_n(&f, 6, 1);
	check_content(&f, STORE_INBOX, 6, 6);
	buf_release(&got);
	fixture_release(&f);
}

/* The journal's record of one message is lost: so is it, and no other. */
static void
test_damaged_journal_loses_no_other_message(void **state)
{
	const struct store_record *r;
	struct findings found;
	struct fixture f;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, N);
	r = store_find(f.account, STORE_INBOX, 3);
	fixture_poke(&f, "journal.1", r->journal_offset + 100);
	fixture_reopen(&f);
	found = verify(&f);
	assert_true(found.n >= 1);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_null(store_find(f.account, STORE_INBOX, 3));
	for (unsigned i = 1; i <= N; i++)
		if (i != 3)
			check_content(&f, STORE_INBOX, i, i);
	append_n(&f, 6, 1);
	r = store_find(f.account, STORE_INBOX, 5);
	r = store_next(f.account, r);
	assert_non_null(r);
	assert_true(r->uid > 5);
	check_content(&f, STORE_INBOX, r->uid, 6);
	fixture_release(&f);
}

static void
test_index_and_summary_come_back(void **state)
{
	static const char *lost[] = {"index", "summary.1"};
	struct store_summary was, is;
	struct buf envelope = buf_make(1 << 16), headers = buf_make(1 << 16);
	struct fixture f;
	uint64_t n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 100);
	fixture_check(&f, store_view_save(f.account, &f.err));
	fixture_check(&f, store_summary_get(f.account, STORE_INBOX, 50, &was, &f.err));
	buf_put(&envelope, was.envelope);
	buf_put(&headers, was.headers);
	for (size_t i = 0; i < N_ELEMS(lost); i++) {
		fixture_remove(&f, lost[i]);
		fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		fixture_check(
		    &f, store_summary_get(f.account, STORE_INBOX, 50, &is, &f.err));
		assert_true(span_equal(is.envelope, buf_span(&envelope)));
		assert_true(span_equal(is.headers, buf_span(&headers)));
		assert_int_equal(is.n_places, 1);
	}
	assert_int_equal(verify(&f).n, 100);
	fixture_check(&f, store_rebuild(f.account, f.now_us, &n, &f.err));
	assert_int_equal(n, 100);
	assert_int_equal(verify(&f).n, 0);
	fixture_reopen(&f);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	fixture_check(&f, store_summary_get(f.account, STORE_INBOX, 50, &is, &f.err));
	assert_true(span_equal(is.envelope, buf_span(&envelope)));
	/* Every byte of the index that is changed is found. */
	for (off_t at = 0; at < 128 * 8; at += 37) {
		fixture_poke(&f, "index", at);
		fixture_reopen(&f);
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_non_null(store_find(f.account, STORE_INBOX, 100));
		check_content(&f, STORE_INBOX, 1 + (uint32_t)at % 100,
			      1 + (unsigned)at % 100);
		fixture_poke(&f, "index", at);
	}
	buf_release(&envelope);
	buf_release(&headers);
	fixture_release(&f);
}

static bool
file_has(const struct fixture *f, const char *prefix, const char *text)
{
	char path[160], bytes[65536];
	bool found = false;

	for (int i = 1; i < 10 && !found; i++) {
		char name[40];
		ssize_t n;
		int fd;

		snprintf(name, sizeof(name), "%s%d", prefix, i);
		fixture_path(f, name, path);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		found = memmem(bytes, (size_t)n, text, strlen(text)) != NULL;
		close(fd);
	}
	return found;
}

static void
test_compaction_drops_old_expunged_and_nothing_else(void **state)
{
	const struct store_range gone = {2, 3}, copied = {4, 4}, later = {8, 8};
	struct store_compaction done;
	struct store_content *open_before;
	struct store_mailbox box;
	struct store_message m;
	struct store_appended got;
	struct fixture f, other = {0};
	struct span piece;
	uint32_t first;
	uint64_t n, modseq;
	size_t n_gone;
	char text[256];

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 10);
	fixture_check(&f, store_copy(f.account, STORE_INBOX,
				     (struct store_uids){&copied, 1}, 3, f.now_us,
				     &first, &n, NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	fixture_check(
	    &f, store_content_open(f.account, STORE_INBOX, 3, &open_before, &f.err));
	fixture_check(&f, store_expunge(f.account, STORE_INBOX,
					(struct store_uids){&gone, 1}, f.now_us, &n,
					NULL, &f.err));
	fixture_check(&f, store_expunge(f.account, STORE_INBOX,
					(struct store_uids){&copied, 1}, f.now_us, &n,
					NULL, &f.err));
	f.now_us += INT64_C(1000000) * 86400 * 8;
	fixture_check(&f, store_expunge(f.account, STORE_INBOX,
					(struct store_uids){&later, 1}, f.now_us, &n,
					NULL, &f.err));
	fixture_check(
	    &f, store_flags_change(f.account, 3, (struct store_uids){&copied, 1},
				   &(struct store_flag_change){.verb = STORE_FLAGS_ADD,
							       .flags = STORE_SEEN,
							       .keywords = 0},
				   f.now_us, &modseq, NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	/* Another process, which has the old files open. */
	other = f;
	fixture_check(&other, store_account_open(f.store, FIXTURE_ID, STORE_MUST_EXIST,
						 f.now_us, &other.account, &other.err));
	fixture_check(&other, store_view_refresh(other.account, &other.err));

	assert_true(file_has(&f, "data.", "body 2"));
	fixture_check(&f, store_compact(f.account, 7 * 86400, f.now_us, NULL, NULL,
					&done, &f.err));
	assert_int_equal(done.messages_dropped, 3);
	assert_false(file_has(&f, "data.", "body 2"));
	assert_false(file_has(&f, "summary.", "number 2"));
	assert_true(file_has(&f, "data.", "body 8"));
	text_make(3, text);
	fixture_check(
	    &f, store_content_read(open_before, strlen(PREFIX), 4096, &piece, &f.err));
	assert_true(span_equal(piece, span_str(text)));
	store_content_close(&open_before);
	check_content(&other, STORE_INBOX, 9, 9);
	store_account_close(&other.account);

	for (int pass = 0; pass < 3; pass++) {
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		assert_true(store_mailbox_get(f.account, STORE_INBOX, &box));
		assert_int_equal(box.messages, 6);
		assert_int_equal(box.uidnext, 11);
		assert_true(box.expunged_since > 0);
		assert_int_equal(store_expunged(f.account, STORE_INBOX, &n_gone)->uid,
				 8);
		assert_int_equal(n_gone, 1);
		check_content(&f, STORE_INBOX, 10, 10);
		check_content(&f, 3, first, 4);
		assert_int_equal(verify(&f).n, 0);
		if (pass == 0)
			fixture_reopen(&f);
		else
			fixture_check(&f, store_compact(f.account, 7 * 86400, f.now_us,
							NULL, NULL, &done, &f.err));
	}
	/* The other one finds everything at its new place, and may write. */
	other.store = f.store;
	fixture_open(&other);
	fixture_check(&other, store_view_refresh(other.account, &other.err));
	fixture_check(&f, store_compact(f.account, 7 * 86400, f.now_us, NULL, NULL,
					&done, &f.err));
	check_content(&other, STORE_INBOX, 9, 9);
	text_make(11, text);
	m = fixture_message(&other, span_str(text), SPAN(PREFIX));
	got = fixture_append(&other, &m);
	assert_int_equal(got.uid, 11);
	/* A delivery that was compacted away is still known. */
	m.delivery = (struct store_delivery_id){2, 0, 1};
	m.replay = true;
	got = fixture_append(&f, &m);
	assert_true(got.known);
	store_account_close(&other.account);
	fixture_release(&f);
}

/* --- deliveries tried again ------------------------------------------------ */

#define DAY_US INT64_C(86400000000)

/* Is the delivery of that id, of a message that came at `since_us`, known? */
static enum store_result
deliver_again(struct fixture *f, uint64_t id, int64_t since_us,
	      struct store_appended *out)
{
	struct store_message m = fixture_message(f, SPAN("again\r\n"), SPAN(PREFIX));

	m.delivery = (struct store_delivery_id){id, 0, 1};
	m.replay = true;
	m.since_us = since_us;
	return store_append(f->account, &m, out, &f->err);
}

static bool
is_known(struct fixture *f, uint64_t id, int64_t since_us)
{
	struct store_appended got;

	fixture_reopen(f);
	fixture_check(f, store_batch_begin(f->account, true, &f->err));
	fixture_check(f, deliver_again(f, id, since_us, &got));
	store_batch_cancel(f->account);
	return got.known;
}

/* One delivery a day, of the ids from `first` on, into small journal files. */
static void
days_pass(struct fixture *f, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		append_n(f, i, 1);
		f->now_us += DAY_US;
	}
}

/* By the time that the message came, not by how old other deliveries are; and a
 * compaction passes on what may still be asked for, each id as old as it is. */
static void
test_delivery_is_known_until_a_compaction_forgets_it(void **state)
{
	const struct store_settings small = {.journal_file_bytes = 3000,
					     .summarize = true};
	const unsigned keep = STORE_DELIVERY_KEEP_S / 86400;
	struct store_compaction done;
	struct fixture f;
	int64_t came_us;

	(void)state;
	fixture_init(&f, &small);
	came_us = f.now_us;
	days_pass(&f, 1, keep - 1);
	assert_true(is_known(&f, 1, came_us));
	fixture_check(&f,
		      store_compact(f.account, 0, f.now_us, NULL, NULL, &done, &f.err));
	assert_true(is_known(&f, 1, came_us));
	days_pass(&f, keep, keep / 2);
	fixture_check(&f,
		      store_compact(f.account, 0, f.now_us, NULL, NULL, &done, &f.err));
	assert_true(is_known(&f, 1, came_us));
	days_pass(&f, 2 * keep, keep / 2 + 1);
	fixture_check(&f,
		      store_compact(f.account, 0, f.now_us, NULL, NULL, &done, &f.err));
	assert_false(is_known(&f, 1, came_us));
	assert_true(is_known(&f, keep, came_us));
	fixture_release(&f);
}

/* What was read for a late one does not do for one that came before. */
static void
test_older_delivery_is_looked_for_anew(void **state)
{
	const struct store_settings small = {.journal_file_bytes = 3000,
					     .summarize = true};
	struct store_appended got;
	struct store_message m;
	struct fixture f;
	int64_t came_us;

	(void)state;
	fixture_init(&f, &small);
	came_us = f.now_us;
	days_pass(&f, 1, 60);
	fixture_reopen(&f);
	m = fixture_message(&f, SPAN("fresh\r\n"), SPAN(PREFIX));
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, deliver_again(&f, 60, f.now_us, &got));
	assert_true(got.known);
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	assert_int_equal(deliver_again(&f, 1, came_us, &got), STORE_LIMIT);
	fixture_check(&f, store_batch_end(f.account, &f.err));
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, deliver_again(&f, 1, came_us, &got));
	assert_true(got.known);
	fixture_check(&f, deliver_again(&f, 60, f.now_us, &got));
	assert_true(got.known);
	fixture_check(&f, store_batch_end(f.account, &f.err));
	fixture_release(&f);
}

/* A cancelled batch left a data file that the compaction removes; the next has its
 * name. */
static void
test_compaction_lets_go_of_what_it_removes(void **state)
{
	const struct store_settings small = {
	    .data_file_bytes = 4096, .journal_file_bytes = 3000, .summarize = true};
	struct store_compaction done;
	struct store_appended got;
	struct fixture f, other;
	struct store_message m;
	struct buf content = buf_make(8192);

	(void)state;
	fixture_init(&f, &small);
	buf_put_str(&content, "Subject: large\r\n\r\n");
	while (content.n < 3000)
		buf_put_char(&content, 'x');
	m = fixture_message(&f, buf_span(&content), SPAN(PREFIX));
	(void)fixture_append(&f, &m);
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	store_batch_cancel(f.account);
	fixture_check(&f,
		      store_compact(f.account, 0, f.now_us, NULL, NULL, &done, &f.err));
	other = f;
	fixture_open(&other);
	got = fixture_append(&other, &m);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	fixture_check(&f, fixture_read(&f, STORE_INBOX, got.uid, &content));
	store_account_close(&other.account);
	fixture_release(&f);
	buf_release(&content);
}

static void
test_many_small_files_are_one_account(void **state)
{
	const struct store_settings small = {
	    .data_file_bytes = 4096, .journal_file_bytes = 3000, .summarize = true};
	const struct store_range all = {1, UINT32_MAX};
	struct store_compaction done;
	struct fixture f;
	uint64_t n, modseq;

	(void)state;
	fixture_init(&f, &small);
	append_n(&f, 1, 60);
	fixture_check(
	    &f, store_flags_change(f.account, STORE_INBOX, (struct store_uids){&all, 1},
				   &(struct store_flag_change){.verb = STORE_FLAGS_ADD,
							       .flags = STORE_SEEN,
							       .keywords = 0},
				   f.now_us, &modseq, NULL, &f.err));
	append_n(&f, 61, 60);
	for (int pass = 0; pass < 4; pass++) {
		if (pass == 1)
			fixture_remove(&f, "index");
		if (pass == 2)
			fixture_check(&f, store_compact(f.account, 0, f.now_us, NULL,
							NULL, &done, &f.err));
		if (pass == 3)
			fixture_check(&f,
				      store_rebuild(f.account, f.now_us, &n, &f.err));
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		fixture_check(&f, store_view_save(f.account, &f.err));
		for (unsigned i = 1; i <= 120; i++) {
			check_content(&f, STORE_INBOX, i, i);
			assert_int_equal(store_find(f.account, STORE_INBOX, i)->flags,
					 i <= 60 ? STORE_SEEN : 0);
		}
		assert_int_equal(verify(&f).n, 0);
		fixture_reopen(&f);
	}
	assert_int_equal(store_usage(f.account).messages, 120);
	fixture_release(&f);
}

/* After a sync that failed. */
static void
test_abandoned_appends_are_gone_and_may_be_replayed(void **state)
{
	struct store_message m;
	struct store_appended got;
	struct fixture f, other;
	char text[256];
	uint64_t covered;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 3);
	text_make(4, text);
	m = fixture_message(&f, span_str(text), SPAN(PREFIX));
	m.delivery = (struct store_delivery_id){4, 0, 1};
	m.replay = true;
	other = f;
	fixture_open(&other);
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	fixture_check(&f, store_append(f.account, &m, &got, &f.err));
	fixture_check(&f, store_batch_end(f.account, &f.err));
	covered = store_position(f.account);
	fixture_check(&other, store_abandon(other.account, f.now_us, &f.err));
	/* Who appended must not report it as delivered. */
	assert_int_equal(store_synced(f.account, covered, &f.err), STORE_FAULT);
	got = fixture_append(&f, &m);
	assert_false(got.known);
	got = fixture_append(&f, &m);
	assert_true(got.known);
	fixture_check(&f, store_view_refresh(f.account, &f.err));
	assert_int_equal(store_usage(f.account).messages, 4);
	for (unsigned i = 1; i <= 4; i++)
		check_content(&f, STORE_INBOX, i, i);
	assert_int_equal(verify(&f).n, 0);
	store_account_close(&other.account);
	fixture_release(&f);
}

/* What the journal says last is lost. */
static void
lose_last(struct fixture *f, uint64_t offset)
{
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
	fixture_poke(f, "journal.1", (off_t)offset + 40);
	fixture_reopen(f);
	fixture_check(f, store_view_refresh(f->account, &f->err));
}

static void
test_uids_and_ids_of_lost_events_are_not_given_again(void **state)
{
	const struct store_range all = {1, UINT32_MAX};
	const struct store_uids uids = {&all, 1};
	uint32_t archive, first, again, id, id_again;
	struct store_mailbox box, box_again;
	struct fixture f;
	uint64_t at, n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 100);
	archive = store_mailbox_find(f.account, SPAN("Archive"));
	at = f.account->journal_end;
	fixture_check(&f, store_copy(f.account, STORE_INBOX, uids, archive, f.now_us,
				     &first, &n, NULL, &f.err));
	lose_last(&f, at);
	fixture_check(&f, store_copy(f.account, STORE_INBOX, uids, archive, f.now_us,
				     &again, &n, NULL, &f.err));
	assert_int_equal(n, 100);
	assert_true(again >= first + 100);

	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	at = f.account->journal_end;
	fixture_check(&f, store_mailbox_create(f.account, SPAN("A"), STORE_USE_NONE,
					       f.now_us, &id, &f.err));
	assert_true(store_mailbox_get(f.account, id, &box));
	lose_last(&f, at);
	assert_int_equal(store_mailbox_find(f.account, SPAN("A")), 0);
	fixture_check(&f, store_mailbox_create(f.account, SPAN("A"), STORE_USE_NONE,
					       f.now_us, &id_again, &f.err));
	assert_true(store_mailbox_get(f.account, id_again, &box_again));
	assert_true(id_again > id);
	assert_true(box_again.uidvalidity > box.uidvalidity);
	fixture_release(&f);
}

/* A file can be opened, none be made. */
static int
open_full(void *disk, int dir, const char *name, enum log_access access)
{
	if (access != LOG_CREATE)
		return log_io_real.open(disk, dir, name, access);
	errno = ENOSPC;
	return -1;
}

/* As after the machine has started again: the first opening wants a new journal. */
static enum store_result
open_after_boot(struct fixture *f, const struct log_io *io, uint8_t boot)
{
	store_account_close(&f->account);
	f->store->io = io;
	f->store->lazy.open = io->open;
	f->store->boot[0] = boot;
	return store_account_open(f->store, FIXTURE_ID, STORE_MUST_EXIST, f->now_us,
				  &f->account, &f->err);
}

static void
test_mail_is_read_and_deleted_after_a_start_on_a_full_disk(void **state)
{
	const struct store_range first = {1, 1};
	struct log_io full = log_io_real;
	uint64_t n, position;
	struct fixture f;
	uint8_t boot;

	(void)state;
	full.open = open_full;
	fixture_init(&f, &plain);
	append_n(&f, 1, N);
	boot = (uint8_t)(f.store->boot[0] + 1);
	position = store_position(f.account);
	for (int i = 0; i < 2; i++) {
		fixture_check(&f, open_after_boot(&f, &full, boot));
		fixture_check(&f, store_view_refresh(f.account, &f.err));
		check_content(&f, STORE_INBOX, 2, 2);
	}
	fixture_check(&f, store_expunge(f.account, STORE_INBOX,
					(struct store_uids){&first, 1}, f.now_us, &n,
					NULL, &f.err));
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	assert_int_equal(n, 1);
	assert_true(store_position(f.account) > position);
	assert_true(store_position(f.account) < position + JOURNAL_GAP);
	assert_int_equal(store_usage(f.account).messages, N - 1);

	/* With room it is begun. */
	fixture_check(&f, open_after_boot(&f, &log_io_real, boot));
	assert_true(store_position(f.account) > position + JOURNAL_GAP);
	append_n(&f, N + 1, 1);
	assert_int_equal(store_usage(f.account).messages, N);
	check_content(&f, STORE_INBOX, N + 1, N + 1);
	check_content(&f, STORE_INBOX, 2, 2);
	fixture_release(&f);
}

/* Also when its journal cannot be read, and when it was cut off before. */
static void
test_erased_account_is_gone_with_all_its_files(void **state)
{
	uint64_t bytes = 0, erased = 0, *ids;
	struct fixture f;
	char path[160];
	size_t n;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 5);
	fixture_check(&f, store_sync(f.account, f.now_us, &f.err));
	store_account_close(&f.account);
	fixture_poke(&f, "journal.1", 3);
	fixture_check(&f, store_disk_use(f.store, FIXTURE_ID, &bytes, &f.err));
	assert_true(bytes > 5 * 100);
	fixture_path(&f, "", path);
	fixture_remove(&f, "index");
	assert_int_equal(access(path, F_OK), 0);

	assert_int_equal(store_disk_use(f.store, 7, &erased, &f.err), STORE_NONE);
	assert_int_equal(store_erase(f.store, 7, &erased, &f.err), STORE_NONE);
	fixture_check(&f, store_erase(f.store, FIXTURE_ID, &erased, &f.err));
	assert_true(erased > 5 * 100 && erased <= bytes);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(store_accounts(f.store, &ids, &n, &f.err), 0);
	assert_int_equal(n, 0);
	free(ids);
	assert_int_equal(store_erase(f.store, FIXTURE_ID, &erased, &f.err), STORE_NONE);

	/* Whoever comes next finds nothing of it. */
	fixture_open(&f);
	assert_int_equal(store_usage(f.account).messages, 0);
	fixture_release(&f);
}

/* Who is writing is not cut off in the middle. */
static void
test_erasing_waits_for_who_writes(void **state)
{
	uint64_t erased = 0;
	struct fixture f;
	pid_t child;
	int status;

	(void)state;
	fixture_init(&f, &plain);
	append_n(&f, 1, 1);
	fixture_check(&f, store_batch_begin(f.account, true, &f.err));
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(store_erase(f.store, FIXTURE_ID, &erased, &f.err) != STORE_OK);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	fixture_check(&f, store_batch_end(f.account, &f.err));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(store_erase(f.store, FIXTURE_ID, &erased, &f.err), STORE_NONE);
	fixture_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uids_and_ids_of_lost_events_are_not_given_again),
	    cmocka_unit_test(
		test_mail_is_read_and_deleted_after_a_start_on_a_full_disk),
	    cmocka_unit_test(test_damaged_message_is_named_and_others_are_read),
	    cmocka_unit_test(test_damaged_journal_loses_no_other_message),
	    cmocka_unit_test(test_index_and_summary_come_back),
	    cmocka_unit_test(test_compaction_drops_old_expunged_and_nothing_else),
	    cmocka_unit_test(test_compaction_lets_go_of_what_it_removes),
	    cmocka_unit_test(test_delivery_is_known_until_a_compaction_forgets_it),
	    cmocka_unit_test(test_older_delivery_is_looked_for_anew),
	    cmocka_unit_test(test_many_small_files_are_one_account),
	    cmocka_unit_test(test_erased_account_is_gone_with_all_its_files),
	    cmocka_unit_test(test_erasing_waits_for_who_writes),
	    cmocka_unit_test(test_abandoned_appends_are_gone_and_may_be_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
