/* common/mime/mime.h - the door to everything that reads inside a message
 *
 * What    header fields, MIME structure, addresses, dates, encoded words and
 *         transfer encodings; and mime_summarize(), which makes in one pass over
 *         a message all that the store keeps so that it is never parsed again.
 * RFC     [RFC5322] messages, [RFC2045] [RFC2046] MIME, [RFC2047] encoded words,
 *         [RFC2231] parameters, [RFC3501 7.4.2] [RFC9051 7.5.2] ENVELOPE and
 *         BODYSTRUCTURE, [RFC5256] sort and thread keys, [RFC8970] preview.
 * Trust   every input byte is a stranger's: nothing here asserts on one, and no
 *         message is refused. What is broken or beyond a limit is kept as it is
 *         and shown as something opaque.
 * Lines   end in CRLF. A bare CR never ends a line; a bare LF does only in a
 *         message whose very first line ends in one, which can only have come
 *         from a file or an APPEND, never over SMTP.
 * Memory  pure: no I/O, no clock. Spans that come out point into what went in, or
 *         into memory of the struct mime_parser until its next message.
 */
#pragma once

#include "common/base/base.h"

#include "common/mime/header.h"
#include "common/mime/trace.h"
#include "common/mime/charset.h"
#include "common/mime/transfer.h"
#include "common/mime/word.h"
#include "common/mime/date.h"
#include "common/mime/address.h"
#include "common/mime/msgid.h"
#include "common/mime/subject.h"
#include "common/mime/content.h"
#include "common/mime/structure.h"
#include "common/mime/downgrade.h"
#include "common/mime/imap_text.h"
#include "common/mime/imap_envelope.h"
#include "common/mime/imap_structure.h"
#include "common/mime/html.h"
#include "common/mime/preview.h"
#include "common/mime/summary.h"
