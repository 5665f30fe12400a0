#include "smtpd/smtpd.h"

#define TICKET_KEYS_MS   (6u * 3600 * 1000)
#define EXPIRY_WARNING_S (14 * 86400)

static void
wipe(struct buf *b)
{
	if (b->at)
		explicit_bzero(b->at, b->size);
	buf_release(b);
}

static void
use(struct smtpd *d, struct tls_context *fresh)
{
	int64_t left_s =
	    tls_context_expires(fresh) - (int64_t)(proc_now_us() / 1000000);

	logline(left_s < EXPIRY_WARNING_S ? LOGLINE_WARNING : LOGLINE_INFO,
		"smtp.certificate", L_I64("days_left", left_s / 86400));
	tls_context_free(&d->tls);
	d->tls = fresh;
	d->tickets_ms = proc_ticks_ms();
	settings_apply(d);
}

/* Certificate and key come one after the other; the context is made of both. */
void
certificate_take(struct smtpd *d, struct span name, int fd)
{
	bool is_key = span_equal(name, SPAN("tls.key"));
	struct buf *out = is_key ? &d->key : &d->certificate;
	struct tls_context *fresh = NULL;
	struct err err = {0};

	wipe(out);
	if (proc_read_fd(fd, out, &err) != 0) {
		logline(LOGLINE_ERROR, "smtp.certificate.unread", L_SPAN("file", name),
			L_ERR(&err));
		return;
	}
	if (d->key.n == 0 || d->certificate.n == 0)
		return;
	if (tls_context_new(buf_span(&d->certificate), buf_span(&d->key), &fresh,
			    &err) == 0)
		use(d, fresh);
	else
		logline(LOGLINE_ERROR, "smtp.certificate.bad", L_ERR(&err));
	wipe(&d->certificate);
	wipe(&d->key);
}

void
certificate_turn(struct smtpd *d)
{
	if (!d->tls || proc_ticks_ms() - d->tickets_ms < TICKET_KEYS_MS)
		return;
	tls_context_rotate(d->tls);
	d->tickets_ms = proc_ticks_ms();
}
