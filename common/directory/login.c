#include "common/directory/internal.h"

#define REPLY_INTERVAL_S (7U * 86400)

/* ---- automatic replies */

bool
directory_reply_on(const struct directory_object *account, uint64_t now)
{
	const struct directory_value *v = account->values;
	uint64_t from = v[FIELD_ACCOUNT_REPLY_FROM].number;
	uint64_t until = v[FIELD_ACCOUNT_REPLY_UNTIL].number;

	return v[FIELD_ACCOUNT_REPLY_ENABLED].number != 0 && now >= from &&
	       (until == 0 || now <= until);
}

enum directory_result
directory_reply_find(struct directory *d, uint64_t account, uint64_t now,
		     struct arena *arena, struct directory_reply *out, struct err *err)
{
	struct directory_object o;
	struct directory_name name;
	enum directory_result result;
	int r = directory_load_id(d, account, &name, err);

	if (r < 0)
		return DIRECTORY_FAULT;
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "there is no account %llu",
				     (unsigned long long)account);
	result = directory_find(d, DIRECTORY_ACCOUNT, directory_name_span(&name),
				(struct span){0}, arena, &o, err);
	if (result != DIRECTORY_DONE)
		return result;
	*out = (struct directory_reply){
	    .on = directory_reply_on(&o, now) &&
		  o.values[FIELD_ACCOUNT_DISABLED].number == 0,
	    .address = o.name,
	    .name = o.values[FIELD_ACCOUNT_NAME].text,
	    .subject = o.values[FIELD_ACCOUNT_REPLY_SUBJECT].text,
	    .text = o.values[FIELD_ACCOUNT_REPLY_TEXT].text,
	    .interval_s = o.values[FIELD_ACCOUNT_REPLY_INTERVAL_S].number,
	};
	if (out->interval_s == 0)
		out->interval_s = REPLY_INTERVAL_S;
	return DIRECTORY_DONE;
}

/* ---- logins */

static void
note_account(const struct directory_login *login, struct directory_object *o,
	     const struct record_key *key, struct changes *changes)
{
	directory_put_number(o, FIELD_ACCOUNT_LAST_LOGIN, login->at);
	directory_put_text(o, FIELD_ACCOUNT_LAST_SERVICE,
			   span_first(login->service, 16));
	directory_put_text(o, FIELD_ACCOUNT_LAST_ADDRESS,
			   span_first(login->client, 64));
	changes_put_object(changes, key, o);
}

static void
note_app_password(const struct directory_login *login, struct directory_object *o,
		  const struct record_key *key, struct changes *changes)
{
	directory_put_number(o, FIELD_APP_PASSWORD_LAST_USE, login->at);
	directory_put_text(o, FIELD_APP_PASSWORD_LAST_ADDRESS,
			   span_first(login->client, 64));
	changes_put_object(changes, key, o);
}

static int
note_login(struct directory *d, const struct directory_login *login,
	   struct changes *changes, struct err *err)
{
	struct directory_object o;
	struct directory_name name;
	struct record_key key;
	int r = directory_load_id(d, login->account, &name, err);

	if (r > 0)
		r = directory_load_object(d, DIRECTORY_ACCOUNT, &name, (struct span){0},
					  &o, err);
	if (r <= 0)
		return r;
	key = record_key_of(DIRECTORY_ACCOUNT, &name, (struct span){0});
	note_account(login, &o, &key, changes);
	if (login->label.n == 0 || login->label.n > DIRECTORY_LABEL_MAX)
		return 0;
	r = directory_load_object(d, DIRECTORY_APP_PASSWORD, &name, login->label, &o,
				  err);
	if (r <= 0)
		return r;
	key = record_key_of(DIRECTORY_APP_PASSWORD, &name, login->label);
	note_app_password(login, &o, &key, changes);
	return 0;
}

enum directory_result
directory_note_logins(struct directory *d, const struct directory_login *logins,
		      size_t n, struct err *err)
{
	struct changes changes;
	enum directory_result r = DIRECTORY_DONE;

	changes_init(&changes);
	for (size_t i = 0; i < n && r == DIRECTORY_DONE; i++)
		if (note_login(d, &logins[i], &changes, err) < 0)
			r = DIRECTORY_FAULT;
	if (r == DIRECTORY_DONE && changes.n > 0)
		r = changes_apply(&changes, d->backend, err);
	changes_release(&changes);
	return r;
}

/* ---- passwords in a better form */

static bool
password_is(const struct directory_object *account, const char *crypt_text)
{
	struct cursor c = cursor_make(account->values[FIELD_ACCOUNT_PASSWORD].text);
	struct directory_password p;
	bool same;

	directory_password_get(&c, &p);
	same = !c.failed && strcmp(p.crypt, crypt_text) == 0;
	directory_password_wipe(&p);
	return same;
}

static enum directory_result
put_password(struct directory *d, const struct directory_name *name,
	     struct directory_object *o, const struct directory_password *fresh,
	     struct err *err)
{
	struct record_key key =
	    record_key_of(DIRECTORY_ACCOUNT, name, (struct span){0});
	struct buf bytes = buf_make(RECORD_VALUE_MAX);
	struct changes changes;
	enum directory_result r;

	changes_init(&changes);
	directory_password_put(fresh, &bytes);
	directory_put_text(o, FIELD_ACCOUNT_PASSWORD, buf_span(&bytes));
	changes_put_object(&changes, &key, o);
	r = changes_apply(&changes, d->backend, err);
	changes_release(&changes);
	explicit_bzero(bytes.at, bytes.n);
	buf_release(&bytes);
	return r;
}

enum directory_result
directory_password_renew(struct directory *d, uint64_t account, const char *old,
			 const struct directory_password *fresh, struct err *err)
{
	struct directory_object o;
	struct directory_name name;
	int r = directory_load_id(d, account, &name, err);

	if (r > 0)
		r = directory_load_object(d, DIRECTORY_ACCOUNT, &name, (struct span){0},
					  &o, err);
	if (r < 0)
		return DIRECTORY_FAULT;
	if (r == 0 || !password_is(&o, old))
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "it has another password meanwhile");
	return put_password(d, &name, &o, fresh, err);
}
