/* what this server can do, as it is told after the login */
#include "imapd/session/inner.h"

static const char always[] =
    "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE CHILDREN UIDPLUS "
    "UNSELECT MOVE SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS CONDSTORE "
    "QRESYNC ESEARCH SEARCHRES WITHIN SORT SORT=DISPLAY ESORT THREAD=REFERENCES "
    "THREAD=ORDEREDSUBJECT BINARY MULTIAPPEND UTF8=ACCEPT QUOTA QUOTA=RES-STORAGE "
    "QUOTA=RES-MESSAGE STATUS=SIZE OBJECTID SAVEDATE PREVIEW REPLACE PARTIAL "
    "INPROGRESS APPENDLIMIT=";

void
put_capabilities(const struct session *s, struct buf *out)
{
	buf_put_str(out, always);
	imap_put_number(out, s->policy->limits.message_bytes_max);
	if (s->policy->compress && !s->compressed)
		buf_put_str(out, " COMPRESS=DEFLATE");
}
