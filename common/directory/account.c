#include "common/directory/internal.h"

static enum directory_result
check_new(struct change *c)
{
	enum directory_result r;

	if (!directory_name_ours(&c->name.name, c->err))
		return DIRECTORY_BAD_NAME;
	r = change_check_free(c);
	if (r == DIRECTORY_DONE)
		r = change_check_limit(c, FIELD_DOMAIN_ACCOUNTS_MAX, "accounts");
	return r;
}

/* The domain's limit is the preset, and the most. */
static enum directory_result
check_quota(struct change *c)
{
	uint64_t most = c->domain.values[FIELD_DOMAIN_ACCOUNT_QUOTA_BYTES].number;
	struct directory_value *quota = &c->object.values[FIELD_ACCOUNT_QUOTA_BYTES];
	bool given =
	    c->wanted->values[FIELD_ACCOUNT_QUOTA_BYTES].how != DIRECTORY_VALUE_ABSENT;

	if (c->is_new && !given)
		directory_put_number(&c->object, FIELD_ACCOUNT_QUOTA_BYTES, most);
	if (!given || most == 0 || (quota->number > 0 && quota->number <= most))
		return DIRECTORY_DONE;
	return directory_say(DIRECTORY_LIMIT, c->err,
			     "an account of %.150s may hold %llu bytes at most; "
			     "'postroad domain set' changes account_quota_bytes",
			     directory_name_domain(&c->name.name).at,
			     (unsigned long long)most);
}

static enum directory_result
check_password(struct change *c)
{
	struct span text = c->object.values[FIELD_ACCOUNT_PASSWORD].text;
	struct cursor cursor = cursor_make(text);
	struct directory_password p;

	if (text.n == 0)
		return DIRECTORY_DONE;
	directory_password_get(&cursor, &p);
	directory_password_wipe(&p);
	return cursor_done(&cursor)
		   ? DIRECTORY_DONE
		   : directory_say(DIRECTORY_BAD_VALUE, c->err, "that is no password");
}

/* Its number; the domain's first account gets the mail for postmaster. */
static enum directory_result
give_id(struct change *c)
{
	struct directory_name home;
	struct record_key key, id_key;
	struct buf value = buf_make(RECORD_VALUE_MAX);
	uint64_t id;

	if (directory_next_id(c->d, &id, c->err) != 0)
		return DIRECTORY_FAULT;
	directory_ids_given(&c->changes, id + 1);
	directory_put_number(&c->object, FIELD_ACCOUNT_ID, id);
	directory_put_number(&c->object, FIELD_ACCOUNT_CREATED, c->now);
	id_key = record_key_id(id);
	record_put_bytes(record_key_span(&c->key), &value);
	changes_put(&c->changes, &id_key, buf_span(&value));
	buf_release(&value);
	if (c->domain.values[FIELD_DOMAIN_FIRST_ACCOUNT].number != 0)
		return DIRECTORY_DONE;
	directory_put_number(&c->domain, FIELD_DOMAIN_FIRST_ACCOUNT, id);
	if (!directory_name_make((struct span){0}, directory_name_domain(&c->name.name),
				 &home))
		return DIRECTORY_BAD_NAME;
	key = record_key_of(DIRECTORY_DOMAIN, &home, (struct span){0});
	changes_put_object(&c->changes, &key, &c->domain);
	return DIRECTORY_DONE;
}

static enum directory_result
check(struct change *c)
{
	enum directory_result r = check_quota(c);

	if (r == DIRECTORY_DONE)
		r = check_password(c);
	if (r == DIRECTORY_DONE && c->is_new)
		r = give_id(c);
	return r;
}

/* ---- removing */

struct lowest {
	uint64_t except, id;
};

static bool
visit_lowest(void *context, struct span key, struct span value)
{
	struct lowest *lowest = context;
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT};
	uint64_t id;

	(void)key;
	if (!record_get_object(value, &o))
		return true;
	id = o.values[FIELD_ACCOUNT_ID].number;
	if (id != lowest->except && (lowest->id == 0 || id < lowest->id))
		lowest->id = id;
	return true;
}

/* When the domain's first account goes, the next oldest takes its place. */
static enum directory_result
replace_first(struct change *c, uint64_t gone)
{
	struct lowest lowest = {.except = gone};
	struct directory_name home;
	struct record_key key;

	if (c->domain.values[FIELD_DOMAIN_FIRST_ACCOUNT].number != gone)
		return DIRECTORY_DONE;
	if (!directory_name_make((struct span){0}, directory_name_domain(&c->name.name),
				 &home))
		return DIRECTORY_BAD_NAME;
	if (directory_walk(c->d, record_key_in(DIRECTORY_ACCOUNT, &home),
			   (struct span){0}, 0, visit_lowest, &lowest, c->err) != 0)
		return DIRECTORY_FAULT;
	directory_put_number(&c->domain, FIELD_DOMAIN_FIRST_ACCOUNT, lowest.id);
	key = record_key_of(DIRECTORY_DOMAIN, &home, (struct span){0});
	changes_put_object(&c->changes, &key, &c->domain);
	return DIRECTORY_DONE;
}

static bool
visit_erase(void *context, struct span key, struct span value)
{
	struct change *c = context;
	struct record_key copy = {.n = 0};

	(void)value;
	if (key.n <= sizeof(copy.bytes)) {
		memcpy(copy.bytes, key.at, key.n);
		copy.n = key.n;
		changes_erase(&c->changes, &copy);
	}
	return true;
}

/* Its mail stays, which has no other name than the number. */
static enum directory_result
check_remove(struct change *c)
{
	uint64_t id = c->object.values[FIELD_ACCOUNT_ID].number;
	const struct directory_note removed = {
	    .kind = DIRECTORY_NOTE_REMOVED,
	    .account = id,
	    .about = directory_name_span(&c->name.name),
	    .value = c->now,
	};
	struct record_key id_key = record_key_id(id);

	changes_erase(&c->changes, &id_key);
	directory_note_change(&c->changes, &removed);
	if (directory_walk(c->d, record_key_in(DIRECTORY_APP_PASSWORD, &c->name.name),
			   (struct span){0}, 0, visit_erase, c, c->err) != 0)
		return DIRECTORY_FAULT;
	return replace_first(c, id);
}

const struct kind_rules account_rules = {
    .check_new = check_new, .check = check, .check_remove = check_remove};
