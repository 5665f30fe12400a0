/* tests/unit/test_bounce.c - the real bounce, with the test as qmgr, authd and spoold
 */
#include "tests/unit/hosted.h"

#include "common/dsn/dsn.h"
#include "common/spool/spool.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENT     7u
#define REPORTS_MAX 256u /* of delivery/bounce/bounce.h */
#define HEADER      "Subject: hello\r\nMessage-ID: <1@example.com>\r\n\r\n"
#define MAIL        HEADER "text of the mail\r\n"

struct letter {
	struct buf bytes;
	uint64_t id;
	uint32_t envelope_bytes;
};

struct house {
	struct hosted h;
	struct ipc_peer *qmgr, *authd, *spoold;
	bool qmgr_dropped, authd_silent;
	/* what authd and spoold answer */
	enum resolve_outcome sender, postmaster;
	enum spool_outcome outcomes[4]; /* of the first letter, the second ... */
	bool same_account;              /* postmaster is the sender */
	/* what was seen */
	struct letter letters[4];
	size_t n_letters, n_stored, n_aborted, n_reported, wanted, n_resolves;
	struct ipc_reported reported;
	char text[256];
};

static void
to_qmgr(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)peer;
	(void)fd;
	if (m->number != IPC_NUMBER_reported)
		return;
	house->reported = m->reported;
	assert_true(span_copy(m->reported.text, house->text, sizeof(house->text)));
	house->n_reported++;
}

static void
qmgr_down(struct ipc_peer *peer, void *context)
{
	(void)peer;
	((struct house *)context)->qmgr_dropped = true;
}

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;
	struct buf targets = buf_make(1024);
	bool postmaster = span_equal(m->resolve.address, SPAN("postmaster"));
	struct target t = {.kind = TARGET_ACCOUNT,
			   .account = postmaster && !house->same_account ? 5 : 4,
			   .address = SPAN("x@example.net")};
	struct ipc_resolved answer = {
	    .tag = m->resolve.tag,
	    .outcome = (uint8_t)(postmaster ? house->postmaster : house->sender),
	    .text = SPAN("no such user here")};

	(void)fd;
	if (house->authd_silent)
		return;
	assert_int_equal(m->number, IPC_NUMBER_resolve);
	assert_int_equal(m->resolve.may_relay, 1);
	house->n_resolves++;
	target_put(&targets, &t);
	if (answer.outcome == RESOLVE_OK)
		answer.targets = buf_span(&targets);
	ipc_send_resolved(peer, &answer);
	buf_release(&targets);
}

static void
letter_ends(struct house *house, struct ipc_peer *peer)
{
	struct letter *l = &house->letters[house->n_letters];
	struct ipc_spool_done done = {
	    .id = l->id, .outcome = (uint8_t)house->outcomes[house->n_letters]};

	house->n_letters++;
	house->n_stored += done.outcome == SPOOL_STORED;
	ipc_send_spool_done(peer, &done);
}

static void
to_spoold(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;
	struct letter *l = &house->letters[house->n_letters];

	(void)fd;
	assert_true(house->n_letters < N_ELEMS(house->letters));
	switch (m->number) {
	case IPC_NUMBER_spool_put:
		l->id = m->spool_put.id;
		l->envelope_bytes = m->spool_put.envelope_bytes;
		buf_put(&l->bytes, m->spool_put.bytes);
		letter_ends(house, peer);
		break;
	case IPC_NUMBER_spool_begin:
		l->id = m->spool_begin.id;
		l->envelope_bytes = m->spool_begin.envelope_bytes;
		buf_put(&l->bytes, m->spool_begin.bytes);
		break;
	case IPC_NUMBER_spool_piece:
		assert_int_equal(m->spool_piece.id, l->id);
		buf_put(&l->bytes, m->spool_piece.bytes);
		break;
	case IPC_NUMBER_spool_end:
		assert_int_equal(m->spool_end.id, l->id);
		letter_ends(house, peer);
		break;
	case IPC_NUMBER_spool_abort:
		house->n_aborted++;
		break;
	default:
		fail_msg("%s", ipc_number_name(m->number));
	}
}

static const struct ipc_callbacks qmgr_callbacks = {NULL, to_qmgr, qmgr_down};
static const struct ipc_callbacks authd_callbacks = {NULL, to_authd, NULL};
static const struct ipc_callbacks spoold_callbacks = {NULL, to_spoold, NULL};

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static bool
all_reported(void *context)
{
	const struct house *house = context;

	return house->n_reported >= house->wanted;
}

static bool
was_dropped(void *context)
{
	return ((const struct house *)context)->qmgr_dropped;
}

static struct ipc_peer *
peer_new(struct house *house, enum ipc_kind kind, const struct ipc_callbacks *callbacks)
{
	struct ipc_peer *peer = hosted_peer(&house->h, kind, callbacks, house);

	hosted_until(&house->h, is_up, peer);
	return peer;
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
set_up(struct house *house, const char *settings, struct span mail)
{
	*house = (struct house){0};
	for (size_t i = 0; i < N_ELEMS(house->letters); i++)
		house->letters[i].bytes = buf_make((size_t)8 << 20);
	hosted_folder(&house->h);
	hosted_start(&house->h, IPC_KIND_BOUNCE, settings);
	house->qmgr = peer_new(house, IPC_KIND_QMGR, &qmgr_callbacks);
	house->authd = peer_new(house, IPC_KIND_AUTHD, &authd_callbacks);
	house->spoold = peer_new(house, IPC_KIND_SPOOLD, &spoold_callbacks);
	ipc_send_id_grant(house->spoold, &(struct ipc_id_grant){1000, 256});
	segment_send(house, mail);
}

static void
tear_down(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->qmgr);
	ipc_peer_free(&house->authd);
	ipc_peer_free(&house->spoold);
	for (size_t i = 0; i < N_ELEMS(house->letters); i++)
		buf_release(&house->letters[i].bytes);
	hosted_end(&house->h);
}

static void
report_send(struct house *house, enum dsn_kind kind, struct span sender,
	    uint32_t segment, uint64_t content_bytes)
{
	static const enum dsn_action actions[] = {[DSN_FAILURE] = DSN_FAILED,
						  [DSN_DELAY] = DSN_DELAYED,
						  [DSN_SUCCESS] = DSN_DELIVERED};
	struct buf rows = buf_make(4096), bytes = buf_make(8192);
	struct dsn_request r = {.kind = kind,
				.ret = ENVELOPE_RET_FULL,
				.sender = sender,
				.subject = SPAN("a notice"),
				.text = SPAN("about nothing\n")};
	struct ipc_report m = {
	    .job = 42, .id = 4711, .segment = segment, .content_bytes = content_bytes};

	if (kind != DSN_NOTICE) {
		struct dsn_row row = {.action = actions[kind],
				      .code = 550,
				      .final = SPAN("a@example.org"),
				      .text = SPAN("no")};

		dsn_row_put(&rows, &row);
		r.n_rows = 1;
		r.rows = buf_span(&rows);
	}
	dsn_request_put(&bytes, &r);
	m.request = buf_span(&bytes);
	ipc_send_report(house->qmgr, &m);
	buf_release(&rows);
	buf_release(&bytes);
}

static void
reported_wait(struct house *house)
{
	house->wanted++;
	hosted_until(&house->h, all_reported, house);
	assert_int_equal(house->n_reported, house->wanted);
	assert_int_equal(house->reported.job, 42);
}

static struct envelope
letter_envelope(const struct letter *l, struct envelope_recipient *recipient,
		struct span *content)
{
	struct span bytes = buf_span(&l->bytes);
	struct envelope e;
	struct cursor c;

	assert_true(envelope_parse(span_first(bytes, l->envelope_bytes), &e));
	c = cursor_make(e.recipients);
	assert_true(recipient_next(&c, recipient));
	*content = span_after(bytes, l->envelope_bytes);
	assert_int_equal(e.sender.n, 0);
	assert_int_equal(e.n_recipients, 1);
	return e;
}

static bool
has(struct span s, const char *text)
{
	return span_find_span(s, span_str(text)) < s.n;
}

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
		(void)letter_envelope(&house->letters[n], &r, &content);
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

		set_up(&house, row->settings, SPAN(MAIL));
		house.sender = row->at_sender;
		house.postmaster = row->at_postmaster;
		house.same_account = row->same_account;
		memcpy(house.outcomes, row->outcomes, sizeof(row->outcomes));
		report_send(&house, row->kind, span_str(row->sender), SEGMENT,
			    sizeof(MAIL) - 1);
		reported_wait(&house);
		told_check(&house, row);
		tear_down(&house);
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
		set_up(&house, i == 1 ? "" : "report_message_bytes_max = \"4096\"\n",
		       buf_span(&mail));
		report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT, mail.n);
		reported_wait(&house);
		(void)letter_envelope(&house.letters[0], &r, &content);
		if (has(content, "\r\n\r\nxxxxxxxx") != size_rows[i].whole ||
		    has(content, "message/rfc822") != size_rows[i].whole ||
		    !has(content, "Subject: hello\r\n"))
			fail_msg("%s", size_rows[i].name);
		tear_down(&house);
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
	set_up(&house, "", SPAN(MAIL));
	report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT, 1000000);
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_MADE);
	(void)letter_envelope(&house.letters[0], &r, &content);
	assert_true(has(content, "Final-Recipient: rfc822; a@example.org"));
	assert_false(has(content, "hello"));
	tear_down(&house);
}

static void
test_segment_that_is_not_known_is_for_later(void **state)
{
	static struct house house;

	(void)state;
	set_up(&house, "", SPAN(MAIL));
	report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT + 1, 10);
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_int_equal(house.n_letters, 0);
	tear_down(&house);
}

/* --- neighbours come and go ----------------------------------------------- */

static void
test_without_neighbours_it_is_for_later(void **state)
{
	static struct house house;

	(void)state;
	set_up(&house, "", SPAN(MAIL));
	ipc_peer_free(&house.spoold);
	report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
		    sizeof(MAIL) - 1);
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_string_equal(house.text, "the spool is away");

	house.spoold = peer_new(&house, IPC_KIND_SPOOLD, &spoold_callbacks);
	ipc_send_id_grant(house.spoold, &(struct ipc_id_grant){2000, 256});
	report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
		    sizeof(MAIL) - 1);
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_MADE);
	assert_int_equal(house.reported.report, 2000);
	tear_down(&house);
}

/* So many are in work that authd does not answer; the next one is for later, and with
 * authd all of them are. */
static void
test_reports_in_work_have_a_limit(void **state)
{
	static struct house house;

	(void)state;
	set_up(&house, "", SPAN(MAIL));
	house.authd_silent = true;
	for (unsigned i = 0; i < REPORTS_MAX + 1; i++)
		report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
			    sizeof(MAIL) - 1);
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_string_equal(house.text, "too many reports at once");
	ipc_peer_free(&house.authd);
	house.wanted = REPORTS_MAX;
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_LATER);
	assert_string_equal(house.text, "the directory is away");
	tear_down(&house);
}

static void
test_request_that_cannot_be_drops_the_channel(void **state)
{
	static struct house house;
	struct ipc_report m = {.job = 1, .id = 1, .request = SPAN("nonsense")};

	(void)state;
	set_up(&house, "", SPAN(MAIL));
	ipc_send_report(house.qmgr, &m);
	hosted_until(&house.h, was_dropped, &house);
	house.qmgr_dropped = false;
	ipc_peer_free(&house.qmgr);
	house.qmgr = peer_new(&house, IPC_KIND_QMGR, &qmgr_callbacks);
	segment_send(&house, SPAN(MAIL));
	report_send(&house, DSN_FAILURE, SPAN("s@x.example"), SEGMENT,
		    sizeof(MAIL) - 1);
	reported_wait(&house);
	assert_int_equal(house.reported.outcome, REPORT_MADE);
	tear_down(&house);
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
