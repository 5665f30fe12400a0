/* tests/unit/test_local.c - the real local, with the test as qmgr and as authd
 *
 * JOBS= and ACCOUNTS= make the last test a load; it tells what it cost.
 */
#include "tests/unit/hosted.h"

#include "common/conf/conf.h"
#include "common/store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT 7u
#define MAIL    "Subject: hello\r\nMessage-ID: <1@x>\r\n\r\ntext of the mail\r\n"
#define PREFIX  "Return-Path: <a@example.org>\r\nDelivered-To: joe@example.org\r\n"

struct house {
	struct hosted h;
	struct ipc_peer *qmgr, *authd;
	size_t outcomes[3], done, wanted;
	char text[256];
	struct ipc_usage usage;
	size_t told;
};

static void
to_qmgr(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)peer;
	(void)fd;
	if (m->number != IPC_NUMBER_delivered)
		return;
	assert_true(m->delivered.outcome < 3);
	house->outcomes[m->delivered.outcome]++;
	house->done++;
	if (!span_copy(span_first(m->delivered.text, 255), house->text,
		       sizeof(house->text)))
		house->text[0] = '\0';
}

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)peer;
	(void)fd;
	if (m->number != IPC_NUMBER_usage)
		return;
	house->usage = m->usage;
	house->told++;
}

static const struct ipc_callbacks qmgr_callbacks = {NULL, to_qmgr, NULL};
static const struct ipc_callbacks authd_callbacks = {NULL, to_authd, NULL};

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static bool
all_done(void *context)
{
	const struct house *house = context;

	return house->done >= house->wanted;
}

static bool
was_told(void *context)
{
	return ((struct house *)context)->told > 0;
}

static void
segment_send(struct house *house, struct span bytes)
{
	const struct ipc_segment_fd m = {.segment = SEGMENT};
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes.at, bytes.n), (ssize_t)bytes.n);
	ipc_send_segment_fd(house->qmgr, &m, fd);
	close(fd);
}

static void
set_up(struct house *house, const char *settings)
{
	*house = (struct house){0};
	hosted_folder(&house->h);
	hosted_start(&house->h, IPC_KIND_LOCAL, settings);
	house->qmgr = hosted_peer(&house->h, IPC_KIND_QMGR, &qmgr_callbacks, house);
	house->authd = hosted_peer(&house->h, IPC_KIND_AUTHD, &authd_callbacks, house);
	hosted_until(&house->h, is_up, house->qmgr);
	hosted_until(&house->h, is_up, house->authd);
}

static void
tear_down(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->qmgr);
	ipc_peer_free(&house->authd);
	hosted_end(&house->h);
}

static struct ipc_deliver
job(uint64_t id, uint64_t account, uint64_t offset, uint64_t bytes)
{
	return (struct ipc_deliver){.job = id,
				    .id = id,
				    .account = account,
				    .segment = SEGMENT,
				    .offset = offset,
				    .content_bytes = bytes,
				    .arrived_us = 1000000,
				    .sender = SPAN("a@example.org"),
				    .recipient = SPAN("joe@example.org")};
}

static void
wait_for(struct house *house, size_t n)
{
	house->wanted = n;
	ipc_flush_all();
	hosted_until(&house->h, all_done, house);
}

/* The mailboxes, after the program has ended or beside it. */
static struct store_account *
look(const struct house *house, uint64_t account, struct store **store)
{
	static const struct store_settings settings;
	struct store_account *a;
	char root[128];
	struct err err;

	snprintf(root, sizeof(root), "%s/mail", house->h.folder);
	*store = store_new(root, &settings, &err);
	assert_non_null(*store);
	assert_int_equal(
	    store_account_open(*store, account, STORE_MUST_EXIST, 1, &a, &err),
	    STORE_OK);
	assert_int_equal(store_view_refresh(a, &err), STORE_OK);
	return a;
}

static void
check_mail(struct store_account *a, uint32_t uid, const char *want)
{
	struct store_content *c;
	struct span got;
	struct err err;

	assert_int_equal(store_content_open(a, STORE_INBOX, uid, &c, &err), STORE_OK);
	assert_int_equal(store_content_size(c), strlen(want));
	assert_int_equal(
	    store_content_read(c, store_content_prefix(c), 100000, &got, &err),
	    STORE_OK);
	assert_true(span_equal(
	    got, span_after(span_str(want), (size_t)store_content_prefix(c))));
	store_content_close(&c);
}

static void
test_local_delivers_once_and_tells_usage(void **state)
{
	struct store_account *a;
	struct ipc_deliver m;
	struct store *store;
	struct house house;

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 1\n");
	segment_send(&house, SPAN("xxxx" MAIL));
	m = job(1, 5, 4, strlen(MAIL));
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 1);
	m.replay = 1;
	ipc_send_deliver(house.qmgr, &m);
	m = job(2, 5, 4, strlen(MAIL));
	ipc_send_deliver(house.qmgr, &m);
	m.account = 6;
	m.ordinal = 1;
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 4);
	assert_int_equal(house.outcomes[DELIVERY_DONE], 4);
	house.told = 0;
	ipc_send_usage_ask(house.authd, &(struct ipc_usage_ask){.account = 5});
	ipc_flush_all();
	hosted_until(&house.h, was_told, &house);
	assert_int_equal(house.usage.messages, 2);
	assert_int_equal(house.usage.bytes, 2 * strlen(PREFIX MAIL));
	a = look(&house, 5, &store);
	check_mail(a, 1, PREFIX MAIL);
	check_mail(a, 2, PREFIX MAIL);
	assert_null(store_find(a, STORE_INBOX, 3));
	store_account_close(&a);
	store_free(&store);
	tear_down(&house);
}

static int
open_up(const char *path, const struct stat *info, int what, struct FTW *at)
{
	(void)info;
	(void)what;
	(void)at;
	return chmod(path, 0777);
}

/* Sixty deliveries, one a day from `first_us` on, the ids 1 to 60. */
static void
deliver_daily(const struct house *house, uint64_t account, int64_t first_us)
{
	static const struct store_settings small = {.journal_file_bytes = 3000};
	struct store_message m = {.mailbox = STORE_INBOX, .content = SPAN(MAIL)};
	struct store_appended got;
	struct store_account *a;
	struct store *store;
	char root[128];
	struct err err;

	snprintf(root, sizeof(root), "%s/mail", house->h.folder);
	store = store_new(root, &small, &err);
	assert_non_null(store);
	assert_int_equal(
	    store_account_open(store, account, STORE_MAY_CREATE, first_us, &a, &err),
	    STORE_OK);
	for (unsigned i = 0; i < 60; i++) {
		m.delivery = (struct store_delivery_id){i + 1, 0, 0};
		m.saved_us = first_us + i * INT64_C(86400000000);
		assert_int_equal(store_batch_begin(a, true, &err), STORE_OK);
		assert_int_equal(store_append(a, &m, &got, &err), STORE_OK);
		assert_int_equal(store_batch_end(a, &err), STORE_OK);
	}
	assert_int_equal(store_sync(a, m.saved_us, &err), STORE_OK);
	store_account_close(&a);
	store_free(&store);
	assert_int_equal(nftw(root, open_up, 16, FTW_PHYS), 0); /* for its own user */
}

/* As long as the longest queue_lifetime may be. */
static void
test_local_knows_a_delivery_of_long_ago(void **state)
{
	int64_t came_us = (int64_t)(time(NULL) - 60 * 86400) * 1000000;
	struct store_account *a;
	struct ipc_deliver m;
	struct store *store;
	struct house house;

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 1\n");
	deliver_daily(&house, 5, came_us);
	segment_send(&house, SPAN(MAIL));
	m = job(1, 5, 0, strlen(MAIL));
	m.replay = 1;
	m.arrived_us = (uint64_t)came_us;
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 1);
	assert_int_equal(house.outcomes[DELIVERY_DONE], 1);
	a = look(&house, 5, &store);
	assert_null(store_find(a, STORE_INBOX, 61));
	store_account_close(&a);
	store_free(&store);
	tear_down(&house);
}

static uint64_t
setting_max(const char *name)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].max;
	fail_msg("%s", name);
	return 0;
}

/* A retry may be put off for an eighth more. */
static void
test_delivery_ids_are_kept_for_every_lifetime_allowed(void **state)
{
	uint64_t retry_s = setting_max("queue_retry_max");

	(void)state;
	assert_true(setting_max("queue_lifetime") + retry_s + retry_s / 8 + 1 <
		    STORE_DELIVERY_KEEP_S);
}

/* What another process has done since local last looked counts. */
static void
test_local_tells_usage_as_it_is_now(void **state)
{
	struct store_range all = {1, 1};
	struct store_account *a;
	struct ipc_deliver m;
	struct store *store;
	struct house house;
	uint64_t n, before;
	struct err err;

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 1\n");
	segment_send(&house, SPAN(MAIL));
	m = job(1, 5, 0, strlen(MAIL));
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 1);
	ipc_flush_all();
	hosted_until(&house.h, was_told, &house);
	assert_int_equal(house.usage.messages, 1);
	before = house.usage.modseq;
	a = look(&house, 5, &store);
	assert_int_equal(store_expunge(a, STORE_INBOX, (struct store_uids){&all, 1}, 1,
				       &n, NULL, &err),
			 STORE_OK);
	assert_int_equal(store_sync(a, 1, &err), STORE_OK);
	house.told = 0;
	ipc_send_usage_ask(house.authd, &(struct ipc_usage_ask){.account = 5});
	ipc_flush_all();
	hosted_until(&house.h, was_told, &house);
	assert_int_equal(house.usage.messages, 0);
	assert_int_equal(house.usage.bytes, 0);
	assert_true(house.usage.modseq > before);
	store_account_close(&a);
	store_free(&store);
	tear_down(&house);
}

static void
test_local_defers_what_is_not_in_the_segment(void **state)
{
	struct house house;
	struct ipc_deliver m;

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 1\n");
	segment_send(&house, SPAN(MAIL));
	m = job(1, 5, 0, strlen(MAIL) + 1);
	ipc_send_deliver(house.qmgr, &m);
	m = job(2, 5, UINT64_MAX - 2, 10);
	ipc_send_deliver(house.qmgr, &m);
	m = job(3, 5, 0, UINT64_C(1) << 40);
	ipc_send_deliver(house.qmgr, &m);
	m = job(4, 5, 0, 5);
	m.segment = 99;
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 4);
	assert_int_equal(house.outcomes[DELIVERY_DONE], 0);
	assert_int_equal(house.outcomes[DELIVERY_DEFERRED], 2);
	assert_int_equal(house.outcomes[DELIVERY_FAILED], 2);
	tear_down(&house);
}

static void
test_local_refuses_a_message_that_goes_round(void **state)
{
	struct buf text = buf_make(1 << 16);
	struct house house;
	struct ipc_deliver m;

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 1\nhops_max = 5\n");
	for (int i = 0; i < 5; i++)
		buf_put_str(&text, "Delivered-To: joe@example.org\r\n");
	buf_put_str(&text, MAIL);
	segment_send(&house, buf_span(&text));
	m = job(1, 5, 0, text.n);
	ipc_send_deliver(house.qmgr, &m);
	m = job(2, 5, 31, text.n - 31);
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 2);
	assert_int_equal(house.outcomes[DELIVERY_FAILED], 1);
	assert_int_equal(house.outcomes[DELIVERY_DONE], 1);
	buf_release(&text);
	tear_down(&house);
}

/* The mailboxes cannot be written: later, not never, and well again at once. */
static void
test_local_defers_while_the_store_cannot_be_written(void **state)
{
	struct house house;
	struct ipc_deliver m;
	char path[128];

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 1\n");
	segment_send(&house, SPAN(MAIL));
	snprintf(path, sizeof(path), "%s/mail/05", house.h.folder);
	close(open(path, O_CREAT | O_WRONLY, 0600)); /* in the directory's place */
	m = job(1, 5, 0, strlen(MAIL));
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 1);
	assert_int_equal(house.outcomes[DELIVERY_DEFERRED], 1);
	assert_non_null(strstr(house.text, "4.3.0"));
	unlink(path);
	ipc_send_deliver(house.qmgr, &m);
	wait_for(&house, 2);
	assert_int_equal(house.outcomes[DELIVERY_DONE], 1);
	tear_down(&house);
}

/* How much the journal of an account holds; 0: there is none. */
static off_t
journal_bytes(const struct house *house, unsigned account)
{
	struct stat info;
	char path[128];

	snprintf(path, sizeof(path), "%s/mail/%02x/%016x/journal.1", house->h.folder,
		 account, account);
	return stat(path, &info) == 0 ? info.st_size : 0;
}

struct growth {
	const struct house *house;
	off_t before;
};

static bool
has_grown(void *context)
{
	const struct growth *g = context;

	return journal_bytes(g->house, 5) > g->before;
}

static void
deliver_to(struct house *house, uint64_t id, uint64_t account)
{
	struct ipc_deliver m = job(id, account, 0, strlen(MAIL));

	ipc_send_deliver(house->qmgr, &m);
	ipc_flush_all();
}

/* A compaction, say, holds the lock of one account for as long as it likes: what was
 * appended there is reported later, that of others at once. */
static void
test_local_waits_for_no_lock_but_that_account(void **state)
{
	struct growth growth;
	struct house house;
	char path[128];
	int lock;

	(void)state;
	set_up(&house, "deliver_sync_interval_ms = 500\n");
	segment_send(&house, SPAN(MAIL));
	deliver_to(&house, 1, 5);
	wait_for(&house, 1);
	growth = (struct growth){&house, journal_bytes(&house, 5)};
	deliver_to(&house, 2, 5);
	hosted_until(&house.h, has_grown, &growth);
	snprintf(path, sizeof(path), "%s/mail/05/0000000000000005/lock",
		 house.h.folder);
	lock = open(path, O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0 && flock(lock, LOCK_EX) == 0);
	deliver_to(&house, 3, 6);
	wait_for(&house, 2);
	deliver_to(&house, 4, 7);
	wait_for(&house, 3);
	close(lock);
	wait_for(&house, 4);
	assert_int_equal(house.outcomes[DELIVERY_DONE], 4);
	tear_down(&house);
}

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && number_parse(span_str(text), UINT64_MAX, &n) ? n : otherwise;
}

static void
mail_of_4k(struct buf *out)
{
	for (int i = 0; i < 8; i++)
		buf_putf(out,
			 "X-Header-%d: some header text of about a usual length\r\n",
			 i);
	buf_put_str(out, MAIL);
	while (out->n < 4096)
		buf_put_str(out,
			    "A line of text that is as long as lines usually are.\r\n");
}

static void
test_local_takes_many_for_many_accounts(void **state)
{
	uint64_t jobs = number_from("JOBS", 2000),
		 accounts = number_from("ACCOUNTS", 100);
	struct buf mail = buf_make(1 << 14), segment = buf_make(64u << 20);
	size_t copies = 1000;
	struct timespec start, end;
	struct rusage used;
	struct house house;
	double seconds, cpu;

	(void)state;
	set_up(&house, "");
	mail_of_4k(&mail);
	for (size_t i = 0; i < copies; i++)
		buf_put(&segment, buf_span(&mail));
	segment_send(&house, buf_span(&segment));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (uint64_t i = 0; i < jobs; i++) {
		struct ipc_deliver m =
		    job(i + 1, i % accounts + 1, i % copies * mail.n, mail.n);

		ipc_send_deliver(house.qmgr, &m);
		if (i % 20 == 19) {
			ipc_flush_all();
			event_base_loop(house.h.base, EVLOOP_NONBLOCK);
		}
		if (i > house.done + 10000)
			wait_for(&house, i - 5000);
	}
	wait_for(&house, jobs);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(house.outcomes[DELIVERY_DONE], jobs);
	tear_down(&house);
	getrusage(RUSAGE_CHILDREN, &used);
	seconds = (double)(end.tv_sec - start.tv_sec) +
		  (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	print_message(
	    "%llu jobs in %.2f s, %.1f us of processor each (%.1f user)\n",
	    (unsigned long long)jobs, seconds, cpu * 1e6 / (double)jobs,
	    ((double)used.ru_utime.tv_sec * 1e6 + (double)used.ru_utime.tv_usec) /
		(double)jobs);
	buf_release(&mail);
	buf_release(&segment);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_local_delivers_once_and_tells_usage),
	    cmocka_unit_test(test_local_knows_a_delivery_of_long_ago),
	    cmocka_unit_test(test_delivery_ids_are_kept_for_every_lifetime_allowed),
	    cmocka_unit_test(test_local_tells_usage_as_it_is_now),
	    cmocka_unit_test(test_local_defers_what_is_not_in_the_segment),
	    cmocka_unit_test(test_local_refuses_a_message_that_goes_round),
	    cmocka_unit_test(test_local_defers_while_the_store_cannot_be_written),
	    cmocka_unit_test(test_local_waits_for_no_lock_but_that_account),
	    cmocka_unit_test(test_local_takes_many_for_many_accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
