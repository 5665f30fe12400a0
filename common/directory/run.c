#include "common/directory/request.h"

struct run {
	struct directory *d;
	const struct directory_request *r;
	uint64_t now;
	directory_row_sink *sink;
	void *context;
	struct err *err;
};

static void
give_row(struct run *run, const struct directory_row *row)
{
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);

	directory_row_put(row, &bytes);
	if (!bytes.full)
		run->sink(run->context, buf_span(&bytes));
	buf_release(&bytes);
}

static size_t
page_rows(const struct run *run)
{
	size_t limit = run->r->limit;

	return limit == 0 || limit > DIRECTORY_PAGE_MAX ? DIRECTORY_PAGE_MAX : limit;
}

/* ---- domains */

static enum directory_result
run_domain_add(struct run *run)
{
	return directory_domain_add(run->d, run->r->name, run->err);
}

static enum directory_result
run_domain_remove(struct run *run)
{
	return directory_domain_remove(run->d, run->r->name, run->err);
}

static enum directory_result
run_domain_enable(struct run *run)
{
	return directory_domain_enable(
	    run->d, run->r->name, run->r->verb == DIRECTORY_DOMAIN_ENABLE, run->err);
}

static enum directory_result
run_domain_list(struct run *run)
{
	struct directory_domain *page = memory_new(page_rows(run), sizeof(*page));
	enum directory_result r;
	size_t n = 0;

	r = directory_domain_list(run->d, run->r->after, page, page_rows(run), &n,
				  run->err);
	for (size_t i = 0; i < n; i++)
		give_row(run, &(struct directory_row){.kind = DIRECTORY_ROW_DOMAIN,
						      .name = span_str(page[i].name),
						      .id = page[i].id,
						      .disabled = !page[i].enabled});
	free(page);
	return r;
}

/* ---- accounts */

static enum directory_result
run_account_add(struct run *run)
{
	return directory_account_add(run->d, run->r->name, &run->r->password,
				     run->r->quota_bytes, run->now, NULL, run->err);
}

static enum directory_result
run_account_remove(struct run *run)
{
	return directory_account_remove(run->d, run->r->name, run->err);
}

static enum directory_result
run_account_password(struct run *run)
{
	return directory_account_set_password(run->d, run->r->name, &run->r->password,
					      run->err);
}

static enum directory_result
run_account_quota(struct run *run)
{
	return directory_account_set_quota(run->d, run->r->name, run->r->quota_bytes,
					   run->err);
}

static enum directory_result
run_account_enable(struct run *run)
{
	return directory_account_set_disabled(
	    run->d, run->r->name, run->r->verb == DIRECTORY_ACCOUNT_DISABLE, run->err);
}

static void
give_account(struct run *run, const struct directory_account *a)
{
	const char *scheme = directory_password_scheme(&a->password);

	give_row(run, &(struct directory_row){.kind = DIRECTORY_ROW_ACCOUNT,
					      .name = span_str(a->address),
					      .id = a->id,
					      .disabled = a->disabled,
					      .quota_bytes = a->quota_bytes,
					      .created = a->created,
					      .scheme = span_str(scheme),
					      .has_scram = a->password.has_scram});
}

static enum directory_result
run_account_show(struct run *run)
{
	struct directory_account a;
	enum directory_result r =
	    directory_account_find(run->d, run->r->name, &a, run->err);

	if (r == DIRECTORY_DONE)
		give_account(run, &a);
	directory_password_wipe(&a.password);
	return r;
}

static enum directory_result
run_account_list(struct run *run)
{
	struct directory_account *page = memory_new(page_rows(run), sizeof(*page));
	enum directory_result r;
	size_t n = 0;

	r = directory_account_list(run->d, run->r->name, run->r->after, page,
				   page_rows(run), &n, run->err);
	for (size_t i = 0; i < n; i++)
		give_account(run, &page[i]);
	explicit_bzero(page, page_rows(run) * sizeof(*page));
	free(page);
	return r;
}

/* ---- aliases */

static enum directory_result
run_alias_add(struct run *run)
{
	return directory_alias_add(run->d, run->r->name, run->r->targets,
				   run->r->n_targets, run->err);
}

static enum directory_result
run_alias_remove(struct run *run)
{
	return directory_alias_remove(run->d, run->r->name, run->r->targets,
				      run->r->n_targets, run->err);
}

static void
give_alias(struct run *run, const struct directory_alias *a)
{
	give_row(run, &(struct directory_row){.kind = DIRECTORY_ROW_ALIAS,
					      .name = a->address,
					      .targets = a->targets,
					      .n_targets = a->n_targets});
}

static enum directory_result
run_alias_show(struct run *run)
{
	struct directory_alias alias;
	struct arena arena;
	enum directory_result r;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	r = directory_alias_find(run->d, run->r->name, &arena, &alias, run->err);
	if (r == DIRECTORY_DONE)
		give_alias(run, &alias);
	arena_release(&arena);
	return r;
}

static enum directory_result
run_alias_list(struct run *run)
{
	struct directory_alias page[DIRECTORY_PAGE_MAX];
	struct arena arena;
	enum directory_result r;
	size_t n = 0;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	r = directory_alias_list(run->d, run->r->name, run->r->after, &arena, page,
				 page_rows(run), &n, run->err);
	for (size_t i = 0; i < n; i++)
		give_alias(run, &page[i]);
	arena_release(&arena);
	return r;
}

/* ---- all of them */

static enum directory_result (*const verbs[DIRECTORY_VERBS])(struct run *) = {
    [DIRECTORY_DOMAIN_ADD] = run_domain_add,
    [DIRECTORY_DOMAIN_REMOVE] = run_domain_remove,
    [DIRECTORY_DOMAIN_ENABLE] = run_domain_enable,
    [DIRECTORY_DOMAIN_DISABLE] = run_domain_enable,
    [DIRECTORY_DOMAIN_LIST] = run_domain_list,
    [DIRECTORY_ACCOUNT_ADD] = run_account_add,
    [DIRECTORY_ACCOUNT_REMOVE] = run_account_remove,
    [DIRECTORY_ACCOUNT_SHOW] = run_account_show,
    [DIRECTORY_ACCOUNT_LIST] = run_account_list,
    [DIRECTORY_ACCOUNT_PASSWORD] = run_account_password,
    [DIRECTORY_ACCOUNT_QUOTA] = run_account_quota,
    [DIRECTORY_ACCOUNT_ENABLE] = run_account_enable,
    [DIRECTORY_ACCOUNT_DISABLE] = run_account_enable,
    [DIRECTORY_ALIAS_ADD] = run_alias_add,
    [DIRECTORY_ALIAS_REMOVE] = run_alias_remove,
    [DIRECTORY_ALIAS_SHOW] = run_alias_show,
    [DIRECTORY_ALIAS_LIST] = run_alias_list,
};

enum directory_result
directory_run(struct directory *d, const struct directory_request *r, uint64_t now,
	      directory_row_sink *sink, void *context, struct err *err)
{
	struct run run = {
	    .d = d, .r = r, .now = now, .sink = sink, .context = context, .err = err};

	ASSERT((unsigned)r->verb < DIRECTORY_VERBS);
	return verbs[r->verb](&run);
}
