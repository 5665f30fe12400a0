/* authd/access_action.c - what an access table said, done */
#include "authd/access.h"

static void
reply_put(struct buf *out, const struct table_action *action)
{
	buf_reset(out);
	buf_putf(out, "%u %s ", action->code, action->status);
	buf_put(out, action->text);
}

void
access_refuse(struct access *x, const struct table_action *action)
{
	reply_put(&x->reply, action);
}

/* What is said by more than the outcome; once, though the question may run again. */
static void
tell(struct access *x, const char *table, struct span key, struct span value,
     const struct ipc_resolve *m, enum table_action_kind kind)
{
	if (kind == ACTION_OK || kind == ACTION_DUNNO || x->n_actions++ < x->n_told)
		return;
	x->n_told = x->n_actions;
	logline(kind == ACTION_WARN ? LOGLINE_WARNING : LOGLINE_INFO, "access.action",
		L_STR("table", table), L_SPAN("key", key), L_SPAN("action", value),
		L_SPAN("from", m->sender), L_SPAN("rcpt", m->address));
}

static enum access_verdict
demand(struct access *x, enum demand_kind kind, struct span text, struct err *err)
{
	struct demand d = {.kind = kind, .text = text};

	demand_put(&x->demands, &d);
	if (x->demands.full)
		return (enum access_verdict)err_set(
		    err, "access tables want too much of one message");
	return ACCESS_NOTHING;
}

static enum access_verdict
perform(struct access *x, const struct table_action *action, bool *over,
	struct err *err)
{
	switch (action->kind) {
	case ACTION_OK:
		*over = true;
		break;
	case ACTION_REFUSE:
		access_refuse(x, action);
		return ACCESS_REFUSED;
	case ACTION_DISCARD:
		return ACCESS_DISCARD;
	case ACTION_HOLD:
		return demand(x, DEMAND_HOLD, SPAN(""), err);
	case ACTION_REDIRECT:
		return demand(x, DEMAND_REDIRECT, action->text, err);
	case ACTION_BCC:
		return demand(x, DEMAND_BCC, action->text, err);
	case ACTION_PREPEND:
		return demand(x, DEMAND_PREPEND, action->text, err);
	case ACTION_DEFER_IF_PERMIT:
		reply_put(&x->if_permit, action);
		break;
	case ACTION_DEFER_IF_REJECT:
		reply_put(&x->if_reject, action);
		break;
	case ACTION_DUNNO:
	case ACTION_WARN:
	case ACTION_INFO:
		break;
	}
	return ACCESS_NOTHING;
}

enum access_verdict
access_act(struct access *x, const char *table, struct span key, struct span value,
	   const struct ipc_resolve *m, bool *over, struct err *err)
{
	struct table_action action;
	const char *wrong = table_action_parse(value, &action);

	if (wrong)
		return (enum access_verdict)err_set(
		    err, "table \"%.60s\": \"%.*s\" %s", table,
		    (int)(value.n < 60 ? value.n : 60), value.at, wrong);
	tell(x, table, key, value, m, action.kind);
	return perform(x, &action, over, err);
}

/* Would it be refused for good? */
static bool
is_permanent(const struct ipc_resolved *m)
{
	switch ((enum resolve_outcome)m->outcome) {
	case RESOLVE_OK:
	case RESOLVE_DISCARD:
	case RESOLVE_LATER:
		return false;
	case RESOLVE_REFUSED:
		return m->text.n > 0 && m->text.at[0] == '5';
	default:
		return true;
	}
}

void
access_settle(const struct access *x, struct ipc_resolved *m)
{
	const struct buf *put_off = NULL;

	if (is_permanent(m))
		put_off = &x->if_reject;
	else if (m->outcome == RESOLVE_OK || m->outcome == RESOLVE_DISCARD)
		put_off = &x->if_permit;
	if (put_off && put_off->n > 0) {
		m->outcome = RESOLVE_REFUSED;
		m->targets = (struct span){0};
		m->text = buf_span(put_off);
	}
	if (m->outcome == RESOLVE_OK)
		m->demands = buf_span(&x->demands);
}
