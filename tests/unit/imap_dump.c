#include "tests/unit/imap_dump.h"

#include <inttypes.h>

static void
text(struct buf *out, struct span s)
{
	buf_put_char(out, ' ');
	imap_put_nstring(out, s, true);
}

static void
flag(struct buf *out, bool set, const char *name)
{
	if (set)
		buf_putf(out, " %s", name);
}

static void
set(struct buf *out, const struct imap_set *s)
{
	buf_put_char(out, ' ');
	if (s->saved)
		buf_put_char(out, '$');
	imap_put_ranges(out, s->at, s->n);
}

static void
flags(struct buf *out, const struct imap_flags *f)
{
	buf_put_str(out, " (");
	imap_put_system_flags(out, f->system);
	for (size_t i = 0; i < f->n_keywords; i++)
		text(out, f->keywords[i]);
	buf_put_char(out, ')');
}

static void
select_(struct buf *out, const struct imap_select *s)
{
	text(out, s->mailbox);
	flag(out, s->condstore, "condstore");
	if (s->qresync.uidvalidity == 0)
		return;
	buf_putf(out, " qresync %" PRIu32 " %" PRIu64, s->qresync.uidvalidity,
		 s->qresync.modseq);
	if (s->qresync.known_uids.n > 0)
		set(out, &s->qresync.known_uids);
	if (s->qresync.match_numbers.n == 0)
		return;
	buf_put_str(out, " match");
	set(out, &s->qresync.match_numbers);
	set(out, &s->qresync.match_uids);
}

static void
list(struct buf *out, const struct imap_list *l)
{
	flag(out, l->extended, "extended");
	buf_putf(out, " select=%x", l->select);
	text(out, l->reference);
	for (size_t i = 0; i < l->n_patterns; i++)
		text(out, l->patterns[i]);
	buf_putf(out, " return=%x status=%x", l->returns, l->status_items);
}

/* --- FETCH ---------------------------------------------------------------- */

static const char *const kinds[] = {
    [IMAP_FETCH_UID] = "UID",
    [IMAP_FETCH_FLAGS] = "FLAGS",
    [IMAP_FETCH_INTERNALDATE] = "INTERNALDATE",
    [IMAP_FETCH_RFC822_SIZE] = "RFC822.SIZE",
    [IMAP_FETCH_ENVELOPE] = "ENVELOPE",
    [IMAP_FETCH_BODY] = "BODY",
    [IMAP_FETCH_BODYSTRUCTURE] = "BODYSTRUCTURE",
    [IMAP_FETCH_MODSEQ] = "MODSEQ",
    [IMAP_FETCH_EMAILID] = "EMAILID",
    [IMAP_FETCH_THREADID] = "THREADID",
    [IMAP_FETCH_SAVEDATE] = "SAVEDATE",
    [IMAP_FETCH_PREVIEW] = "PREVIEW",
    [IMAP_FETCH_SECTION] = "SECTION",
    [IMAP_FETCH_BINARY] = "BINARY",
    [IMAP_FETCH_BINARY_SIZE] = "BINARY.SIZE",
    [IMAP_FETCH_RFC822] = "RFC822",
    [IMAP_FETCH_RFC822_HEADER] = "RFC822.HEADER",
    [IMAP_FETCH_RFC822_TEXT] = "RFC822.TEXT",
};

static void
section(struct buf *out, const struct imap_section *s)
{
	buf_put_char(out, '[');
	buf_put(out, s->echo);
	buf_putf(out, "|%d", s->text);
	for (size_t i = 0; i < s->depth; i++)
		buf_putf(out, ".%" PRIu32, s->path[i]);
	for (size_t i = 0; i < s->n_fields; i++)
		text(out, s->fields[i]);
	buf_put_char(out, ']');
}

static void
fetch_item(struct buf *out, const struct imap_fetch_item *item)
{
	buf_putf(out, " %s%s%s", kinds[item->kind], item->peek ? "" : "!",
		 item->lazy ? "(LAZY)" : "");
	if (item->kind == IMAP_FETCH_SECTION || item->kind == IMAP_FETCH_BINARY ||
	    item->kind == IMAP_FETCH_BINARY_SIZE)
		section(out, &item->section);
	if (item->partial)
		buf_putf(out, "<%" PRIu64 ".%" PRIu64 ">", item->offset, item->count);
}

static void
fetch(struct buf *out, const struct imap_fetch *f)
{
	set(out, &f->set);
	for (size_t i = 0; i < f->n_items; i++)
		fetch_item(out, &f->items[i]);
	if (f->changed)
		buf_putf(out, " changed=%" PRIu64, f->changed_since);
	flag(out, f->vanished, "vanished");
	if (f->partial)
		buf_putf(out, " partial=%" PRId64 ":%" PRId64, f->partial_first,
			 f->partial_last);
}

static void
store(struct buf *out, const struct imap_store *s)
{
	set(out, &s->set);
	if (s->conditional)
		buf_putf(out, " unchanged=%" PRIu64, s->unchanged_since);
	buf_putf(out, " %c", "+-="[s->verb]);
	flag(out, s->silent, "silent");
	flags(out, &s->flags);
}

/* --- SEARCH --------------------------------------------------------------- */

static const char *const keys[] = {
    [IMAP_KEY_ALL] = "ALL",
    [IMAP_KEY_AND] = "AND",
    [IMAP_KEY_OR] = "OR",
    [IMAP_KEY_NOT] = "NOT",
    [IMAP_KEY_SET] = "SET",
    [IMAP_KEY_UID] = "UID",
    [IMAP_KEY_FLAG] = "FLAG",
    [IMAP_KEY_KEYWORD] = "KEYWORD",
    [IMAP_KEY_NEW] = "NEW",
    [IMAP_KEY_OLD] = "OLD",
    [IMAP_KEY_RECENT] = "RECENT",
    [IMAP_KEY_BEFORE] = "BEFORE",
    [IMAP_KEY_ON] = "ON",
    [IMAP_KEY_SINCE] = "SINCE",
    [IMAP_KEY_SENTBEFORE] = "SENTBEFORE",
    [IMAP_KEY_SENTON] = "SENTON",
    [IMAP_KEY_SENTSINCE] = "SENTSINCE",
    [IMAP_KEY_SAVEDBEFORE] = "SAVEDBEFORE",
    [IMAP_KEY_SAVEDON] = "SAVEDON",
    [IMAP_KEY_SAVEDSINCE] = "SAVEDSINCE",
    [IMAP_KEY_SAVEDATESUPPORTED] = "SAVEDATESUPPORTED",
    [IMAP_KEY_OLDER] = "OLDER",
    [IMAP_KEY_YOUNGER] = "YOUNGER",
    [IMAP_KEY_LARGER] = "LARGER",
    [IMAP_KEY_SMALLER] = "SMALLER",
    [IMAP_KEY_MODSEQ] = "MODSEQ",
    [IMAP_KEY_HEADER] = "HEADER",
    [IMAP_KEY_BODY] = "BODY",
    [IMAP_KEY_TEXT] = "TEXT",
    [IMAP_KEY_EMAILID] = "EMAILID",
    [IMAP_KEY_THREADID] = "THREADID",
};

static void
key_value(struct buf *out, const struct imap_key *key)
{
	switch (key->kind) {
	case IMAP_KEY_FLAG:
		buf_put_char(out, ' ');
		imap_put_system_flags(out, key->flag);
		break;
	case IMAP_KEY_SET:
	case IMAP_KEY_UID:
		set(out, &key->set);
		break;
	case IMAP_KEY_HEADER:
		text(out, key->text[0]);
		text(out, key->text[1]);
		break;
	case IMAP_KEY_KEYWORD:
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT:
	case IMAP_KEY_EMAILID:
	case IMAP_KEY_THREADID:
		text(out, key->text[0]);
		break;
	case IMAP_KEY_OLDER:
	case IMAP_KEY_YOUNGER:
	case IMAP_KEY_LARGER:
	case IMAP_KEY_SMALLER:
	case IMAP_KEY_MODSEQ:
		buf_putf(out, " %" PRIu64, key->number);
		break;
	default:
		if (key->kind >= IMAP_KEY_BEFORE && key->kind <= IMAP_KEY_SAVEDSINCE)
			buf_putf(out, " %" PRId32, key->day);
		break;
	}
}

static void
search_key(struct buf *out, const struct imap_key *key)
{
	buf_putf(out, " %s", keys[key->kind]);
	key_value(out, key);
	if (key->n_keys == 0)
		return;
	buf_put_char(out, '(');
	for (size_t i = 0; i < key->n_keys; i++)
		search_key(out, key->keys[i]);
	buf_put_char(out, ')');
}

static void
search(struct buf *out, const struct imap_command *command)
{
	const struct imap_search *s = &command->search;

	if (s->extended)
		buf_putf(out, " return=%x", s->returns);
	if (s->returns & IMAP_SEARCH_PARTIAL)
		buf_putf(out, " partial=%" PRId64 ":%" PRId64, s->partial_first,
			 s->partial_last);
	for (size_t i = 0; i < s->n_sort; i++)
		buf_putf(out, " %s%d", s->sort[i].reverse ? "-" : "+",
			 s->sort[i].field);
	if (command->id == IMAP_THREAD)
		buf_putf(out, " algorithm=%d", s->algorithm);
	if (s->charset.n > 0)
		text(out, s->charset);
	flag(out, s->uses_modseq, "modseq");
	search_key(out, s->key);
}

/* --- all of them ---------------------------------------------------------- */

static const char *const names[IMAP_COMMANDS] = {
    [IMAP_UNKNOWN] = "?",
    [IMAP_CAPABILITY] = "CAPABILITY",
    [IMAP_NOOP] = "NOOP",
    [IMAP_LOGOUT] = "LOGOUT",
    [IMAP_ID] = "ID",
    [IMAP_STARTTLS] = "STARTTLS",
    [IMAP_AUTHENTICATE] = "AUTHENTICATE",
    [IMAP_LOGIN] = "LOGIN",
    [IMAP_ENABLE] = "ENABLE",
    [IMAP_SELECT] = "SELECT",
    [IMAP_EXAMINE] = "EXAMINE",
    [IMAP_CREATE] = "CREATE",
    [IMAP_DELETE] = "DELETE",
    [IMAP_RENAME] = "RENAME",
    [IMAP_SUBSCRIBE] = "SUBSCRIBE",
    [IMAP_UNSUBSCRIBE] = "UNSUBSCRIBE",
    [IMAP_LIST] = "LIST",
    [IMAP_LSUB] = "LSUB",
    [IMAP_NAMESPACE] = "NAMESPACE",
    [IMAP_STATUS] = "STATUS",
    [IMAP_APPEND] = "APPEND",
    [IMAP_IDLE] = "IDLE",
    [IMAP_GETQUOTA] = "GETQUOTA",
    [IMAP_GETQUOTAROOT] = "GETQUOTAROOT",
    [IMAP_SETQUOTA] = "SETQUOTA",
    [IMAP_COMPRESS] = "COMPRESS",
    [IMAP_CHECK] = "CHECK",
    [IMAP_CLOSE] = "CLOSE",
    [IMAP_UNSELECT] = "UNSELECT",
    [IMAP_EXPUNGE] = "EXPUNGE",
    [IMAP_SEARCH] = "SEARCH",
    [IMAP_SORT] = "SORT",
    [IMAP_THREAD] = "THREAD",
    [IMAP_FETCH] = "FETCH",
    [IMAP_STORE] = "STORE",
    [IMAP_COPY] = "COPY",
    [IMAP_MOVE] = "MOVE",
    [IMAP_REPLACE] = "REPLACE",
};

static void
arguments(struct buf *out, const struct imap_command *c)
{
	switch (c->id) {
	case IMAP_ID:
		for (size_t i = 0; i < c->id_pairs.n_pairs; i++)
			text(out, c->id_pairs.pairs[i]);
		break;
	case IMAP_ENABLE:
		buf_putf(out, " %x", c->enable);
		break;
	case IMAP_SELECT:
	case IMAP_EXAMINE:
		select_(out, &c->select);
		break;
	case IMAP_CREATE:
		text(out, c->create.mailbox);
		buf_putf(out, " use=%x", c->create.special_use);
		flag(out, c->create.special_use_bad, "bad");
		break;
	case IMAP_DELETE:
	case IMAP_SUBSCRIBE:
	case IMAP_UNSUBSCRIBE:
	case IMAP_GETQUOTAROOT:
	case IMAP_APPEND:
		text(out, c->mailbox);
		break;
	case IMAP_REPLACE:
		buf_putf(out, " %" PRIu32, c->replace.number);
		text(out, c->mailbox);
		break;
	case IMAP_RENAME:
		text(out, c->rename.from);
		text(out, c->rename.to);
		break;
	case IMAP_LIST:
	case IMAP_LSUB:
		list(out, &c->list);
		break;
	case IMAP_STATUS:
		text(out, c->status.mailbox);
		buf_putf(out, " %x", c->status.items);
		break;
	case IMAP_GETQUOTA:
	case IMAP_SETQUOTA:
		text(out, c->root);
		break;
	case IMAP_EXPUNGE:
		if (c->uid)
			set(out, &c->expunge);
		break;
	case IMAP_SEARCH:
	case IMAP_SORT:
	case IMAP_THREAD:
		search(out, c);
		break;
	case IMAP_FETCH:
		fetch(out, &c->fetch);
		break;
	case IMAP_STORE:
		store(out, &c->store);
		break;
	case IMAP_COPY:
	case IMAP_MOVE:
		set(out, &c->copy.set);
		text(out, c->copy.mailbox);
		break;
	default:
		break;
	}
}

void
imap_dump(const struct imap_command *command, struct buf *out)
{
	flag(out, command->uid, "UID");
	buf_put_char(out, ' ');
	buf_put_str(out, names[command->id]);
	arguments(out, command);
}

void
imap_dump_message(const struct imap_append_message *message, struct buf *out)
{
	flags(out, &message->flags);
	if (message->has_date)
		buf_putf(out, " date=%" PRId64, message->date_s);
	flag(out, message->utf8, "utf8");
	buf_putf(out, " {%" PRIu64 "}", message->bytes);
}
