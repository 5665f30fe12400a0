/* common/mime/downgrade.h - an 8-bit message for a server that takes 7 bits only
 *
 * What    every part whose body holds 8-bit bytes becomes quoted-printable, and its
 *         Content-Transfer-Encoding says so; what holds such parts becomes 7bit. A
 *         message without MIME fields gets them. All else stays byte by byte, also
 *         what a header holds that is not ASCII.
 * RFC     [RFC6152 3] [RFC2045 6.7] quoted-printable, [RFC2049 2] [RFC2046 5.2.1].
 * Trust   the message is a stranger's: nothing here asserts on a byte of it.
 * Memory  the places of the parts, and the pieces that a caller takes.
 */
#pragma once

#include "common/mime/structure.h"

struct mime_downgrade;

/* The message stays where it is as long as this lives. Null when it cannot be done:
 * 8-bit bytes stand inside of multipart/signed or multipart/encrypted [RFC1847 2], in
 * a part that must be 7bit, or in an encoding we do not know. */
MUST_USE struct mime_downgrade *mime_downgrade_new(struct span message);
void mime_downgrade_free(struct mime_downgrade **d);

/* Appends the next of the new message, about `bytes` of the old one; it may be four
 * times as much. False when that was the last. */
MUST_USE bool
mime_downgrade_next(struct mime_downgrade *d, size_t bytes, struct buf *out);
