/* tests/unit/test_imap_speed.c - what selecting and telling cost in a large mailbox
 *
 * MESSAGES= from the environment (2,000 when it is not set); 100000 in a release build
 * gives the figures of docs. The counts must be exact at any size.
 */
#include "tests/unit/imap_harness.h"

#include <malloc.h>
#include <time.h>

static size_t n_messages = 2000;

/* Of the processor, so that what else runs on the machine does not count. */
static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct span
timed(struct harness *h, size_t i, const char *text)
{
	double since_ms = now_ms();
	struct span got;

	h->measure = true;
	h->longest_ms = 0;
	got = harness_say(h, i, text);
	print_message("%zu: %-40.*s %9.3f ms, a step %9.3f ms %9zu bytes\n", i,
		      (int)(strlen(text) - 2), text, now_ms() - since_ms, h->longest_ms,
		      got.n);
	return got;
}

static void
test_large_mailbox(void **state)
{
	struct session *one;
	struct harness h;
	double since_ms;
	size_t before;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, n_messages);
	(void)timed(&h, 0, "a EXAMINE INBOX\r\n");
	(void)timed(&h, 0, "a SELECT INBOX\r\n");
	(void)timed(&h, 0, "a SELECT INBOX\r\n");
	assert_int_equal(h.at[0].session->view.n, n_messages);
	(void)harness_say(&h, 1, "a SELECT INBOX\r\n");
	(void)harness_say(&h, 2, "a ENABLE QRESYNC\r\nb SELECT INBOX\r\n");
	(void)timed(&h, 2, "a NOOP\r\n");
	(void)timed(&h, 2, "a STATUS INBOX (MESSAGES RECENT UNSEEN DELETED SIZE)\r\n");
	(void)timed(&h, 0, "a FETCH 1:* (UID FLAGS)\r\n");
	(void)timed(&h, 0, "a STORE 1:* +FLAGS.SILENT (\\Seen)\r\n");
	(void)timed(&h, 1, "a NOOP\r\n");
	(void)timed(&h, 2, "a NOOP\r\n");
	(void)timed(&h, 0, "a STORE 1:* +FLAGS.SILENT (\\Answered)\r\n");
	(void)timed(&h, 0, "a SELECT INBOX\r\n");
	(void)timed(&h, 0, "a COPY 1:* Archive\r\n");
	(void)timed(&h, 3, "a SELECT Archive\r\n");
	(void)timed(&h, 3, "a MOVE 1:* Trash\r\n");
	(void)timed(&h, 3, "a SELECT Trash\r\n");
	assert_int_equal(h.at[3].session->view.n, n_messages);
	(void)timed(&h, 3, "a STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n");
	(void)timed(&h, 3, "a CLOSE\r\n");
	{
		char text[80];

		snprintf(text, sizeof(text),
			 "a STORE %zu:* +FLAGS.SILENT (\\Deleted)\r\n",
			 n_messages / 2 + 1);
		(void)timed(&h, 0, text);
	}
	(void)harness_say(&h, 1, "a NOOP\r\n");
	(void)harness_say(&h, 2, "a NOOP\r\n");
	(void)timed(&h, 0, "a EXPUNGE\r\n");
	(void)timed(&h, 1, "a NOOP\r\n");
	(void)timed(&h, 2, "a NOOP\r\n");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(h.at[i].session->view.n, n_messages - n_messages / 2);
	(void)harness_say(&h, 2, "a UNSELECT\r\n");
	(void)timed(&h, 2, "a SELECT INBOX (QRESYNC (1800000000 1))\r\n");
	harness_end(&h, 1);
	before = mallinfo2().uordblks;
	since_ms = now_ms();
	one = session_new(&h.policy, h.account);
	print_message("a session: %zu bytes, %.3f ms\n", mallinfo2().uordblks - before,
		      now_ms() - since_ms);
	session_free(&one);
	harness_release(&h);
}

static void
test_many_mailboxes(void **state)
{
	size_t n = n_messages / 20;
	struct harness h;
	struct span got;
	size_t lines = 0;

	(void)state;
	harness_init(&h);
	for (size_t i = 0; i < n; i++) {
		char name[80];
		uint32_t id;

		snprintf(name, sizeof(name), "folder %zu/sub %zu", i / 10, i);
		fixture_check(&h.f, store_mailbox_create(h.f.account, span_str(name),
							 STORE_USE_NONE, h.f.now_us,
							 &id, &h.f.err));
	}
	got = timed(&h, 0, "a LIST \"\" *\r\n");
	while (got.n > 0) {
		(void)span_cut(&got, '\n');
		lines++;
	}
	assert_int_equal(lines, n + n / 10 + 6 + 1);
	(void)timed(&h, 0, "a LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN))\r\n");
	(void)timed(&h, 0, "a STATUS \"folder 3/sub 33\" (MESSAGES)\r\n");
	harness_release(&h);
}

int
main(void)
{
	const char *messages = getenv("MESSAGES");
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_large_mailbox),
	    cmocka_unit_test(test_many_mailboxes),
	};

	if (messages)
		n_messages = (size_t)strtoul(messages, NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
