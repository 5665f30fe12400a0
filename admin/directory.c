#include "admin/as.h"
#include "admin/directory.h"
#include "admin/control.h"
#include "admin/owner.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

struct asking {
	directory_take *take;
	void *context;
	enum directory_result result;
	struct err err;
};

static void
take_row(void *context, struct span bytes)
{
	struct asking *asking = context;
	struct directory_object row;

	if (asking->take && directory_row_get(bytes, &row))
		asking->take(asking->context, &row);
}

static bool
take_answer(void *context, const struct ipc_message *m)
{
	struct asking *asking = context;

	if (m->number == IPC_NUMBER_directory_row) {
		take_row(asking, m->directory_row.row);
		return true;
	}
	asking->result = DIRECTORY_FAULT;
	err_set(&asking->err, "authd gave an answer that was not asked for");
	if (m->number == IPC_NUMBER_directory_done) {
		asking->result = directory_result_of(m->directory_done.outcome);
		err_set(&asking->err, "%.*s",
			SPAN_ARG(span_first(m->directory_done.text, 200)));
	}
	return false;
}

static enum exit_status
ask_running(struct admin *admin, const struct directory_request *request,
	    struct asking *asking)
{
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);
	struct ipc_message ask = {.number = IPC_NUMBER_directory_ask};
	enum exit_status status;

	directory_request_put(request, &bytes);
	ask.directory_ask.request = buf_span(&bytes);
	if (bytes.full) {
		admin_complain("that is too much at once");
		buf_release(&bytes);
		return EXIT_USAGE;
	}
	status = as_wanted(admin)
		     ? as_ask(&ask, take_answer, asking)
		     : control_ask(admin, "authd", &ask, take_answer, asking);
	explicit_bzero(bytes.at, bytes.n);
	buf_release(&bytes);
	return status;
}

static bool holding;
static struct directory *held; /* from one request to the next */

void
directory_hold(void)
{
	holding = true;
}

void
directory_drop(void)
{
	holding = false;
	directory_free(&held);
}

static enum directory_result
apply_offline(struct admin *admin, const struct directory_request *request,
	      struct asking *asking)
{
	const char *folder = admin->settings.directory_directory;
	enum directory_result result = DIRECTORY_DONE;
	struct directory_options options;

	directory_options_of(&admin->settings, &options);
	if (owner_become(folder, &asking->err) != 0) {
		if (asking->err.code == ENOENT)
			err_set(&asking->err,
				"%s is not there yet: `postroad run` makes it when it "
				"starts",
				folder);
		return DIRECTORY_FAULT;
	}
	if (!held)
		result = directory_open(&options, &held, &asking->err);
	if (result == DIRECTORY_DONE)
		result = directory_run_now(held, request, (uint64_t)time(NULL),
					   take_row, asking, &asking->err);
	if (!holding)
		directory_free(&held);
	owner_restore();
	return result;
}

enum exit_status
directory_try(struct admin *admin, const struct directory_request *request,
	      directory_take *take, void *context, enum directory_result *result,
	      struct err *err)
{
	struct asking asking = {.take = take, .context = context};
	enum exit_status status = EXIT_DONE;

	if (!admin_settings(admin))
		return EXIT_FAILED;
	if (!held && (as_wanted(admin) || control_runs(admin, "authd")))
		status = ask_running(admin, request, &asking);
	else
		asking.result = apply_offline(admin, request, &asking);
	*result = asking.result;
	*err = asking.err;
	return status;
}

enum exit_status
directory_ask(struct admin *admin, const struct directory_request *request,
	      directory_take *take, void *context)
{
	enum directory_result result = DIRECTORY_DONE;
	struct err err;
	enum exit_status status =
	    directory_try(admin, request, take, context, &result, &err);

	if (status == EXIT_DONE && result != DIRECTORY_DONE) {
		admin_complain("%s", err.text);
		status = result == DIRECTORY_BAD_NAME || result == DIRECTORY_BAD_VALUE
			     ? EXIT_USAGE
			     : EXIT_FAILED;
	}
	return status;
}

enum exit_status
directory_simple(struct admin *admin, enum directory_verb verb,
		 enum directory_kind kind, const char *name)
{
	const struct directory_request request = {
	    .verb = verb, .object = {.kind = kind, .name = span_str(name)}
        };

	return directory_ask(admin, &request, NULL, NULL);
}

struct page {
	directory_take *take;
	void *context;
	char last[DIRECTORY_ADDRESS_MAX + 1];
	char last_label[DIRECTORY_LABEL_MAX + 1];
	size_t rows;
};

static void
take_page_row(void *context, const struct directory_object *row)
{
	struct page *page = context;

	page->rows++;
	if (!span_copy(row->name, page->last, sizeof(page->last)) ||
	    !span_copy(row->label, page->last_label, sizeof(page->last_label)))
		page->rows = 0;
	page->take(page->context, row);
}

enum exit_status
directory_list(struct admin *admin, enum directory_verb verb, enum directory_kind kind,
	       const char *in, directory_take *take, void *context)
{
	struct page page = {.take = take, .context = context}, from;
	enum exit_status status;

	do {
		struct directory_request request = {
		    .verb = verb, .object = {.kind = kind, .name = span_str(in)}
                };

		from = page;
		request.after = span_str(from.last);
		request.after_label = span_str(from.last_label);
		page.rows = 0;
		status = directory_ask(admin, &request, take_page_row, &page);
	} while (status == EXIT_DONE && page.rows > 0);
	return status;
}
