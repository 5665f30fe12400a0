#include "pop3d/session/send.h"

void
pop3_send_init(struct pop3_send *p, uint64_t lines)
{
	*p = (struct pop3_send){.lines_left = lines};
}

/* A CRLF was just put; the empty line ends the header. */
static void
line_over(struct pop3_send *p)
{
	if (!p->in_body)
		p->in_body = p->line_bytes == 2;
	else if (p->lines_left != POP3_ALL_LINES)
		p->lines_left--;
	p->done = p->in_body && p->lines_left == 0;
	p->line_bytes = 0;
}

/* The bytes up to the next LF, with it, or all of them. */
static void
put_line(struct pop3_send *p, struct span *rest, struct buf *out)
{
	size_t lf = span_find(*rest, '\n');
	struct span part = span_first(*rest, lf + 1);
	bool ends = lf < rest->n && (lf > 0 ? part.at[lf - 1] == '\r' : p->cr_last);

	if (p->line_bytes == 0 && part.at[0] == '.')
		buf_put_char(out, '.');
	buf_put(out, part);
	*rest = span_after(*rest, part.n);
	p->line_bytes += part.n;
	p->cr_last = part.at[part.n - 1] == '\r';
	if (ends)
		line_over(p);
}

void
pop3_send_bytes(struct pop3_send *p, struct span bytes, struct buf *out)
{
	struct span rest = bytes;

	while (rest.n > 0 && !p->done)
		put_line(p, &rest, out);
}

void
pop3_send_end(struct pop3_send *p, struct buf *out)
{
	buf_put_str(out, p->line_bytes == 0 ? ".\r\n" : "\r\n.\r\n");
}
