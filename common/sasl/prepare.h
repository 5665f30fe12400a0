/* common/sasl/prepare.h - names and passwords in the one form they are compared in
 *
 * What    a small SASLprep: UTF-8 checked, odd spaces made plain, invisible
 *         characters dropped, NFKC; controls and unassigned uses refused.
 * RFC     [RFC4013 2], with the composed form [RFC8265] also asks for.
 */
#pragma once

#include "common/base/base.h"

/* Appends the prepared form of `text`. False, and nothing appended, when it is
 * empty, is not UTF-8, holds what no name or password may, or `out` is full. */
MUST_USE bool sasl_prepare(struct span text, struct buf *out);
