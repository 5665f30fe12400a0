/* STATUS, and what others need of it */
#include "imapd/session/inner.h"

void
put_mailbox_id(const struct store_mailbox *box, struct buf *out)
{
	buf_putf(out, "F%lu-%lu", (unsigned long)box->id,
		 (unsigned long)box->uidvalidity);
}

/* What only a look at the messages tells. */
struct counts {
	uint64_t recent, deleted, deleted_bytes;
};

#define COUNTED (IMAP_STATUS_DELETED | IMAP_STATUS_DELETED_STORAGE)

static struct counts
count(const struct session *s, const struct store_mailbox *box, uint32_t items)
{
	const struct store_account *mail = s->account->mail;
	uint32_t shown = account_shown(s->account, box->id);
	uint32_t from = items & COUNTED ? 1 : shown;
	const struct store_record *r;
	struct counts c = {0};

	if (!(items & (COUNTED | IMAP_STATUS_RECENT)))
		return c;
	for (r = store_find_from(mail, box->id, from); r; r = store_next(mail, r)) {
		c.recent += r->uid >= shown;
		if (!(r->flags & STORE_DELETED))
			continue;
		c.deleted++;
		c.deleted_bytes += store_record_size(r);
	}
	return c;
}

static void
put_item(struct buf *out, const char *name, uint64_t value)
{
	buf_put_str(out, name);
	imap_put_number(out, value);
}

void
put_status(struct session *s, uint32_t mailbox, uint32_t items, struct buf *out)
{
	struct store_mailbox box;
	struct counts c;
	size_t start;

	if (!store_mailbox_get(s->account->mail, mailbox, &box))
		return;
	c = count(s, &box, items);
	const struct {
		uint32_t item;
		const char *name;
		uint64_t value;
	} rows[] = {
	    {IMAP_STATUS_MESSAGES,        " MESSAGES ",        box.messages   },
	    {IMAP_STATUS_RECENT,          " RECENT ",          c.recent       },
	    {IMAP_STATUS_UIDNEXT,         " UIDNEXT ",         box.uidnext    },
	    {IMAP_STATUS_UIDVALIDITY,     " UIDVALIDITY ",     box.uidvalidity},
	    {IMAP_STATUS_UNSEEN,          " UNSEEN ",          box.unseen     },
	    {IMAP_STATUS_DELETED,         " DELETED ",         c.deleted      },
	    {IMAP_STATUS_SIZE,            " SIZE ",            box.bytes      },
	    {IMAP_STATUS_HIGHESTMODSEQ,   " HIGHESTMODSEQ ",   box.modseq     },
	    {IMAP_STATUS_APPENDLIMIT,     " APPENDLIMIT ",
	     s->policy->limits.message_bytes_max                              },
	    {IMAP_STATUS_DELETED_STORAGE, " DELETED-STORAGE ",
	     (c.deleted_bytes + 1023) / 1024                                  },
	};

	buf_put_str(out, "* STATUS ");
	imap_put_name(out, box.name, session_utf8(s));
	buf_put_str(out, " (");
	start = out->n;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (items & rows[i].item)
			put_item(out, rows[i].name + (out->n == start), rows[i].value);
	if (items & IMAP_STATUS_MAILBOXID) {
		buf_put_str(out, out->n == start ? "MAILBOXID (" : " MAILBOXID (");
		put_mailbox_id(&box, out);
		buf_put_char(out, ')');
	}
	buf_put_str(out, ")\r\n");
}

enum run
run_status(struct session *s, struct step *step)
{
	const struct imap_status *status = &s->command.status;
	uint32_t id = session_mailbox(s, status->mailbox);

	if (id == 0)
		return done_no(s, "NONEXISTENT", "There is no such mailbox");
	if (status->items & IMAP_STATUS_HIGHESTMODSEQ)
		session_condstore(s, step->out);
	put_status(s, id, status->items, step->out);
	return done_ok(s);
}
