#include "common/front/certificate.h"
#include "common/proc/proc.h"

#define PEM_MAX          (1u << 20)
#define TICKET_KEYS_MS   (6u * 3600 * 1000)
#define EXPIRY_WARNING_S (14 * 86400)

void
certificate_init(struct certificate *c)
{
	*c = (struct certificate){0};
	buf_init(&c->chain, PEM_MAX);
	buf_init(&c->key, PEM_MAX);
}

static void
wipe(struct buf *b)
{
	if (b->at)
		explicit_bzero(b->at, b->size);
	buf_release(b);
}

static void
use(struct certificate *c, struct tls_context *fresh)
{
	int64_t left_s =
	    tls_context_expires(fresh) - (int64_t)(proc_now_us() / 1000000);

	logline(left_s < EXPIRY_WARNING_S ? LOGLINE_WARNING : LOGLINE_INFO,
		"tls.certificate", L_I64("days_left", left_s / 86400));
	tls_context_free(&c->tls);
	c->tls = fresh;
	c->tickets_ms = proc_ticks_ms();
}

bool
certificate_take(struct certificate *c, struct span name, int fd)
{
	struct buf *out = span_equal(name, SPAN("tls.key")) ? &c->key : &c->chain;
	struct tls_context *fresh = NULL;
	struct err err = {0};
	bool good;

	wipe(out);
	if (proc_read_fd(fd, out, &err) != 0) {
		logline(LOGLINE_ERROR, "tls.certificate.unread", L_SPAN("file", name),
			L_ERR(&err));
		return false;
	}
	if (c->key.n == 0 || c->chain.n == 0)
		return false;
	good =
	    tls_context_new(buf_span(&c->chain), buf_span(&c->key), &fresh, &err) == 0;
	if (good)
		use(c, fresh);
	else
		logline(LOGLINE_ERROR, "tls.certificate.bad", L_ERR(&err));
	wipe(&c->chain);
	wipe(&c->key);
	return good;
}

void
certificate_forget(struct certificate *c)
{
	if (!c->tls)
		return;
	logline(LOGLINE_WARNING, "tls.certificate.none");
	tls_context_free(&c->tls);
}

void
certificate_turn(struct certificate *c)
{
	if (!c->tls || proc_ticks_ms() - c->tickets_ms < TICKET_KEYS_MS)
		return;
	tls_context_rotate(c->tls);
	c->tickets_ms = proc_ticks_ms();
}
