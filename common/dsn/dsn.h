/* common/dsn/dsn.h - the door: reports about the delivery of a message
 *
 * What    request.h is how qmgr asks bounce for a report: an envelope's words and a
 *         row for each recipient; compose.h writes the report, template.h has its
 *         texts. put.h has what any message that Postroad writes is made with.
 * RFC     [RFC3461] what a sender may ask for. [RFC3464] [RFC6522] the report.
 *         [RFC6533] addresses in UTF-8.
 * Trust   pure: no I/O, no clock. Every text in a request is a stranger's: an
 *         address, a server's reply.
 * Memory  parsed spans point into the input; templates own their file's text.
 */
#pragma once

#include "common/base/base.h"

#include "common/dsn/compose.h"
#include "common/dsn/put.h"
#include "common/dsn/request.h"
#include "common/dsn/template.h"
