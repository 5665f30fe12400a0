/* What is added to a submitted message, and left out of it. */
#include "smtpd/session/inner.h"

#define INPUT_BYTES_MAX (64u << 10) /* of a header, mended at once */
#define KEEP_BYTES      4096        /* between messages */
#define ADDED_BYTES_MAX 1024        /* Date, Message-ID and what was held */

struct mending *
mending_new(const struct session_policy *policy)
{
	struct mending *m;

	if (!policy->mend)
		return NULL;
	m = memory_new(1, sizeof(*m));
	buf_init(&m->lines, ADDED_BYTES_MAX);
	buf_init(&m->piece, INPUT_BYTES_MAX + 2 * ADDED_BYTES_MAX);
	return m;
}

void
mending_free(struct mending **mending)
{
	struct mending *old = *mending;

	*mending = NULL;
	if (!old)
		return;
	buf_release(&old->lines);
	buf_release(&old->piece);
	free(old);
}

/* The queue id is unique here, and the time makes it so for ever. */
void
mending_begin(struct session *s)
{
	struct mending *m = s->mending;
	size_t date_bytes;

	if (!m)
		return;
	buf_reset(&m->lines);
	buf_put_str(&m->lines, "Date: ");
	date_put(&m->lines, s->begun_s);
	buf_put_str(&m->lines, "\r\n");
	date_bytes = m->lines.n;
	buf_putf(&m->lines, "Message-ID: <%lld.%s@%.*s>\r\n", (long long)s->begun_s,
		 s->queue_id, SPAN_ARG(s->policy->host_name));
	mend_init(&m->mend, span_first(buf_span(&m->lines), date_bytes),
		  span_after(buf_span(&m->lines), date_bytes));
}

void
mending_forget(struct session *s)
{
	if (s->mending && s->mending->piece.size > KEEP_BYTES)
		buf_release(&s->mending->piece);
}

size_t
mending_room(const struct session *s, size_t n)
{
	if (!s->mending || mend_over(&s->mending->mend) || n < INPUT_BYTES_MAX)
		return n;
	return INPUT_BYTES_MAX;
}

struct span
mending_pass(struct session *s, struct span piece)
{
	struct mending *m = s->mending;

	if (!m || mend_over(&m->mend))
		return piece;
	buf_reset(&m->piece);
	mend_feed(&m->mend, piece, &m->piece);
	ASSERT(!m->piece.full);
	return buf_span(&m->piece);
}

struct span
mending_finish(struct session *s, struct span piece)
{
	struct mending *m = s->mending;

	if (!m || mend_over(&m->mend))
		return piece;
	buf_reset(&m->piece);
	mend_feed(&m->mend, piece, &m->piece);
	mend_end(&m->mend, &m->piece);
	ASSERT(!m->piece.full);
	return buf_span(&m->piece);
}
