#include "tests/unit/bounce_house.h"

#include <sys/mman.h>
#include <unistd.h>

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
resolve_answer(struct house *house, struct ipc_peer *peer, const struct ipc_message *m)
{
	struct buf targets = buf_make(1024);
	bool postmaster = span_equal(m->resolve.address, SPAN("postmaster"));
	struct target t = {.kind = TARGET_ACCOUNT,
			   .account = postmaster && !house->same_account ? 5 : 4,
			   .address = SPAN("x@example.net")};
	struct ipc_resolved answer = {
	    .tag = m->resolve.tag,
	    .outcome = (uint8_t)(postmaster ? house->postmaster : house->sender),
	    .text = SPAN("no such user here")};

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
reply_answer(struct house *house, struct ipc_peer *peer,
	     const struct ipc_reply_ask *ask)
{
	const struct ipc_reply_answer answer = {.tag = ask->tag,
						.outcome = (uint8_t)house->reply,
						.subject =
						    span_str(house->reply_subject),
						.text = span_str(house->reply_text),
						.address = SPAN("me@example.net"),
						.name = SPAN("Me")};

	assert_int_equal(ask->account, 4);
	house->n_reply_asks++;
	ipc_send_reply_answer(peer, &answer);
}

static void
to_authd(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)fd;
	if (m->number == IPC_NUMBER_noticed) {
		house->noticed = m->noticed;
		house->n_noticed++;
	} else if (!house->authd_silent) {
		if (m->number == IPC_NUMBER_reply_ask)
			reply_answer(house, peer, &m->reply_ask);
		else
			resolve_answer(house, peer, m);
	}
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

const struct ipc_callbacks bounce_qmgr = {NULL, to_qmgr, qmgr_down};
const struct ipc_callbacks bounce_authd = {NULL, to_authd, NULL};
const struct ipc_callbacks bounce_spoold = {NULL, to_spoold, NULL};

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

bool
bounce_all_reported(void *context)
{
	const struct house *house = context;

	return house->n_reported >= house->wanted;
}

bool
bounce_was_dropped(void *context)
{
	return ((const struct house *)context)->qmgr_dropped;
}

struct ipc_peer *
bounce_peer_new(struct house *house, enum ipc_kind kind,
		const struct ipc_callbacks *callbacks)
{
	struct ipc_peer *peer = hosted_peer(&house->h, kind, callbacks, house);

	hosted_until(&house->h, is_up, peer);
	return peer;
}

void
bounce_segment_send(struct house *house, struct span bytes)
{
	const struct ipc_segment_fd m = {.segment = SEGMENT};
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes.at, bytes.n), (ssize_t)bytes.n);
	ipc_send_segment_fd(house->qmgr, &m, fd);
	close(fd);
}

void
bounce_house_open(struct house *house, const char *settings, struct span mail)
{
	*house = (struct house){0};
	for (size_t i = 0; i < N_ELEMS(house->letters); i++)
		house->letters[i].bytes = buf_make((size_t)8 << 20);
	hosted_folder(&house->h);
	hosted_start(&house->h, IPC_KIND_BOUNCE, settings);
	house->qmgr = bounce_peer_new(house, IPC_KIND_QMGR, &bounce_qmgr);
	house->authd = bounce_peer_new(house, IPC_KIND_AUTHD, &bounce_authd);
	house->spoold = bounce_peer_new(house, IPC_KIND_SPOOLD, &bounce_spoold);
	ipc_send_id_grant(house->spoold, &(struct ipc_id_grant){1000, 256});
	bounce_segment_send(house, mail);
}

void
bounce_house_close(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->qmgr);
	ipc_peer_free(&house->authd);
	ipc_peer_free(&house->spoold);
	for (size_t i = 0; i < N_ELEMS(house->letters); i++)
		buf_release(&house->letters[i].bytes);
	hosted_end(&house->h);
}

void
bounce_report_send(struct house *house, enum dsn_kind kind, struct span sender,
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

void
bounce_reported_wait(struct house *house)
{
	house->wanted++;
	hosted_until(&house->h, bounce_all_reported, house);
	assert_int_equal(house->n_reported, house->wanted);
	assert_int_equal(house->reported.job, 42);
}

struct envelope
bounce_letter(const struct letter *l, struct envelope_recipient *recipient,
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
