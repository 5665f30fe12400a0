/* common/mime/html.h - the readable text of HTML
 *
 * No parser of HTML: tags, comments, <style>, <script> and <head> are dropped,
 * the character references of HTML 4.01 decoded, block tags become a space.
 */
#pragma once

#include "common/base/base.h"

void mime_html_put_text(struct span html, struct buf *out);

/* What "eacute" (a reference without its & and ;) stands for; 0 when it is no name of
 * HTML 4.01. */
MUST_USE uint32_t mime_html_code(struct span name);
