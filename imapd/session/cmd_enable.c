/* ENABLE [RFC5161] [RFC9051 6.3.1] */
#include "imapd/session/inner.h"

static const struct {
	uint32_t bit;
	const char *name;
} rows[] = {
    {IMAP_ENABLE_CONDSTORE, " CONDSTORE"  },
    {IMAP_ENABLE_QRESYNC,   " QRESYNC"    },
    {IMAP_ENABLE_UTF8,      " UTF8=ACCEPT"},
    {IMAP_ENABLE_REV2,      " IMAP4rev2"  },
};

enum run
run_enable(struct session *s, struct step *step)
{
	uint32_t wanted = s->command.enable, before = s->enabled;

	if (wanted & IMAP_ENABLE_QRESYNC)
		wanted |= IMAP_ENABLE_CONDSTORE; /* [RFC7162 3.2.3] */
	buf_put_str(step->out, "* ENABLED");
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (wanted & ~before & rows[i].bit)
			buf_put_str(step->out, rows[i].name);
	buf_put_str(step->out, "\r\n");
	if (wanted & IMAP_ENABLE_CONDSTORE)
		session_condstore(s, step->out);
	s->enabled |= wanted;
	return done_ok(s);
}
