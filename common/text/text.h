/* common/text/text.h - the door to the text of messages, as a search sees it
 *
 * What    text_fold() makes the form in which two texts that a reader takes for
 *         the same are the same bytes; text_render() makes that of a whole
 *         message; text_find() looks for one in the other. The charsets that
 *         common/mime leaves to its caller are here, too.
 * RFC     [RFC3501 6.4.4] [RFC9051 6.4.4] SEARCH; [RFC2047] [RFC2231] decoded.
 *         docs/search.md has the rule in full: it is what SEARCH answers by.
 * Trust   every byte of a message is a stranger's: no input is refused, none makes
 *         the work more than a few times that of reading it. What is broken is
 *         read as well as it can be.
 * Memory  a renderer and a set of charsets belong to one thread. text_fold() and
 *         text_find() are for any; a table of case, made as it is needed, is shared.
 */
#pragma once

#include "common/base/base.h"

#include "common/text/fold.h"
#include "common/text/find.h"
#include "common/text/charsets.h"
#include "common/text/render.h"
