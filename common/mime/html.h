/* common/mime/html.h - the readable text of HTML
 *
 * No parser of HTML: tags, comments, <style>, <script> and <head> are dropped,
 * the common character references decoded, block tags become a space.
 */
#pragma once

#include "common/base/base.h"

void mime_html_put_text(struct span html, struct buf *out);
