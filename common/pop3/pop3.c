#include "common/pop3/pop3.h"

struct span
pop3_word(struct span *line)
{
	return span_cut(line, ' ');
}

void
pop3_put_capabilities(const struct pop3_offer *offer, struct buf *out)
{
	buf_put_str(out, "+OK Capability list follows\r\n"
			 "TOP\r\n"
			 "UIDL\r\n"
			 "RESP-CODES\r\n"
			 "AUTH-RESP-CODE\r\n"
			 "PIPELINING\r\n"
			 "EXPIRE NEVER\r\n"
			 "LANG\r\n");
	/* [RFC6856 2.1]: with USER, names and passwords may be UTF-8. */
	buf_put_str(out, offer->user ? "UTF8 USER\r\nUSER\r\n" : "UTF8\r\n");
	if (offer->mechanisms.n > 0) {
		buf_put_str(out, "SASL ");
		buf_put(out, offer->mechanisms);
		buf_put_str(out, "\r\n");
	}
	if (offer->stls)
		buf_put_str(out, "STLS\r\n");
	buf_put_str(out, "IMPLEMENTATION Postroad\r\n.\r\n");
}

void
pop3_put_language(struct span args, struct buf *out)
{
	if (args.n == 0)
		buf_put_str(out, "+OK Language listing follows\r\n"
				 "i-default English\r\n"
				 "en English\r\n"
				 ".\r\n");
	else if (span_equal(args, SPAN("*")) ||
		 span_equal_nocase(args, SPAN("i-default")))
		buf_put_str(out, "+OK i-default English it is\r\n");
	else if (span_equal_nocase(args, SPAN("en")))
		buf_put_str(out, "+OK en English it is\r\n");
	else
		buf_put_str(out, "-ERR there is English only\r\n");
}
