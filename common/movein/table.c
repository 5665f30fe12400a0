#include "common/movein/table.h"

#include "common/movein/passwd.h"

static const struct span *
column_of(const struct movein_row *row, const char *column)
{
	for (size_t i = 0; i < row->n; i++)
		if (span_equal_nocase(row->columns[i], span_str(column)))
			return &row->values[i];
	return NULL;
}

struct span
movein_cell(const struct movein_row *row, const char *column)
{
	const struct span *value = column_of(row, column);

	return value && value->at ? *value : SPAN("");
}

bool
movein_has_column(const struct movein_row *row, const char *column)
{
	return column_of(row, column) != NULL;
}

uint64_t
movein_cell_number(const struct movein_row *row, const char *column)
{
	uint64_t number = 0;

	if (!number_parse(movein_cell(row, column), UINT64_MAX, &number))
		return 0;
	return number;
}

bool
movein_cell_flag(const struct movein_row *row, const char *column)
{
	static const char *const yes[] = {"1", "t", "true", "y", "yes", "on"};
	struct span value = movein_cell(row, column);

	for (size_t i = 0; i < N_ELEMS(yes); i++)
		if (span_equal_nocase(value, span_str(yes[i])))
			return true;
	return false;
}

/* The first of several names that the table has a column of; null when none. */
static const char *
first_column(const struct movein_row *row, const char *const *names)
{
	for (; *names; names++)
		if (movein_has_column(row, *names))
			return *names;
	return NULL;
}

static struct movein_object *
user_account(struct movein *m, const struct movein_row *row, const char *column)
{
	struct span name = movein_cell(row, column),
		    domain = movein_cell(row, "domain");
	struct buf whole = buf_make(MOVEIN_NAME_MAX);
	struct movein_object *o;

	buf_put(&whole, name);
	if (span_find(name, '@') == name.n && domain.n > 0) {
		buf_put_char(&whole, '@');
		buf_put(&whole, domain);
	}
	o = movein_add(m, MOVEIN_ACCOUNT, buf_span(&whole));
	buf_release(&whole);
	return o;
}

static void
user_quota(struct movein *m, const struct movein_row *row, struct movein_object *o)
{
	static const struct {
		const char *column;
		uint64_t unit;
	} units[] = {
	    {"quota_bytes", 1                },
	    {"quota_kb",    1024             },
	    {"quota_mb",    (uint64_t)1 << 20},
	    {"quota",       1                },
	};

	if (movein_has_column(row, "quota_rule"))
		movein_quota_rule(m, o, movein_cell(row, "quota_rule"));
	for (size_t i = 0; i < N_ELEMS(units); i++) {
		uint64_t number = movein_cell_number(row, units[i].column);

		if (number > 0 && number <= UINT64_MAX / units[i].unit) {
			movein_set_number(m, o, "quota_bytes", number * units[i].unit);
			return;
		}
	}
}

void
movein_user_row(struct movein *m, const struct movein_row *row)
{
	static const char *const users[] = {"username", "userid", "email",
					    "address",  "user",   NULL};
	static const char *const passwords[] = {"password", "crypt", "passwd", NULL};
	static const char *const mails[] = {"mail", "maildir", "home", NULL};
	static const char *const enabled[] = {"active", "enabled", NULL};
	const char *user = first_column(row, users);
	const char *password = first_column(row, passwords);
	const char *mail = first_column(row, mails);
	const char *active = first_column(row, enabled);
	struct movein_object *o;

	if (!user || !password)
		return;
	o = user_account(m, row, user);
	movein_set_password(m, o, movein_cell(row, password));
	if (movein_cell(row, "name").n > 0)
		movein_set(m, o, "name", movein_cell(row, "name"));
	user_quota(m, row, o);
	if (mail)
		movein_set_mail(m, o, movein_cell(row, mail));
	if ((active && !movein_cell_flag(row, active)) ||
	    movein_cell_flag(row, "disabled"))
		movein_set_flag(m, o, "disabled", true);
}
