/* common/sasl/internal.h - what the mechanisms share; for this room only */
#pragma once

#include "common/sasl/sasl.h"

/* The only place that changes the state; what a finished exchange must not keep
 * is wiped here. */
void sasl_enter(struct sasl *s, enum sasl_state to);

/* Ends the exchange with that result. */
MUST_USE enum sasl_result sasl_end(struct sasl *s, enum sasl_result result);

/* Prepare and keep; false when it is no name or password. */
MUST_USE bool sasl_take_name(struct sasl *s, struct span text);
MUST_USE bool sasl_take_password(struct sasl *s, struct span text);

/* An authorisation identity must be absent or the name itself. */
MUST_USE bool sasl_authzid_allowed(const struct sasl *s, struct span authzid);

MUST_USE enum sasl_result
sasl_plain_step(struct sasl *s, struct span in, struct buf *out);
MUST_USE enum sasl_result
sasl_login_step(struct sasl *s, struct span in, struct buf *out);
MUST_USE enum sasl_result
sasl_scram_step(struct sasl *s, struct span in, struct buf *out);
