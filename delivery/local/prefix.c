/* the header lines that a delivery adds for its recipient */
#include "delivery/local/local.h"

/* An address as a header can hold it: no CR, LF or NUL, whatever came by ipc. */
static void
address_put(struct span address, struct buf *out)
{
	for (size_t i = 0; i < address.n; i++) {
		unsigned char c = (unsigned char)address.at[i];

		buf_put_char(out, c < 0x20 || c == 0x7f ? '?' : address.at[i]);
	}
}

/* [RFC5321 4.4] the Return-Path line; Delivered-To is what Postfix and qmail add,
 * and what tells a loop. */
void
prefix_put(const struct job *job, struct buf *out)
{
	buf_put_str(out, "Return-Path: <");
	address_put(job->sender, out);
	buf_put_str(out, ">\r\nDelivered-To: ");
	address_put(job->recipient, out);
	buf_put_str(out, "\r\n");
}
