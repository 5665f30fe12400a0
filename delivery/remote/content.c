/* the bytes of a message, from its segment to a session */
#include "delivery/remote/remote.h"

/* The message cannot be read here: nobody was told its end, so nobody has it. */
static void
content_failed(struct connection *c, const char *text)
{
	struct remote *r = c->remote;
	struct job *job = c->job;
	struct relay_result why = {
	    .outcome = DELIVERY_DEFERRED,
	    .enhanced = {4, 3, 0},
	    .text = span_str(text)
        };

	connection_take_job(c);
	connection_break(c);
	job->n_later = job->n_covered = 0;
	buf_reset(&job->pending);
	job->n_tries = job->next_try;
	job_next(r, job, &why, false);
}

static bool
content_read(struct connection *c, char *at, size_t n)
{
	enum segments_result result =
	    segments_read(&c->remote->segments, c->job->segment,
			  c->job->offset + c->content_at, at, n);

	if (result != SEGMENTS_OK)
		content_failed(c, span_after(span_str(segments_text(result)), 6).at);
	return result == SEGMENTS_OK;
}

bool
piece_give(struct connection *c)
{
	uint64_t left = c->job->content_bytes - c->content_at;
	size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;

	if (!content_read(c, c->remote->piece, n))
		return false;
	c->content_at += n;
	session_content(c->session, span_make(c->remote->piece, n), n == left);
	return true;
}

void
whole_release(struct connection *c)
{
	c->remote->whole_bytes -= c->whole_bytes;
	c->whole_bytes = 0;
	free(c->whole);
	c->whole = NULL;
}

bool
whole_give(struct connection *c)
{
	struct remote *r = c->remote;
	size_t n = (size_t)c->job->content_bytes;

	if (n > WHOLE_BYTES_MAX - r->whole_bytes) {
		content_failed(c, "too many messages are being rewritten at once");
		return false;
	}
	c->whole = memory_new(n > 0 ? n : 1, 1);
	c->whole_bytes = n;
	r->whole_bytes += n;
	if (!content_read(c, c->whole, n))
		return false;
	c->content_at = n;
	session_whole(c->session, span_make(c->whole, n));
	return true;
}
