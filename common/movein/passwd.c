#include "common/movein/passwd.h"

#define FIELDS       7
#define MAIL_MAX     4096
#define PEOPLE_FIRST 1000
#define PEOPLE_LAST  65533

enum {
	USER,
	PASSWORD,
	UID,
	GID,
	GECOS,
	HOME,
	SHELL
};

/* The next line without its end; lines of nothing and comments are passed over. */
static bool
next_line(struct span *text, struct span *line)
{
	while (text->n > 0) {
		*line = span_trim(span_cut(text, '\n'), "\r");
		if (line->n > 0 && line->at[0] != '#')
			return true;
	}
	return false;
}

/* Fields up to `n`; what is left stays in *rest. Within a {SCHEME} nothing is cut. */
static void
cut_fields(struct span *rest, struct span *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fields[i] = span_cut(rest, ':');
}

void
movein_quota_rule(struct movein *m, struct movein_object *o, struct span rule)
{
	struct span rest = rule;
	uint64_t number;

	span_cut(&rest, ':');
	while (o && rest.n > 0) {
		struct span limit = span_cut(&rest, ':');
		bool bytes = span_starts(limit, SPAN("bytes="));
		struct span value = span_after(limit, span_find(limit, '=') + 1);

		if (!bytes && !span_starts(limit, SPAN("storage=")))
			continue;
		if (!number_parse_bytes(span_trim(value, "bB"), &number))
			movein_note(m, o->name, "no quota in '%.*s'",
				    SPAN_ARG(span_first(rule, 100)));
		else if (number > 0) /* without a unit "storage" is in kilobytes */
			movein_set_number(m, o, "quota_bytes",
					  bytes || !ascii_digit(value.at[value.n - 1])
					      ? number
					      : number << 10);
	}
}

static void
extra_quota(struct movein *m, struct movein_object *o, struct span value)
{
	uint64_t number;

	if (o && number_parse_bytes(value, &number) && number > 0)
		movein_set_number(m, o, "quota_bytes", number);
}

static void
extra_nologin(struct movein *m, struct movein_object *o, struct span value)
{
	(void)value;
	movein_set_flag(m, o, "disabled", true);
}

static const struct {
	const char *name;
	void (*take)(struct movein *m, struct movein_object *o, struct span value);
} extras[] = {
    {"userdb_quota_rule",         movein_quota_rule},
    {"quota_rule",                movein_quota_rule},
    {"userdb_quota_storage_size", extra_quota      },
    {"userdb_mail",               movein_set_mail  },
    {"userdb_mail_path",          movein_set_mail  },
    {"nologin",                   extra_nologin    },
};

static void
take_extra(struct movein *m, struct movein_object *o, struct span words)
{
	while (words.n > 0) {
		struct span word = span_cut(&words, ' ');
		struct span name = span_first(word, span_find(word, '='));

		for (size_t i = 0; i < N_ELEMS(extras); i++)
			if (span_equal_nocase(name, span_str(extras[i].name)))
				extras[i].take(m, o, span_after(word, name.n + 1));
	}
}

/* "~/" and "%h" in where the mail lies are the home directory. */
static void
put_home(struct movein *m, struct movein_object *o, struct span home)
{
	size_t tilde = span_find_span(o->mail, SPAN("~/"));
	size_t h = span_find_span(o->mail, SPAN("%h"));
	size_t at = tilde < h ? tilde : h;
	struct buf whole = buf_make(MAIL_MAX);

	if (at == o->mail.n)
		return;
	buf_put(&whole, span_first(o->mail, at));
	buf_put(&whole, home);
	buf_put(&whole, span_after(o->mail, at + (tilde < h ? 1 : 2)));
	movein_set_mail(m, o, buf_span(&whole));
	buf_release(&whole);
}

static bool
is_person(const struct span *fields)
{
	uint64_t uid;

	return number_parse(fields[UID], UINT32_MAX, &uid) && uid >= PEOPLE_FIRST &&
	       uid <= PEOPLE_LAST;
}

static void
read_line(struct movein *m, struct span line, bool system)
{
	struct span fields[FIELDS], name;
	struct movein_object *o;

	cut_fields(&line, fields, FIELDS);
	if (system && !is_person(fields))
		return;
	if (m->domain.n == 0 && span_find(fields[USER], '@') == fields[USER].n) {
		movein_note(m, fields[USER],
			    "a user without a domain: name one with "
			    "--domain");
		return;
	}
	o = movein_add(m, MOVEIN_ACCOUNT, fields[USER]);
	movein_set_password(m, o, fields[PASSWORD]);
	movein_set_mail(m, o, fields[HOME]);
	name = span_trim(span_first(fields[GECOS], span_find(fields[GECOS], ',')), " ");
	if (name.n > 0)
		movein_set(m, o, "name", name);
	take_extra(m, o, line);
	if (o)
		put_home(m, o, fields[HOME]);
}

void
movein_passwd_read(struct movein *m, struct span text, bool system)
{
	struct span line;

	while (next_line(&text, &line))
		read_line(m, line, system);
}

void
movein_shadow_read(struct movein *m, struct span text)
{
	struct span line, fields[2];

	while (next_line(&text, &line)) {
		struct buf name = buf_make(MOVEIN_NAME_MAX);

		cut_fields(&line, fields, 2);
		buf_put(&name, fields[USER]);
		if (span_find(fields[USER], '@') == fields[USER].n) {
			buf_put_char(&name, '@');
			buf_put(&name, m->domain);
		}
		movein_set_password(m, movein_find(m, MOVEIN_ACCOUNT, buf_span(&name)),
				    fields[PASSWORD]);
		buf_release(&name);
	}
}
