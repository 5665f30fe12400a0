#include "common/sasl/internal.h"

static const struct mechanism {
	const char *name;
	bool bares_password;
	enum sasl_result (*step)(struct sasl *, struct span, struct buf *);
	const char *prompt;
} mechanisms[SASL_MECHANISMS] = {
    [SASL_PLAIN] = {"PLAIN",              true,  sasl_plain_step, ""         },
    [SASL_LOGIN] = {"LOGIN",              true,  sasl_login_step, "Username:"},
    [SASL_SCRAM_SHA_256] = {"SCRAM-SHA-256",      false, sasl_scram_step, ""         },
    [SASL_SCRAM_SHA_256_PLUS] = {"SCRAM-SHA-256-PLUS", false, sasl_scram_step, ""         },
};

bool
sasl_mechanism_find(struct span name, enum sasl_mechanism *out)
{
	for (size_t i = 0; i < N_ELEMS(mechanisms); i++) {
		if (!span_equal_nocase(name, span_str(mechanisms[i].name)))
			continue;
		*out = (enum sasl_mechanism)i;
		return true;
	}
	return false;
}

const char *
sasl_mechanism_name(enum sasl_mechanism m)
{
	return mechanisms[m].name;
}

bool
sasl_mechanism_bares(enum sasl_mechanism m)
{
	return mechanisms[m].bares_password;
}

static void
bind_channels(struct sasl *s, const struct sasl_offer *offer)
{
	for (size_t i = 0; i < offer->n_bindings && s->n_bound < N_ELEMS(s->bound);
	     i++) {
		const struct sasl_binding *b = &offer->bindings[i];
		struct sasl_bound *bound = &s->bound[s->n_bound];

		if (b->data.n == 0 || b->data.n > sizeof(bound->data) ||
		    !span_copy(b->type, bound->type, sizeof(bound->type)))
			continue;
		memcpy(bound->data, b->data.at, b->data.n);
		bound->bytes = b->data.n;
		s->n_bound++;
	}
}

void
sasl_init(struct sasl *s, enum sasl_mechanism m, const struct sasl_offer *offer)
{
	*s = (struct sasl){
	    .mechanism = m,
	    .state = SASL_STATE_FIRST,
	    .plus_offered = offer->plus_offered,
	    .bound_used = -1,
	    .nonce = buf_make(SASL_NONCE_MAX),
	    .gs2 = buf_make(SASL_MESSAGE_MAX),
	    .auth_message = buf_make((size_t)4 * SASL_MESSAGE_MAX),
	};
	buf_put(&s->nonce, offer->nonce);
	bind_channels(s, offer);
}

void
sasl_release(struct sasl *s)
{
	buf_release(&s->nonce);
	buf_release(&s->gs2);
	buf_release(&s->auth_message);
	explicit_bzero(s, sizeof(*s));
	s->state = SASL_STATE_OVER;
}

void
sasl_enter(struct sasl *s, enum sasl_state to)
{
	if (to == SASL_STATE_OVER || to == SASL_STATE_LAST)
		explicit_bzero(&s->keys, sizeof(s->keys));
	s->state = to;
}

enum sasl_result
sasl_end(struct sasl *s, enum sasl_result result)
{
	if (result != SASL_VERIFY)
		explicit_bzero(s->password, sizeof(s->password));
	sasl_enter(s, SASL_STATE_OVER);
	return result;
}

void
sasl_prompt(const struct sasl *s, struct buf *out)
{
	buf_reset(out);
	buf_put_str(out, mechanisms[s->mechanism].prompt);
}

enum sasl_result
sasl_step(struct sasl *s, struct span message, struct buf *out)
{
	buf_reset(out);
	if (s->state == SASL_STATE_OVER || s->state == SASL_STATE_KEYS ||
	    message.n > SASL_MESSAGE_MAX)
		return sasl_end(s, SASL_SYNTAX);
	return mechanisms[s->mechanism].step(s, message, out);
}

/* Prepares text straight into one of the fixed fields. */
static bool
take_text(struct span text, char *at, size_t size, size_t *n)
{
	struct buf prepared = buf_make(size);
	bool ok = sasl_prepare(text, &prepared);

	if (ok) {
		memcpy(at, prepared.at, prepared.n);
		*n = prepared.n;
		explicit_bzero(prepared.at, prepared.n);
	}
	buf_release(&prepared);
	return ok;
}

bool
sasl_take_name(struct sasl *s, struct span text)
{
	return take_text(text, s->name, sizeof(s->name), &s->name_bytes);
}

bool
sasl_take_password(struct sasl *s, struct span text)
{
	return take_text(text, s->password, sizeof(s->password), &s->password_bytes);
}

bool
sasl_authzid_allowed(const struct sasl *s, struct span authzid)
{
	struct buf prepared = buf_make(SASL_NAME_MAX);
	bool ok;

	if (authzid.n == 0)
		return true;
	ok = sasl_prepare(authzid, &prepared) &&
	     span_equal_nocase(buf_span(&prepared), sasl_name(s));
	buf_release(&prepared);
	return ok;
}

struct span
sasl_name(const struct sasl *s)
{
	return span_make(s->name, s->name_bytes);
}

struct span
sasl_password(const struct sasl *s)
{
	return span_make(s->password, s->password_bytes);
}
