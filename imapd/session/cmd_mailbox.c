/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE */
#include "imapd/session/inner.h"

#define LEVELS_MAX 64

/* Without the '/' that may end the name of one that is to have children
 * [RFC9051 6.3.4]. */
static struct span
name_trim(struct span name)
{
	if (name.n > 1 && name.at[name.n - 1] == '/')
		name.n--;
	return name;
}

/* Levels are not empty, nor too many. */
static bool
name_good(struct span name)
{
	size_t levels = 0;

	if (name.n == 0 || name.at[name.n - 1] == '/')
		return false;
	while (name.n > 0)
		if (span_cut(&name, '/').n == 0 || ++levels > LEVELS_MAX)
			return false;
	return true;
}

static enum run
refuse_name(struct session *s)
{
	return done_no(s, "CANNOT", "A mailbox cannot have that name");
}

/* Of the bits a client gave; false for more than one, or one that needs a view on
 * other mailboxes [RFC6154 3]. */
static bool
use_of(const struct imap_create *create, enum store_special_use *use)
{
	uint32_t bits = create->special_use;
	uint32_t virtual = 1u << STORE_USE_ALL | 1u << STORE_USE_FLAGGED;

	*use = STORE_USE_NONE;
	if (create->special_use_bad || (bits & virtual) || (bits & (bits - 1)))
		return false;
	if (bits != 0)
		*use = (enum store_special_use)__builtin_ctz(bits);
	return true;
}

enum run
run_create(struct session *s, struct step *step)
{
	const struct imap_create *create = &s->command.create;
	struct span name = name_trim(create->mailbox);
	enum store_special_use use;
	enum store_result result;
	struct store_mailbox box;
	struct err err = {0};
	uint32_t id;

	if (!name_good(name))
		return refuse_name(s);
	if (!use_of(create, &use))
		return done_no(s, "USEATTR", "That use is not for a mailbox made here");
	result =
	    store_mailbox_create(s->account->mail, name, use, step->now_us, &id, &err);
	if (result != STORE_OK)
		return done_store(s, result, "create", &err);
	if (store_mailbox_get(s->account->mail, id, &box)) {
		buf_put_str(&s->result.code, "MAILBOXID (");
		put_mailbox_id(&box, &s->result.code);
		buf_put_char(&s->result.code, ')');
	}
	return done_ok_durable(s);
}

enum run
run_delete(struct session *s, struct step *step)
{
	uint32_t id = session_mailbox(s, s->command.mailbox);
	enum store_result result;
	struct err err = {0};

	if (id == 0)
		return done_no(s, "NONEXISTENT", "There is no such mailbox");
	if (id == STORE_INBOX)
		return done_no(s, "CANNOT", "INBOX cannot be deleted");
	result = store_mailbox_delete(s->account->mail, id, step->now_us, &err);
	if (result != STORE_OK)
		return done_store(s, result, "delete", &err);
	if (s->view.mailbox == id) {
		session_deselect(s);
		buf_put_str(step->out, "* OK [CLOSED] The mailbox is deleted\r\n");
	}
	return done_ok_durable(s);
}

enum run
run_rename(struct session *s, struct step *step)
{
	const struct imap_rename *rename = &s->command.rename;
	uint32_t id = session_mailbox(s, rename->from);
	struct span to = name_trim(rename->to);
	enum store_result result;
	struct store_mailbox box;
	struct err err = {0};

	if (id == 0)
		return done_no(s, "NONEXISTENT", "There is no such mailbox");
	if (!name_good(to))
		return refuse_name(s);
	result = store_mailbox_rename(s->account->mail, id, to, step->now_us, &err);
	if (result == STORE_LIMIT)
		return refuse_name(s);
	if (result != STORE_OK)
		return done_store(s, result, "rename", &err);
	if ((s->enabled & IMAP_ENABLE_REV2) &&
	    store_mailbox_get(s->account->mail, session_mailbox(s, to), &box))
		put_list_renamed(s, &box, rename->from, step->out);
	return done_ok_durable(s);
}

/* With a mailbox of that name or without [RFC9051 6.3.7]. */
enum run
run_subscribe(struct session *s, struct step *step)
{
	bool subscribe = s->command.id == IMAP_SUBSCRIBE;
	enum store_result result;
	struct err err = {0};

	result = store_subscribe(s->account->mail, name_trim(s->command.mailbox),
				 subscribe, step->now_us, &err);
	if (result != STORE_OK)
		return done_store(s, result, "subscribe", &err);
	return done_ok_durable(s);
}
