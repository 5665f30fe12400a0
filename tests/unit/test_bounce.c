/* tests/unit/test_bounce.c - the real bounce, with the test as qmgr, authd and spoold
 */
#include "tests/unit/bounce_house.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- who is told ---------------------------------------------------------- */

static const struct told_row {
	const char *name, *settings;
	enum dsn_kind kind;
	const char *sender;
	enum resolve_outcome at_sender, at_postmaster;
	bool same_account;
	enum spool_outcome outcomes[2];
	enum report_outcome want;
	const char *to[3]; /* of the letters */
	const char *text;  /* of the answer */
} told_rows[] = {
    {"failure",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {0},
     REPORT_MADE,   {"s@x.example"},
     ""			      },
    {"delay",
     "",			       DSN_DELAY,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {0},
     REPORT_MADE,   {"s@x.example"},
     ""			      },
    {"success",
     "",			       DSN_SUCCESS,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {0},
     REPORT_MADE,   {"s@x.example"},
     ""			      },
    {"notice",
     "",			       DSN_NOTICE,
     "",	    RESOLVE_LATER,
     RESOLVE_OK,      false,
     {0},
     REPORT_MADE,   {"postmaster@"},
     ""			      },
    {"null sender",
     "",			       DSN_FAILURE,
     "",	    RESOLVE_OK,
     RESOLVE_OK,      false,
     {0},
     REPORT_NOBODY, {NULL},
     "the null sender gets no report"},
    {"unknown sender",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_UNKNOWN,
     RESOLVE_OK,      false,
     {0},
     REPORT_NOBODY, {"postmaster@"},
     ""			      },
    {"full mailbox",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_FULL,
     RESOLVE_OK,      false,
     {0},
     REPORT_NOBODY, {"postmaster@"},
     ""			      },
    {"unknown sender, no double",
     "report_double = no\n",	   DSN_FAILURE,
     "s@x.example", RESOLVE_UNKNOWN,
     RESOLVE_OK,      false,
     {0},
     REPORT_NOBODY, {NULL},
     "nobody can be told"            },
    {"unknown sender of what is late",
     "",			       DSN_DELAY,
     "s@x.example", RESOLVE_UNKNOWN,
     RESOLVE_OK,      false,
     {0},
     REPORT_NOBODY, {NULL},
     "nobody can be told"            },
    {"no postmaster either",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_UNKNOWN,
     RESOLVE_UNKNOWN, false,
     {0},
     REPORT_NOBODY, {NULL},
     "nobody can be told"            },
    {"directory away",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_LATER,
     RESOLVE_OK,      false,
     {0},
     REPORT_LATER,  {NULL},
     "the directory does not answer" },
    {"directory away for the double",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_UNKNOWN,
     RESOLVE_LATER,   false,
     {0},
     REPORT_LATER,  {NULL},
     "the directory does not answer" },
    {"no space",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {SPOOL_NO_SPACE},
     REPORT_LATER,  {"s@x.example"},
     "no space for the report"       },
    {"fault",
     "",			       DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {SPOOL_FAULT},
     REPORT_LATER,  {"s@x.example"},
     "the spool has a fault"         },
    {"copy",
     "report_copy_postmaster = yes\n", DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {0},
     REPORT_MADE,   {"s@x.example", "postmaster@"},
     ""			      },
    {"no copy of a delay",
     "report_copy_postmaster = yes\n", DSN_DELAY,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {0},
     REPORT_MADE,   {"s@x.example"},
     ""			      },
    {"no copy to the same",
     "report_copy_postmaster = yes\n", DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      true,
     {0},
     REPORT_MADE,   {"s@x.example"},
     ""			      },
    {"no space for the copy",
     "report_copy_postmaster = yes\n", DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_OK,      false,
     {SPOOL_STORED, SPOOL_NO_SPACE},
     REPORT_MADE,   {"s@x.example", "postmaster@"},
     ""			      },
    {"no postmaster for the copy",
     "report_copy_postmaster = yes\n", DSN_FAILURE,
     "s@x.example", RESOLVE_OK,
     RESOLVE_UNKNOWN, false,
     {0},
     REPORT_MADE,   {"s@x.example"},
     ""			      },
};

static void
told_check(struct house *house, const struct told_row *row)
{
	struct envelope_recipient r;
	struct span content;
	size_t n = 0;

	if (house->reported.outcome != row->want || strcmp(house->text, row->text) != 0)
		fail_msg("%s: %u %s", row->name, house->reported.outcome, house->text);
	for (; row->to[n]; n++) {
		if (n >= house->n_letters)
			fail_msg("%s: %zu letters", row->name, n);
		bounce_letter(&house->letters[n], &r, &content);
		if (!span_starts(r.address, span_str(row->to[n])) ||
		    r.notify != ENVELOPE_NOTIFY_NEVER)
			fail_msg("%s: to %.*s", row->name, SPAN_ARG(r.address));
		if (has(content, "text of the mail") !=
		    (n == 0 && row->kind == DSN_FAILURE && row->to[0][0] == 's'))
			fail_msg("%s: %.*s", row->name, SPAN_ARG(content));
	}
	assert_int_equal(house->n_letters, n);
	assert_int_equal(house->reported.report, house->n_stored ? 1000 : 0);
}

static void
test_bounce_tells_whom_it_should(void **state)
{
	static struct house house;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(told_rows); i++) {
		const struct told_row *row = &told_rows[i];

		bounce_house_open(&house, row->settings, SPAN(MAIL));
		house.sender = row->at_sender;
		house.postmaster = row->at_postmaster;
		house.same_account = row->same_account;
		memcpy(house.outcomes, row->outcomes, sizeof(row->outcomes));
		bounce_report_send(&house, row->kind, span_str(row->sender), SEGMENT,
				   sizeof(MAIL) - 1);
		bounce_reported_wait(&house);
		told_check(&house, row);
		bounce_house_close(&house);
	}
}

/* --- the message it tells of ---------------------------------------------- */

static const struct {
	const char *name;
	size_t body_bytes;
	bool whole;
} size_rows[] = {
    {"small",	      100,		       true },
    {"more than a packet", 100000,                    true },
    {"limit - 1",          4096 - sizeof(HEADER),     true },
    {"limit",	      4096 - sizeof(HEADER) + 1, true },
    {"limit + 1",          4096 - sizeof(HEADER) + 2, false},
};

static void
test_message_comes_back_up_to_its_limit(void **state)
{
	static struct house house;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(size_rows); i++) {
		struct buf mail = buf_make(1u << 20);
		struct envelope_recipient r;
		struct span content;

		buf_put(&mail, SPAN(HEADER));
		while (mail.n < sizeof(HEADER) - 1 + size_rows[i].body_bytes)
			buf_put_char(&mail, 'x');
		bounce_house_open(&house,
				  i == 1 ? "" : "report_message_bytes_max = \"4096\"\n",
				  buf_span(&mail));
		bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
				   mail.n);
		bounce_reported_wait(&house);
		bounce_letter(&house.letters[0], &r, &content);
		if (has(content, "\r\n\r\nxxxxxxxx") != size_rows[i].whole ||
		    has(content, "message/rfc822") != size_rows[i].whole ||
		    !has(content, "Subject: hello\r\n"))
			fail_msg("%s", size_rows[i].name);
		bounce_house_close(&house);
		buf_release(&mail);
	}
}

static void
test_message_that_cannot_be_read_is_reported_without_it(void **state)
{
	static struct house house;
	struct envelope_recipient r;
	struct span content;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT, 1000000);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_MADE);
	bounce_letter(&house.letters[0], &r, &content);
	assert_true(has(content, "Final-Recipient: rfc822; a@example.org"));
	assert_false(has(content, "hello"));
	bounce_house_close(&house);
}

static void
test_segment_that_is_not_known_is_for_later(void **state)
{
	static struct house house;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT + 1, 10);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_int_equal(house.n_letters, 0);
	bounce_house_close(&house);
}

/* --- neighbours come and go ----------------------------------------------- */

static void
test_without_neighbours_it_is_for_later(void **state)
{
	static struct house house;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	ipc_peer_free(&house.spoold);
	bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
			   sizeof(MAIL) - 1);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_string_equal(house.text, "the spool is away");

	house.spoold = bounce_peer_new(&house, IPC_KIND_SPOOLD, &bounce_spoold);
	ipc_send_id_grant(house.spoold, &(struct ipc_id_grant){2000, 256});
	bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
			   sizeof(MAIL) - 1);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_MADE);
	assert_int_equal(house.reported.report, 2000);
	bounce_house_close(&house);
}

/* So many are in work that authd does not answer; the next one is for later, and with
 * authd all of them are. */
static void
test_reports_in_work_have_a_limit(void **state)
{
	static struct house house;

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	house.authd_silent = true;
	for (unsigned i = 0; i < REPORTS_MAX + 1; i++)
		bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
				   sizeof(MAIL) - 1);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_string_equal(house.text, "too many reports at once");
	ipc_peer_free(&house.authd);
	house.wanted = REPORTS_MAX;
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_string_equal(house.text, "the directory is away");
	bounce_house_close(&house);
}

static void
test_request_that_cannot_be_drops_the_channel(void **state)
{
	static struct house house;
	struct ipc_report m = {.job = 1, .id = 1, .request = SPAN("nonsense")};

	(void)state;
	bounce_house_open(&house, "", SPAN(MAIL));
	ipc_send_report(house.qmgr, &m);
	hosted_until(&house.h, bounce_was_dropped, &house);
	house.qmgr_dropped = false;
	ipc_peer_free(&house.qmgr);
	house.qmgr = bounce_peer_new(&house, IPC_KIND_QMGR, &bounce_qmgr);
	bounce_segment_send(&house, SPAN(MAIL));
	bounce_report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
			   sizeof(MAIL) - 1);
	bounce_reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_MADE);
	bounce_house_close(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bounce_tells_whom_it_should),
	    cmocka_unit_test(test_message_comes_back_up_to_its_limit),
	    cmocka_unit_test(test_message_that_cannot_be_read_is_reported_without_it),
	    cmocka_unit_test(test_segment_that_is_not_known_is_for_later),
	    cmocka_unit_test(test_without_neighbours_it_is_for_later),
	    cmocka_unit_test(test_reports_in_work_have_a_limit),
	    cmocka_unit_test(test_request_that_cannot_be_drops_the_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
