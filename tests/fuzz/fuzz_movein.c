/* tests/fuzz/fuzz_movein.c - any text as what another mail system left behind
 *
 * The first byte says for what it is taken. Whatever it is, the list stays whole:
 * each object is found by its name.
 */
#include "common/movein/movein.h"

#define MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_passwd(struct movein *m, struct span text)
{
	movein_passwd_read(m, text, false);
	movein_shadow_read(m, text);
}

static void
read_postfix(struct movein *m, struct span text)
{
	struct buf out = buf_make(MOVEIN_SETTING_MAX);

	movein_postfix_setting(text, "virtual_mailbox_domains", &out);
	movein_postfix_domains(m, buf_span(&out));
	movein_postfix_domain_map(m, text);
	movein_postfix_mailboxes(m, text, SPAN("/mail"));
	movein_postfix_aliases(m, text);
	buf_release(&out);
}

static void
take_any(void *context, const struct movein_row *row)
{
	struct movein_hmail_folder folder;
	struct movein_hmail_message message;
	struct buf path = buf_make(1024);

	movein_user_row(context, row);
	if (movein_hmail_folder(row, &folder))
		ASSERT(folder.uidnext > 0);
	if (movein_hmail_message(row, &message) &&
	    movein_hmail_path(SPAN("jane@example.org"), message.file, &path))
		ASSERT(path.n > 4);
	buf_release(&path);
}

static void
read_users(struct movein *m, struct span text)
{
	size_t bad;

	(void)movein_csv_read(text, SPAN("users"), take_any, m, &bad);
	(void)movein_dump_read(text, NULL, take_any, m, &bad);
}

static void
read_postfixadmin(struct movein *m, struct span text)
{
	struct movein_postfixadmin p = {.m = m};
	size_t bad;

	(void)movein_dump_read(text, NULL, movein_postfixadmin_row, &p, &bad);
	movein_postfixadmin_end(&p);
}

static void
read_hmailserver(struct movein *m, struct span text)
{
	struct movein_hmailserver h = {.m = m};
	size_t bad;

	(void)movein_dump_read(text, NULL, movein_hmailserver_row, &h, &bad);
	movein_hmailserver_release(&h);
}

static void (*const readers[])(struct movein *m, struct span text) = {
    read_passwd, read_postfix, read_users, read_postfixadmin, read_hmailserver,
};

static void
check_list(const struct movein *m)
{
	struct buf out = buf_make(1024);

	for (size_t i = 0; i < m->n; i++) {
		const struct movein_object *o = m->objects[i];

		ASSERT(movein_find(m, o->kind, o->name) == o);
		if (movein_password(o->password, &out) == MOVEIN_PASSWORD_HASH)
			ASSERT(out.n > 0);
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct movein m;

	if (size == 0)
		return 0;
	movein_init(&m, MAX);
	m.domain = SPAN("example.org");
	readers[data[0] % N_ELEMS(readers)](&m, span_make(data + 1, size - 1));
	movein_settle(&m);
	check_list(&m);
	movein_release(&m);
	return 0;
}
