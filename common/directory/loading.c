#include "common/directory/internal.h"

int
directory_load_object(struct directory *d, enum directory_kind kind,
		      const struct directory_name *n, struct span label,
		      struct directory_object *out, struct err *err)
{
	struct record_key key = record_key_of(kind, n, label);
	struct span value;
	int r = directory_get(d, key, &value, err);

	if (r > 0) {
		out->kind = kind;
		if (!record_get_object(value, out))
			return directory_damaged(err, record_key_span(&key));
		out->name = directory_name_shown(kind, n);
		out->label = label;
	}
	return r;
}

void
directory_domain_of(const struct directory_object *o, struct span name,
		    struct directory_domain *out)
{
	const struct directory_value *v = o->values;
	struct directory_domain d = {
	    .id = v[FIELD_DOMAIN_ID].number,
	    .enabled = v[FIELD_DOMAIN_ENABLED].number != 0,
	    .first_account = v[FIELD_DOMAIN_FIRST_ACCOUNT].number,
	    .quota_bytes = v[FIELD_DOMAIN_QUOTA_BYTES].number,
	    .message_bytes_max = v[FIELD_DOMAIN_MESSAGE_BYTES_MAX].number,
	};

	(void)!span_copy(name, d.name, sizeof(d.name));
	(void)!span_copy(v[FIELD_DOMAIN_ALIAS_OF].text, d.alias_of, sizeof(d.alias_of));
	(void)!span_copy(v[FIELD_DOMAIN_DELIMITERS].text, d.delimiters,
			 sizeof(d.delimiters));
	*out = d;
}

void
directory_account_of(const struct directory_object *o, struct span address,
		     struct directory_account *out)
{
	const struct directory_value *v = o->values;
	struct cursor password = cursor_make(v[FIELD_ACCOUNT_PASSWORD].text);

	*out = (struct directory_account){
	    .id = v[FIELD_ACCOUNT_ID].number,
	    .disabled = v[FIELD_ACCOUNT_DISABLED].number != 0,
	    .quota_bytes = v[FIELD_ACCOUNT_QUOTA_BYTES].number,
	    .message_bytes_max = v[FIELD_ACCOUNT_MESSAGE_BYTES_MAX].number,
	    .created = v[FIELD_ACCOUNT_CREATED].number,
	    .last_login = v[FIELD_ACCOUNT_LAST_LOGIN].number,
	};
	(void)!span_copy(address, out->address, sizeof(out->address));
	if (password.rest.n > 0)
		directory_password_get(&password, &out->password);
}

int
directory_load_domain(struct directory *d, struct span domain,
		      struct directory_domain *out, struct err *err)
{
	struct directory_object o;
	struct directory_name name;
	int r;

	if (!directory_name_make((struct span){0}, domain, &name))
		return 0;
	r = directory_load_object(d, DIRECTORY_DOMAIN, &name, (struct span){0}, &o,
				  err);
	if (r > 0)
		directory_domain_of(&o, domain, out);
	return r;
}

int
directory_load_account(struct directory *d, const struct directory_name *n,
		       struct directory_account *out, struct err *err)
{
	struct directory_object o;
	int r =
	    directory_load_object(d, DIRECTORY_ACCOUNT, n, (struct span){0}, &o, err);

	if (r > 0)
		directory_account_of(&o, directory_name_span(n), out);
	return r;
}

int
directory_load_id(struct directory *d, uint64_t id, struct directory_name *out,
		  struct err *err)
{
	struct record_key key = record_key_id(id);
	struct span value, address;
	int r = directory_get(d, key, &value, err);

	if (r > 0 &&
	    (!record_get_bytes(value, &address) || !record_key_address(address, out)))
		return directory_damaged(err, SPAN("an account's id"));
	return r;
}

int
directory_map_domain(struct directory *d, struct directory_name *n,
		     struct directory_domain *domain, struct err *err)
{
	struct directory_name mapped;
	bool enabled;
	int r = directory_load_domain(d, directory_name_domain(n), domain, err);

	if (r <= 0 || domain->alias_of[0] == '\0')
		return r;
	enabled = domain->enabled;
	if (!directory_name_make(directory_name_local(n), span_str(domain->alias_of),
				 &mapped))
		return 0;
	r = directory_load_domain(d, directory_name_domain(&mapped), domain, err);
	if (r <= 0)
		return r;
	domain->enabled = domain->enabled && enabled;
	*n = mapped;
	return r;
}

/* ---- the first account that is enabled */

struct first {
	struct directory_account *out;
	bool found, damaged;
	struct err *err;
};

static bool
visit_first(void *context, struct span key, struct span value)
{
	struct first *first = context;
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT};
	struct directory_name name;

	first->damaged =
	    !record_key_address(key, &name) || !record_get_object(value, &o);
	if (first->damaged) {
		directory_damaged(first->err, key);
		return false;
	}
	first->found = o.values[FIELD_ACCOUNT_DISABLED].number == 0;
	if (first->found)
		directory_account_of(&o, directory_name_span(&name), first->out);
	return !first->found;
}

int
directory_first_enabled(struct directory *d, struct span domain,
			struct directory_account *out, struct err *err)
{
	struct first first = {.out = out, .err = err};
	struct directory_name in = {0};

	if (domain.n > 0 && !directory_name_make((struct span){0}, domain, &in))
		return 0;
	if (directory_walk(d, record_key_in(DIRECTORY_ACCOUNT, &in), (struct span){0},
			   1, visit_first, &first, err) != 0 ||
	    first.damaged)
		return -1;
	return first.found;
}
