#include "common/directory/internal.h"

#include <sys/random.h>

/* 28 letters of five bits: a password that needs no slow hash. */
#define LETTERS     28
#define GROUP       4
#define SALT_BYTES  16
#define SECRET_KIND 1 /* HMAC-SHA-256 of the letters under the salt */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void
secret_put(struct span salt, struct span letters, struct buf *out)
{
	uint8_t key[SCRAM_KEY_BYTES];

	scram_hmac(salt, letters, key);
	wire_put_u8(out, SECRET_KIND);
	buf_put(out, salt);
	buf_put(out, span_make(key, sizeof(key)));
	explicit_bzero(key, sizeof(key));
}

int
directory_app_password_make(char text[DIRECTORY_APP_PASSWORD_MAX], struct buf *secret,
			    struct err *err)
{
	uint8_t bits[LETTERS], salt[SALT_BYTES];
	char letters[LETTERS];
	size_t n = 0;

	if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits) ||
	    getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return err_sys(err, "getrandom");
	for (size_t i = 0; i < LETTERS; i++) {
		letters[i] = alphabet[bits[i] % 32];
		if (i > 0 && i % GROUP == 0)
			text[n++] = '-';
		text[n++] = letters[i];
	}
	text[n] = '\0';
	secret_put(span_make(salt, sizeof(salt)), span_make(letters, LETTERS), secret);
	explicit_bzero(bits, sizeof(bits));
	explicit_bzero(letters, sizeof(letters));
	return 0;
}

/* The letters of what was typed, whatever stands between the groups. */
static bool
letters_of(struct span password, char out[LETTERS])
{
	size_t n = 0;

	for (size_t i = 0; i < password.n; i++) {
		char c = ascii_lower(password.at[i]);

		if (c == '-' || c == ' ')
			continue;
		if (n == LETTERS || c == '\0' || !strchr(alphabet, c))
			return false;
		out[n++] = c;
	}
	return n == LETTERS;
}

static bool
secret_matches(struct span secret, struct span letters)
{
	struct buf made = buf_make(1 + SALT_BYTES + SCRAM_KEY_BYTES);
	bool same;

	if (secret.n != made.max || secret.at[0] != SECRET_KIND)
		return false;
	secret_put(span_make(secret.at + 1, SALT_BYTES), letters, &made);
	same = made.n == secret.n && scram_equal(made.at, secret.at, secret.n);
	buf_release(&made);
	return same;
}

/* ---- which one it is */

struct matching {
	struct span letters;
	unsigned scope;
	char *label;
	bool found;
};

static bool
visit_match(void *context, struct span key, struct span value)
{
	struct matching *m = context;
	struct directory_object o = {.kind = DIRECTORY_APP_PASSWORD};
	struct record_name name;

	if (!record_key_name(DIRECTORY_APP_PASSWORD, key, &name) ||
	    !record_get_object(value, &o) ||
	    !(o.values[FIELD_APP_PASSWORD_SCOPE].number & m->scope) ||
	    !secret_matches(o.values[FIELD_APP_PASSWORD_SECRET].text, m->letters))
		return true;
	memcpy(m->label, name.label, sizeof(name.label));
	m->found = true;
	return false;
}

int
directory_app_password_find(struct directory *d, struct span address,
			    struct span password, unsigned scope,
			    char label[DIRECTORY_LABEL_MAX + 1], struct err *err)
{
	char letters[LETTERS];
	struct matching m = {
	    .letters = span_make(letters, LETTERS), .scope = scope, .label = label};
	struct directory_domain domain;
	struct directory_name name;
	int r = 1;

	if (!letters_of(password, letters) ||
	    directory_name_parse(address, &name, err) != 0)
		return 0;
	r = directory_map_domain(d, &name, &domain, err);
	if (r > 0)
		r = directory_walk(d, record_key_in(DIRECTORY_APP_PASSWORD, &name),
				   (struct span){0}, DIRECTORY_APP_PASSWORDS_MAX,
				   visit_match, &m, err);
	explicit_bzero(letters, sizeof(letters));
	return r < 0 ? -1 : m.found;
}

/* ---- adding and changing */

static enum directory_result
check_new(struct change *c)
{
	struct directory_object account;
	size_t n = 0;
	enum directory_result r = change_load(c, DIRECTORY_ACCOUNT, &c->name.name,
					      (struct span){0}, &account);

	if (r == DIRECTORY_NOT_FOUND)
		return directory_say(r, c->err, "there is no account %.150s",
				     c->name.name.text);
	if (r != DIRECTORY_DONE)
		return r;
	if (directory_count(c->d, record_key_in(DIRECTORY_APP_PASSWORD, &c->name.name),
			    DIRECTORY_APP_PASSWORDS_MAX, &n, c->err) != 0)
		return DIRECTORY_FAULT;
	if (n >= DIRECTORY_APP_PASSWORDS_MAX)
		return directory_say(DIRECTORY_LIMIT, c->err,
				     "an account has at most %d app passwords",
				     DIRECTORY_APP_PASSWORDS_MAX);
	return DIRECTORY_DONE;
}

static enum directory_result
check(struct change *c)
{
	struct directory_value *v = c->object.values;

	if (c->is_new) {
		directory_put_number(&c->object, FIELD_APP_PASSWORD_CREATED, c->now);
		if (c->wanted->values[FIELD_APP_PASSWORD_SCOPE].how ==
		    DIRECTORY_VALUE_ABSENT)
			directory_put_number(&c->object, FIELD_APP_PASSWORD_SCOPE,
					     DIRECTORY_SCOPE_SMTP |
						 DIRECTORY_SCOPE_IMAP |
						 DIRECTORY_SCOPE_POP3);
	}
	if (v[FIELD_APP_PASSWORD_SCOPE].number == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "an app password is for smtp, imap, pop3 or "
				     "several of them");
	if (v[FIELD_APP_PASSWORD_SECRET].text.n == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "an app password has a secret");
	return DIRECTORY_DONE;
}

const struct kind_rules app_password_rules = {.check_new = check_new, .check = check};
