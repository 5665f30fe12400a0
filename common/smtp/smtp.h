/* common/smtp/smtp.h - the door of the SMTP grammar both sides share
 *
 * What    paths and addresses, parameters of MAIL and RCPT, xtext, the dot of a
 *         DATA stream, lines that are too long, header fields as they pass and as they
 * are mended, replies as a client reads them. RFC     [RFC5321 4.1] [RFC6531 3.3]
 * [RFC3461 4] [RFC3030] [RFC4954] Trust   pure: no I/O, no clock; allocates nothing but
 * what a caller's buf takes. Every byte is the peer's.
 */
#pragma once

#include "common/base/base.h"
#include "common/smtp/dot.h"
#include "common/smtp/fold.h"
#include "common/smtp/header.h"
#include "common/smtp/mend.h"
#include "common/smtp/param.h"
#include "common/smtp/path.h"
#include "common/smtp/reply.h"
#include "common/smtp/xtext.h"
