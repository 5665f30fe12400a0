#include "common/directory/internal.h"

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

/* Printable UTF-8 that is short: people name their devices with it. */
static int
label_copy(struct span label, char *out, struct err *err)
{
	if (label.n == 0 || label.n > DIRECTORY_LABEL_MAX || !utf8_valid(label))
		return err_set(err, "a label is UTF-8 text of 1 to %d bytes",
			       DIRECTORY_LABEL_MAX);
	for (size_t i = 0; i < label.n; i++)
		if ((unsigned char)label.at[i] < 0x20 || label.at[i] == 0x7f)
			return err_set(err, "a label has no control characters");
	return span_copy(label, out, DIRECTORY_LABEL_MAX + 1)
		   ? 0
		   : err_set(err, "a label has no control characters");
}

static int
domain_name(struct span domain, struct directory_name *out, struct err *err)
{
	char canonical[DIRECTORY_DOMAIN_MAX + 1];

	if (directory_domain_canonical(domain, canonical, err) != 0)
		return -1;
	if (!directory_name_make((struct span){0}, span_str(canonical), out))
		return err_set(err, "a domain name has at most 253 characters");
	return 0;
}

enum directory_result
directory_object_name(enum directory_kind kind, struct span name, struct span label,
		      struct record_name *out, struct err *err)
{
	int r = kind == DIRECTORY_DOMAIN ? domain_name(name, &out->name, err)
					 : directory_name_parse(name, &out->name, err);

	out->label[0] = '\0';
	if (r == 0 && kind == DIRECTORY_APP_PASSWORD)
		r = label_copy(label, out->label, err);
	return r == 0 ? DIRECTORY_DONE : DIRECTORY_BAD_NAME;
}

struct span
directory_name_shown(enum directory_kind kind, const struct directory_name *n)
{
	return kind == DIRECTORY_DOMAIN ? directory_name_domain(n)
					: directory_name_span(n);
}

bool
directory_group_item(struct span item, struct span *name)
{
	if (!span_starts_nocase(item, SPAN("group:")))
		return false;
	*name = span_after(item, sizeof("group:") - 1);
	return true;
}
