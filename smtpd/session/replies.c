#include "smtpd/session/replies.h"

static const struct row {
	unsigned code;
	struct span line;
} rows[] = {
#define ROW(name, code, text) [REPLY_##name] = {code, SPAN(#code " " text)},
    REPLIES(ROW)
#undef ROW
};

unsigned
reply_code(enum reply reply)
{
	return rows[reply].code;
}

void
reply_put(struct buf *out, enum reply reply, struct span added)
{
	buf_put(out, rows[reply].line);
	buf_put(out, added);
	buf_put(out, SPAN("\r\n"));
}

struct span
reply_text(enum reply reply)
{
	return rows[reply].line;
}
