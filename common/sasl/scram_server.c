#include "common/sasl/internal.h"

/* One `k=value` attribute off the front of *rest, up to a comma or the end.
 * False when the next attribute is another one. [RFC5802 5.1] */
static bool
take_attribute(struct span *rest, char key, struct span *value)
{
	struct span all = *rest, one = span_cut(&all, ',');

	if (one.n < 2 || one.at[0] != key || one.at[1] != '=')
		return false;
	*value = span_after(one, 2);
	*rest = all;
	return true;
}

/* saslname: "=2C" is a comma, "=3D" an equals sign, no other "=". */
static bool
decode_saslname(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		struct span rest = span_after(text, i);

		if (text.at[i] != '=') {
			buf_put_char(out, text.at[i]);
			continue;
		}
		if (!span_starts(rest, SPAN("=2C")) && !span_starts(rest, SPAN("=3D")))
			return false;
		buf_put_char(out, rest.at[1] == '2' ? ',' : '=');
		i += 2;
	}
	return !out->full && out->n > 0;
}

/* printable: %x21-2B / %x2D-7E */
static bool
is_nonce(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.at[i] < 0x21 || s.at[i] > 0x7e || s.at[i] == ',')
			return false;
	return s.n > 0;
}

static bool
find_binding(struct sasl *s, struct span type)
{
	for (size_t i = 0; i < s->n_bound; i++) {
		if (!span_equal(type, span_str(s->bound[i].type)))
			continue;
		s->bound_used = (int)i;
		return true;
	}
	return false;
}

/* [RFC5802 6] A client that could bind but believes we cannot ("y"), although
 * we offered it, has been lied to on the way. */
static enum sasl_result
check_binding_flag(struct sasl *s, struct span flag)
{
	bool plus = s->mechanism == SASL_SCRAM_SHA_256_PLUS;

	if (span_equal(flag, SPAN("n")))
		return plus ? SASL_DENIED : SASL_CONTINUE;
	if (span_equal(flag, SPAN("y")))
		return plus || s->plus_offered ? SASL_DENIED : SASL_CONTINUE;
	if (!span_starts(flag, SPAN("p=")))
		return SASL_SYNTAX;
	if (!plus || !find_binding(s, span_after(flag, 2)))
		return SASL_DENIED;
	return SASL_CONTINUE;
}

/* gs2-header: flag "," ["a=" authzid] ","; *in is left at client-first-bare. */
static enum sasl_result
take_gs2_header(struct sasl *s, struct span *in, struct buf *authzid)
{
	struct span whole = *in, flag, authz;
	enum sasl_result r;

	if (span_find(*in, ',') == in->n)
		return SASL_SYNTAX;
	flag = span_cut(in, ',');
	if (span_find(*in, ',') == in->n)
		return SASL_SYNTAX;
	authz = span_cut(in, ',');
	if (authz.n > 0 && (!span_starts(authz, SPAN("a=")) ||
			    !decode_saslname(span_after(authz, 2), authzid)))
		return SASL_SYNTAX;
	r = check_binding_flag(s, flag);
	buf_put(&s->gs2, span_first(whole, whole.n - in->n));
	return r;
}

/* client-first-bare: "n=" name ",r=" nonce ["," extensions]. A mandatory
 * extension "m=" comes first and is refused by not being "n=". */
static bool
take_first_bare(struct sasl *s, struct span bare)
{
	struct span rest = bare, name, nonce;
	struct buf decoded = buf_make(SASL_NAME_MAX);
	struct buf both = buf_make(SASL_NONCE_MAX);
	bool ok;

	ok = take_attribute(&rest, 'n', &name) && take_attribute(&rest, 'r', &nonce) &&
	     decode_saslname(name, &decoded) && is_nonce(nonce) &&
	     sasl_take_name(s, buf_span(&decoded));
	if (ok) {
		buf_put(&both, nonce);
		buf_put(&both, buf_span(&s->nonce));
		ok = !both.full;
	}
	buf_release(&s->nonce);
	s->nonce = both;
	buf_put(&s->auth_message, bare);
	buf_release(&decoded);
	return ok;
}

static enum sasl_result
run_first(struct sasl *s, struct span in)
{
	struct buf authzid = buf_make(SASL_NAME_MAX);
	enum sasl_result r = take_gs2_header(s, &in, &authzid);

	if (r == SASL_CONTINUE && !take_first_bare(s, in))
		r = SASL_SYNTAX;
	if (r == SASL_CONTINUE && !sasl_authzid_allowed(s, buf_span(&authzid)))
		r = SASL_DENIED;
	buf_release(&authzid);
	if (r != SASL_CONTINUE)
		return sasl_end(s, r);
	sasl_enter(s, SASL_STATE_KEYS);
	return SASL_LOOKUP;
}

enum sasl_result
sasl_keys(struct sasl *s, const struct scram_keys *keys, bool known, struct buf *out)
{
	buf_reset(out);
	if (s->state != SASL_STATE_KEYS || keys->salt_bytes > SCRAM_SALT_MAX)
		return sasl_end(s, SASL_SYNTAX);
	s->keys = *keys;
	s->known = known;
	buf_put_str(out, "r=");
	buf_put(out, buf_span(&s->nonce));
	buf_put_str(out, ",s=");
	base64_put(out, span_make(keys->salt, keys->salt_bytes));
	buf_putf(out, ",i=%u", keys->iterations);
	buf_put_char(&s->auth_message, ',');
	buf_put(&s->auth_message, buf_span(out));
	if (out->full || s->auth_message.full)
		return sasl_end(s, SASL_SYNTAX);
	sasl_enter(s, SASL_STATE_PROOF);
	return SASL_CONTINUE;
}

/* "c=" must repeat the gs2-header and hold the channel's own data. */
static bool
channel_matches(const struct sasl *s, struct span text)
{
	struct buf want = buf_make((size_t)2 * SASL_MESSAGE_MAX);
	struct buf got = buf_make(SASL_MESSAGE_MAX);
	bool ok;

	buf_put(&want, buf_span(&s->gs2));
	if (s->bound_used >= 0) {
		const struct sasl_bound *b = &s->bound[s->bound_used];

		buf_put(&want, span_make(b->data, b->bytes));
	}
	ok = base64_parse(text, &got) && got.n == want.n &&
	     scram_equal(got.at, want.at, want.n);
	buf_release(&want);
	buf_release(&got);
	return ok;
}

static bool
parse_proof(struct span text, uint8_t out[SCRAM_KEY_BYTES])
{
	struct buf bytes = buf_make(SCRAM_KEY_BYTES);
	bool ok = base64_parse(text, &bytes) && bytes.n == SCRAM_KEY_BYTES;

	if (ok)
		memcpy(out, bytes.at, SCRAM_KEY_BYTES);
	buf_release(&bytes);
	return ok;
}

static enum sasl_result
check_proof(struct sasl *s, struct span without_proof, const uint8_t *proof,
	    struct buf *out)
{
	uint8_t signature[SCRAM_KEY_BYTES];
	bool right;

	buf_put_char(&s->auth_message, ',');
	buf_put(&s->auth_message, without_proof);
	if (s->auth_message.full)
		return sasl_end(s, SASL_SYNTAX);
	right =
	    scram_proof_check(&s->keys, buf_span(&s->auth_message), proof, signature);
	if (!(right & s->known))
		return sasl_end(s, SASL_DENIED);
	buf_put_str(out, "v=");
	base64_put(out, span_make(signature, sizeof(signature)));
	if (out->full)
		return sasl_end(s, SASL_SYNTAX);
	sasl_enter(s, SASL_STATE_LAST);
	return SASL_CONTINUE;
}

/* client-final: "c=" channel ",r=" nonce ["," extensions] ",p=" proof */
static enum sasl_result
run_final(struct sasl *s, struct span in, struct buf *out)
{
	size_t end = span_find_last(in, ',');
	struct span without_proof = span_first(in, end), rest = without_proof;
	struct span proof_text = span_after(in, end + 1), channel, nonce;
	uint8_t proof[SCRAM_KEY_BYTES];

	if (end == in.n || !take_attribute(&rest, 'c', &channel) ||
	    !take_attribute(&rest, 'r', &nonce) ||
	    !span_starts(proof_text, SPAN("p=")) ||
	    !parse_proof(span_after(proof_text, 2), proof))
		return sasl_end(s, SASL_SYNTAX);
	if (!span_equal(nonce, buf_span(&s->nonce)) || !channel_matches(s, channel))
		return sasl_end(s, SASL_DENIED);
	return check_proof(s, without_proof, proof, out);
}

enum sasl_result
sasl_scram_step(struct sasl *s, struct span in, struct buf *out)
{
	switch (s->state) {
	case SASL_STATE_FIRST:
		return run_first(s, in);
	case SASL_STATE_PROOF:
		return run_final(s, in, out);
	case SASL_STATE_LAST:
		return sasl_end(s, in.n == 0 ? SASL_DONE : SASL_SYNTAX);
	default:
		return sasl_end(s, SASL_SYNTAX);
	}
}
