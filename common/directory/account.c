#include "common/directory/internal.h"

/* ---- loading */

int
directory_load_account(struct directory *d, const struct directory_name *n,
		       struct directory_account *out, struct err *err)
{
	struct record_key key = record_key_name(RECORD_ACCOUNT, n);
	struct span value;
	int r = directory_get(d, key, &value, err);

	if (r > 0 && !record_get_account(value, out))
		return directory_damaged(err, record_key_span(&key));
	return r;
}

int
directory_load_id(struct directory *d, uint64_t id, struct directory_account *out,
		  struct err *err)
{
	struct record_key key = record_key_id(id);
	struct directory_name name;
	struct span value, address;
	int r = directory_get(d, key, &value, err);

	if (r <= 0)
		return r;
	if (!record_get_bytes(value, &address) || !record_key_address(address, &name))
		return directory_damaged(err, SPAN("an account's id"));
	return directory_load_account(d, &name, out, err);
}

bool
directory_name_ours(const struct directory_name *n, struct err *err)
{
	struct span local = directory_name_local(n);
	bool after_dot = true;

	if (local.n == 0 || local.n > DIRECTORY_LOCAL_OWN) {
		err_set(err, "the name before the @ has 1 to %d bytes",
			DIRECTORY_LOCAL_OWN);
		return false;
	}
	for (size_t i = 0; i < local.n; i++) {
		char c = local.at[i];
		bool atom = ascii_alnum(c) || (c & 0x80) ||
			    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));

		if (!atom && (c != '.' || after_dot)) {
			err_set(
			    err,
			    "the name before the @ has letters, digits, single dots "
			    "between them and !#$%%&'*+-/=?^_`{|}~");
			return false;
		}
		after_dot = c == '.';
	}
	if (after_dot)
		err_set(err, "the name before the @ ends in a dot");
	return !after_dot;
}

static enum directory_result
find(struct directory *d, struct span address, struct directory_name *name,
     struct directory_account *out, struct err *err)
{
	int r;

	if (directory_name_parse(address, name, err) != 0)
		return DIRECTORY_BAD_NAME;
	r = directory_load_account(d, name, out, err);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "there is no account %.150s", name->text);
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

enum directory_result
directory_account_find(struct directory *d, struct span address,
		       struct directory_account *out, struct err *err)
{
	struct directory_name name;

	return find(d, address, &name, out, err);
}

enum directory_result
directory_account_find_id(struct directory *d, uint64_t id,
			  struct directory_account *out, struct err *err)
{
	int r = directory_load_id(d, id, out, err);

	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "there is no account %llu",
				     (unsigned long long)id);
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

/* ---- adding */

/* DONE when an account may be added under that name. */
static enum directory_result
check_free(struct directory *d, const struct directory_name *name,
	   struct directory_domain *domain, struct err *err)
{
	struct directory_account old;
	size_t n_targets;
	int r;

	if (!directory_name_ours(name, err))
		return DIRECTORY_BAD_NAME;
	r = directory_load_domain(d, directory_name_domain(name), domain, err);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, err,
				     "%.150s is not a domain of this server",
				     directory_name_domain(name).at);
	if (r > 0)
		r = directory_load_account(d, name, &old, err);
	if (r == 0) {
		r = directory_load_alias(d, name, &n_targets, err);
		if (r == 0)
			return DIRECTORY_DONE;
	} else if (r > 0) {
		directory_password_wipe(&old.password);
	}
	if (r > 0)
		return directory_say(DIRECTORY_EXISTS, err, "%.150s is there already",
				     name->text);
	return DIRECTORY_FAULT;
}

/* The account, its id, the counter and the domain in one change. */
static enum directory_result
store_new(struct directory *d, const struct directory_name *name,
	  const struct directory_account *a, const struct buf *next,
	  const struct directory_domain *domain, struct err *err)
{
	struct record_key keys[] = {record_key_name(RECORD_ACCOUNT, name),
				    record_key_id(a->id), directory_next_id_key(),
				    record_key_domain(span_str(domain->name))};
	struct buf account = buf_make(RECORD_VALUE_MAX),
		   id = buf_make(RECORD_VALUE_MAX);
	struct buf domain_value = buf_make(RECORD_VALUE_MAX);
	struct backend_change changes[N_ELEMS(keys)];
	enum directory_result r;

	record_put_account(a, &account);
	record_put_bytes(record_key_span(&keys[0]), &id);
	record_put_domain(domain, &domain_value);
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		changes[i].key = record_key_span(&keys[i]);
	changes[0].value = buf_span(&account);
	changes[1].value = buf_span(&id);
	changes[2].value = buf_span(next);
	changes[3].value = buf_span(&domain_value);
	r = directory_apply(d, changes, N_ELEMS(changes), err);
	explicit_bzero(account.at, account.n);
	buf_release(&account);
	buf_release(&id);
	buf_release(&domain_value);
	return r;
}

enum directory_result
directory_account_add(struct directory *d, struct span address,
		      const struct directory_password *password, uint64_t quota_bytes,
		      uint64_t created, uint64_t *id, struct err *err)
{
	struct directory_account a = {.quota_bytes = quota_bytes, .created = created};
	struct buf next = buf_make(RECORD_VALUE_MAX);
	struct directory_domain domain;
	struct directory_name name;
	enum directory_result r;

	if (directory_name_parse(address, &name, err) != 0)
		return DIRECTORY_BAD_NAME;
	r = check_free(d, &name, &domain, err);
	if (r != DIRECTORY_DONE)
		return r;
	memcpy(a.address, name.text, name.bytes + 1);
	a.password = *password;
	if (directory_next_id(d, &next, &a.id, err) != 0)
		r = DIRECTORY_FAULT;
	if (domain.first_account == 0)
		domain.first_account = a.id;
	if (r == DIRECTORY_DONE)
		r = store_new(d, &name, &a, &next, &domain, err);
	directory_password_wipe(&a.password);
	buf_release(&next);
	if (r == DIRECTORY_DONE && id)
		*id = a.id;
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
	struct directory_account a;

	(void)key;
	if (!record_get_account(value, &a))
		return true;
	if (a.id != lowest->except && (lowest->id == 0 || a.id < lowest->id))
		lowest->id = a.id;
	directory_password_wipe(&a.password);
	return true;
}

/* When the domain's first account goes, the next oldest takes its place. 1 when
 * the domain must be written, 0, -1. */
static int
replace_first(struct directory *d, const struct directory_name *name, uint64_t gone,
	      struct directory_domain *domain, struct err *err)
{
	struct span domain_name = directory_name_domain(name);
	struct lowest lowest = {.except = gone};
	int r = directory_load_domain(d, domain_name, domain, err);

	if (r <= 0 || domain->first_account != gone)
		return r < 0 ? -1 : 0;
	if (directory_walk(d, record_key_names_of(RECORD_ACCOUNT, domain_name),
			   (struct span){0}, 0, visit_lowest, &lowest, err) != 0)
		return -1;
	domain->first_account = lowest.id;
	return 1;
}

enum directory_result
directory_account_remove(struct directory *d, struct span address, struct err *err)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct record_key keys[3];
	struct backend_change changes[3] = {0};
	struct directory_domain domain;
	struct directory_account a;
	struct directory_name name;
	enum directory_result r = find(d, address, &name, &a, err);
	int first;

	if (r != DIRECTORY_DONE)
		return r;
	directory_password_wipe(&a.password);
	first = replace_first(d, &name, a.id, &domain, err);
	if (first < 0)
		return DIRECTORY_FAULT;
	keys[0] = record_key_name(RECORD_ACCOUNT, &name);
	keys[1] = record_key_id(a.id);
	keys[2] = record_key_domain(directory_name_domain(&name));
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		changes[i].key = record_key_span(&keys[i]);
	if (first) {
		record_put_domain(&domain, &value);
		changes[2].value = buf_span(&value);
	}
	r = directory_apply(d, changes, first ? 3 : 2, err);
	buf_release(&value);
	return r;
}

/* ---- changing */

static enum directory_result
store(struct directory *d, const struct directory_name *name,
      struct directory_account *a, struct err *err)
{
	struct record_key key = record_key_name(RECORD_ACCOUNT, name);
	struct buf value = buf_make(RECORD_VALUE_MAX);
	enum directory_result r;

	record_put_account(a, &value);
	r = directory_apply(
	    d, &(struct backend_change){record_key_span(&key), buf_span(&value)}, 1,
	    err);
	explicit_bzero(value.at, value.n);
	buf_release(&value);
	directory_password_wipe(&a->password);
	return r;
}

enum directory_result
directory_account_set_password(struct directory *d, struct span address,
			       const struct directory_password *password,
			       struct err *err)
{
	struct directory_account a;
	struct directory_name name;
	enum directory_result r = find(d, address, &name, &a, err);

	if (r != DIRECTORY_DONE)
		return r;
	a.password = *password;
	return store(d, &name, &a, err);
}

enum directory_result
directory_account_set_quota(struct directory *d, struct span address,
			    uint64_t quota_bytes, struct err *err)
{
	struct directory_account a;
	struct directory_name name;
	enum directory_result r = find(d, address, &name, &a, err);

	if (r != DIRECTORY_DONE)
		return r;
	a.quota_bytes = quota_bytes;
	return store(d, &name, &a, err);
}

enum directory_result
directory_account_set_disabled(struct directory *d, struct span address, bool disabled,
			       struct err *err)
{
	struct directory_account a;
	struct directory_name name;
	enum directory_result r = find(d, address, &name, &a, err);

	if (r != DIRECTORY_DONE)
		return r;
	a.disabled = disabled;
	return store(d, &name, &a, err);
}

/* ---- listing */

struct page {
	struct directory_account *out;
	size_t limit, n;
	bool enabled_only, damaged;
	struct err *err;
};

static bool
visit_page(void *context, struct span key, struct span value)
{
	struct page *page = context;
	struct directory_account *a;

	if (page->n == page->limit)
		return false;
	a = &page->out[page->n];
	page->damaged = !record_get_account(value, a);
	if (page->damaged)
		directory_damaged(page->err, key);
	else if (!page->enabled_only || !a->disabled)
		page->n++;
	return !page->damaged;
}

int
directory_first_enabled(struct directory *d, struct span domain,
			struct directory_account *out, struct err *err)
{
	struct page page = {.out = out, .limit = 1, .enabled_only = true, .err = err};

	if (directory_walk(d, record_key_names_of(RECORD_ACCOUNT, domain),
			   (struct span){0}, page.limit, visit_page, &page, err) != 0 ||
	    page.damaged)
		return -1;
	return (int)page.n;
}

enum directory_result
directory_account_list(struct directory *d, struct span domain, struct span after,
		       struct directory_account *out, size_t limit, size_t *n,
		       struct err *err)
{
	struct page page = {.out = out, .limit = limit, .err = err};
	char canonical[DIRECTORY_DOMAIN_MAX + 1] = "";
	struct record_key start;

	if (directory_page_start(RECORD_ACCOUNT, after, &start, err) != 0 ||
	    (domain.n > 0 && directory_domain_canonical(domain, canonical, err) != 0))
		return DIRECTORY_BAD_NAME;
	if (directory_walk(d, record_key_names_of(RECORD_ACCOUNT, span_str(canonical)),
			   record_key_span(&start), page.limit, visit_page, &page,
			   err) != 0 ||
	    page.damaged)
		return DIRECTORY_FAULT;
	*n = page.n;
	return DIRECTORY_DONE;
}
