/* CAPABILITY, NOOP, CHECK, LOGOUT, ID, NAMESPACE, COMPRESS */
#include "imapd/session/inner.h"

enum run
run_capability(struct session *s, struct step *step)
{
	buf_put_str(step->out, "* CAPABILITY ");
	put_capabilities(s, step->out);
	buf_put_str(step->out, "\r\n");
	return done_ok(s);
}

/* All that it is for happens after each command. */
enum run
run_noop(struct session *s, struct step *step)
{
	(void)step;
	return done_ok(s);
}

enum run
run_logout(struct session *s, struct step *step)
{
	buf_put_str(step->out, "* BYE Logging out\r\n");
	session_deselect(s);
	s->state = S_LOGOUT;
	s->reason = "logout";
	return done_ok(s);
}

enum run
run_id(struct session *s, struct step *step)
{
	buf_put_str(step->out, "* ID (\"name\" \"Postroad\")\r\n");
	return done_ok(s);
}

/* One's own mailboxes and no others [RFC2342]. */
enum run
run_namespace(struct session *s, struct step *step)
{
	buf_put_str(step->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	return done_ok(s);
}

enum run
run_compress(struct session *s, struct step *step)
{
	(void)step;
	if (!s->policy->compress)
		return done_bad(s, "Compression is not offered");
	if (s->compressed)
		return done_no(s, "COMPRESSIONACTIVE", "Compression is active already");
	return done_ok_text(s, "Compression begins");
}
