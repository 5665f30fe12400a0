/* One message for spoold: what of the original is returned, the report, its envelope.
 */
#include "delivery/bounce/bounce.h"

#include <sys/random.h>

#define PIECE_BYTES_MAX    (56u << 10) /* of one ipc message */
#define ENVELOPE_BYTES_ONE (TARGETS_BYTES_MAX + 4096)

void
letter_postmaster(const struct bounce *b, struct buf *out)
{
	buf_put(out, SPAN("postmaster@"));
	buf_put_str(out, proc_settings(b->proc)->hostname);
}

/* The bytes of the original that are returned, or its header is looked for in. */
static uint64_t
content_wanted(const struct bounce *b, const struct report *r, bool *whole)
{
	*whole = r->reader == DSN_TO_SENDER && dsn_wants_whole(&r->request) &&
		 r->content_bytes <= proc_settings(b->proc)->report_message_bytes_max;
	if (*whole || r->content_bytes < HEADER_BYTES_MAX)
		return r->content_bytes;
	return HEADER_BYTES_MAX;
}

/* A message that cannot be read is reported without its header. False when that
 * may be otherwise at another time. */
static bool
content_read(struct bounce *b, const struct report *r, uint64_t n, struct buf *out,
	     const char **why)
{
	enum segments_result result;
	char *at;

	if (n == 0)
		return true;
	at = buf_extend(out, n);
	ASSERT(at);
	result = segments_read(&b->segments, r->segment, r->offset, at, n);
	if (result == SEGMENTS_OK)
		return true;
	if (result == SEGMENTS_UNKNOWN) {
		*why = segments_text(result);
		return false;
	}
	logline(LOGLINE_WARNING, "bounce.unread", L_U64("segment", r->segment),
		L_U64("offset", r->offset), L_STR("error", segments_text(result)));
	buf_reset(out);
	return true;
}

bool
letter_header(struct bounce *b, const struct report *r, struct buf *out,
	      const char **why)
{
	uint64_t n =
	    r->content_bytes < HEADER_BYTES_MAX ? r->content_bytes : HEADER_BYTES_MAX;

	return content_read(b, r, n, out, why);
}

static struct span
letter_to(const struct bounce *b, const struct report *r, struct buf *postmaster)
{
	if (r->reader == DSN_TO_SENDER)
		return r->request.sender;
	letter_postmaster(b, postmaster);
	return buf_span(postmaster);
}

static void
envelope_make(const struct report *r, struct span to, bool eightbit, bool utf8,
	      struct buf *out)
{
	struct buf list = buf_make(ENVELOPE_BYTES_ONE);
	struct envelope_recipient recipient = {.address = to,
					       .notify = ENVELOPE_NOTIFY_NEVER,
					       .targets = buf_span(&r->targets)};
	struct envelope envelope = {.flags = (eightbit ? ENVELOPE_8BITMIME : 0) |
					     (utf8 ? ENVELOPE_SMTPUTF8 : 0),
				    .n_recipients = 1};

	recipient_put(&list, &recipient);
	envelope.recipients = buf_span(&list);
	envelope_put(out, &envelope);
	buf_release(&list);
}

/* `bytes` is the envelope and the message. */
static void
spool_send(struct ipc_peer *spoold, uint64_t id, uint32_t envelope_bytes,
	   struct span bytes)
{
	struct ipc_spool_end end = {.id = id};
	struct ipc_spool_begin begin = {.id = id,
					.envelope_bytes = envelope_bytes,
					.size_hint = bytes.n,
					.bytes = span_first(bytes, PIECE_BYTES_MAX)};

	if (bytes.n <= SPOOL_PUT_MAX) {
		struct ipc_spool_put put = {id, envelope_bytes, bytes};

		ipc_send_spool_put(spoold, &put);
		return;
	}
	ipc_send_spool_begin(spoold, &begin);
	bytes = span_after(bytes, begin.bytes.n);
	while (bytes.n > 0) {
		struct ipc_spool_piece piece = {id, span_first(bytes, PIECE_BYTES_MAX)};

		ipc_send_spool_piece(spoold, &piece);
		bytes = span_after(bytes, piece.bytes.n);
	}
	ipc_send_spool_end(spoold, &end);
}

static bool
report_make(struct bounce *b, const struct report *r, struct span content, bool whole,
	    struct buf *envelope, struct buf *message)
{
	struct buf postmaster = buf_make(BOUNCE_ADDRESS_MAX);
	struct buf help = buf_make(BOUNCE_ADDRESS_MAX);
	struct dsn_letter_made made;
	struct dsn_letter letter = {.request = &r->request,
				    .templates = &b->templates,
				    .reader = r->reader,
				    .to = letter_to(b, r, &postmaster),
				    .now_us = proc_now_us(),
				    .id = r->letter_id,
				    .original_id = r->id,
				    .content = content,
				    .whole = whole && content.n > 0};
	bool good;

	letter.hostname = span_str(proc_settings(b->proc)->hostname);
	letter_postmaster(b, &help);
	letter.postmaster = buf_span(&help);
	good = getrandom(letter.random, sizeof(letter.random), 0) ==
		   sizeof(letter.random) &&
	       dsn_compose(message, &letter, &made);
	if (good)
		envelope_make(r, letter.to, made.eightbit, made.utf8, envelope);
	buf_release(&postmaster);
	buf_release(&help);
	return good;
}

static bool
reply_make(struct bounce *b, const struct report *r, struct span header,
	   struct buf *envelope, struct buf *message)
{
	const struct reply_letter letter = {
	    .to = r->reply.sender,
	    .address = r->reply.address,
	    .name = r->reply.name,
	    .subject = r->reply.subject,
	    .text = r->reply.text,
	    .header = header,
	    .hostname = span_str(proc_settings(b->proc)->hostname),
	    .id = r->letter_id,
	    .now_us = proc_now_us()};
	struct reply_made made;

	if (!reply_compose(message, &letter, &made))
		return false;
	envelope_make(r, letter.to, made.eightbit, made.utf8, envelope);
	return true;
}

static bool
letter_make(struct bounce *b, const struct report *r, struct buf *envelope,
	    struct buf *message, const char **why)
{
	struct buf content = buf_make(LETTER_BYTES_MAX);
	bool whole = false, good;
	uint64_t n;

	if (r->what == REPORT_REPLY) {
		good = letter_header(b, r, &content, why) &&
		       reply_make(b, r, buf_span(&content), envelope, message);
	} else {
		n = content_wanted(b, r, &whole);
		good = content_read(b, r, n, &content, why) &&
		       report_make(b, r, buf_span(&content), whole, envelope, message);
	}
	buf_release(&content);
	return good && !envelope->full;
}

bool
letter_send(struct bounce *b, struct report *r, struct ipc_peer *spoold,
	    const char **why)
{
	struct buf envelope = buf_make(LETTER_BYTES_MAX + ENVELOPE_BYTES_ONE);
	struct buf message = buf_make(LETTER_BYTES_MAX);
	bool good;

	*why = "the report is too large";
	good = letter_make(b, r, &envelope, &message, why);
	if (good) {
		uint32_t n = (uint32_t)envelope.n;

		buf_put(&envelope, buf_span(&message));
		spool_send(spoold, r->letter_id, n, buf_span(&envelope));
	}
	buf_release(&envelope);
	buf_release(&message);
	return good;
}
