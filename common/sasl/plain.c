#include "common/sasl/internal.h"

/* [RFC4616 2] message = [authzid] NUL authcid NUL passwd */
enum sasl_result
sasl_plain_step(struct sasl *s, struct span in, struct buf *out)
{
	size_t first = span_find(in, '\0');
	struct span authzid = span_first(in, first);
	struct span rest = span_after(in, first + 1);
	size_t second = span_find(rest, '\0');
	struct span password = span_after(rest, second + 1);

	(void)out;
	if (first == in.n || second == rest.n ||
	    span_find(password, '\0') != password.n)
		return sasl_end(s, SASL_SYNTAX);
	if (!sasl_take_name(s, span_first(rest, second)) ||
	    !sasl_take_password(s, password))
		return sasl_end(s, SASL_SYNTAX);
	if (!sasl_authzid_allowed(s, authzid))
		return sasl_end(s, SASL_DENIED);
	return sasl_end(s, SASL_VERIFY);
}

/* Two prompts and two answers; written down in no RFC, and used by many. */
enum sasl_result
sasl_login_step(struct sasl *s, struct span in, struct buf *out)
{
	if (s->state == SASL_STATE_FIRST) {
		if (!sasl_take_name(s, in))
			return sasl_end(s, SASL_SYNTAX);
		buf_put_str(out, "Password:");
		sasl_enter(s, SASL_STATE_PASSWORD);
		return SASL_CONTINUE;
	}
	if (!sasl_take_password(s, in))
		return sasl_end(s, SASL_SYNTAX);
	return sasl_end(s, SASL_VERIFY);
}
