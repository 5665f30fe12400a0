#include "common/conf/value.h"

#include <inttypes.h>

#include <idn2.h>

/* What a word must be for each type: the text an operator reads, and the check. */

static bool
has_control(struct span word)
{
	for (size_t i = 0; i < word.n; i++)
		if ((uint8_t)word.at[i] < ' ' || word.at[i] == 0x7f)
			return true;
	return false;
}

static bool
label_ok(struct span label)
{
	if (label.n == 0 || label.n > 63 || label.at[0] == '-' ||
	    label.at[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!ascii_alnum(label.at[i]) && label.at[i] != '-' &&
		    (uint8_t)label.at[i] < 0x80)
			return false;
	return true;
}

bool
conf_domain_ok(struct span word)
{
	struct span rest = word;

	if (word.n == 0 || word.n > 253)
		return false;
	while (rest.n > 0)
		if (!label_ok(span_cut(&rest, '.')))
			return false;
	return word.at[word.n - 1] != '.';
}

char *
conf_domain_ascii(struct span word)
{
	char *copy = span_dup(word), *ascii = NULL, *out = NULL;

	if (idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) ==
	    IDN2_OK)
		out = span_dup(span_str(ascii));
	idn2_free(ascii);
	free(copy);
	return out;
}

static char *
domain_dup(struct span word)
{
	char *copy = span_dup(word);

	for (char *at = copy; *at; at++)
		*at = ascii_lower(*at);
	return copy;
}

static int
length_check(const struct conf_row *row, struct span word, struct err *err)
{
	if (has_control(word))
		return err_set(err, "has a control character");
	if (word.n < row->min)
		return err_set(err,
			       row->min == 1 ? "must not be empty" : "is too short");
	if (word.n > row->max)
		return err_set(err, "is longer than %" PRIu64 " bytes", row->max);
	return 0;
}

static int
text_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	if (length_check(row, word, err) != 0)
		return -1;
	*(char **)member = span_dup(word);
	return 0;
}

static int
domain_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	if (length_check(row, word, err) != 0)
		return -1;
	if (word.n > 0 && !conf_domain_ok(word))
		return err_set(err, "is not a domain name");
	*(char **)member = domain_dup(word);
	return 0;
}

static int
path_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	if (length_check(row, word, err) != 0)
		return -1;
	if (word.n > 0 && word.at[0] != '/')
		return err_set(err, "must be a path that starts with /");
	*(char **)member = span_dup(word);
	return 0;
}

static int
number_check(const struct conf_row *row, uint64_t value, struct err *err)
{
	if (value < row->min)
		return err_set(err, "must be at least %" PRIu64, row->min);
	if (value > row->max)
		return err_set(err, "must be at most %" PRIu64, row->max);
	return 0;
}

static int
number_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	uint64_t value;

	if (!number_parse(word, UINT64_MAX, &value))
		return err_set(err, "must be a number");
	if (number_check(row, value, err) != 0)
		return -1;
	*(uint64_t *)member = value;
	return 0;
}

static int
bytes_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	uint64_t value;

	if (!number_parse_bytes(word, &value))
		return err_set(err, "must be a size such as 500, 64K or 50M");
	if (number_check(row, value, err) != 0)
		return -1;
	*(uint64_t *)member = value;
	return 0;
}

static int
seconds_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	uint64_t value;

	if (!number_parse_seconds(word, &value))
		return err_set(err, "must be a duration such as 30s, 5m, 4h or 5d");
	if (number_check(row, value, err) != 0)
		return -1;
	*(uint64_t *)member = value;
	return 0;
}

static int
switch_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

	(void)row;
	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (span_equal_nocase(word, span_str(words[i]))) {
			*(bool *)member = i % 2 == 1;
			return 0;
		}
	return err_set(err, "must be yes or no");
}

struct span
conf_choice_word(const struct conf_row *row, size_t n, bool *star)
{
	struct span rest = span_str(row->preset), word = {0};

	for (size_t i = 0; i <= n; i++)
		word = span_cut(&rest, '|');
	*star = word.n > 0 && word.at[0] == '*';
	return span_after(word, *star ? 1 : 0);
}

static void
choice_complain(const struct conf_row *row, struct err *err)
{
	struct buf words = buf_make(sizeof(err->text));
	bool star;

	for (size_t i = 0; i <= row->max; i++) {
		buf_put_str(&words, i == 0          ? "must be "
				    : i == row->max ? " or "
						    : ", ");
		buf_put(&words, conf_choice_word(row, i, &star));
	}
	err_set(err, "%.*s", SPAN_ARG(buf_span(&words)));
	buf_release(&words);
}

static int
choice_set(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	bool star;

	for (size_t i = 0; i <= row->max; i++)
		if (span_equal_nocase(word, conf_choice_word(row, i, &star))) {
			*(int *)member = (int)i;
			return 0;
		}
	choice_complain(row, err);
	return -1;
}

static char *
list_extend(struct conf_list *list, char *word)
{
	list->at = memory_resize(list->at, list->n + 1, sizeof(*list->at));
	return list->at[list->n++] = word;
}

static int
list_add(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	(void)row;
	if (word.n == 0 || has_control(word))
		return err_set(err, "has an empty word or a control character");
	list_extend(member, span_dup(word));
	return 0;
}

static int
domains_add(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	(void)row;
	if (!conf_domain_ok(word))
		return err_set(err, "is not a domain name");
	list_extend(member, domain_dup(word));
	return 0;
}

static int
listen_add(const struct conf_row *row, struct span word, void *member, struct err *err)
{
	struct conf_listen parsed;

	(void)row;
	if (!conf_listen_parse(word, &parsed))
		return err_set(err, "must be ADDRESS:PORT, [ADDRESS]:PORT or *:PORT");
	list_extend(member, span_dup(word));
	return 0;
}

static int
networks_add(const struct conf_row *row, struct span word, void *member,
	     struct err *err)
{
	struct conf_networks *list = member;
	struct conf_network parsed;

	(void)row;
	if (!conf_network_parse(word, &parsed))
		return err_set(err, "must be a network such as 192.0.2.0/24 or "
				    "2001:db8::/32");
	list->at = memory_resize(list->at, list->n + 1, sizeof(*list->at));
	list->at[list->n++] = parsed;
	return 0;
}

static const struct conf_type_row {
	bool list;
	int (*take)(const struct conf_row *, struct span, void *, struct err *);
} types[] = {
    [CONF_TEXT] = {false, text_set    },
      [CONF_DOMAIN] = {false, domain_set  },
    [CONF_PATH] = {false, path_set    },
      [CONF_NUMBER] = {false, number_set  },
    [CONF_BYTES] = {false, bytes_set   },
      [CONF_SECONDS] = {false, seconds_set },
    [CONF_SWITCH] = {false, switch_set  },
      [CONF_CHOICE] = {false, choice_set  },
    [CONF_LIST] = {true,  list_add    },
      [CONF_DOMAINS] = {true,  domains_add },
    [CONF_LISTEN] = {true,  listen_add  },
      [CONF_NETWORKS] = {true,  networks_add},
};

int
conf_value_set(const struct conf_row *row, struct conf_words words, void *out,
	       size_t *word, struct err *err)
{
	*word = words.n;
	if (!types[row->type].list && words.n != 1)
		return err_set(err, "takes one value");
	if (types[row->type].list && words.n < row->min)
		return err_set(err, "needs at least %" PRIu64 " values", row->min);
	if (types[row->type].list && words.n > row->max)
		return err_set(err, "takes at most %" PRIu64 " values", row->max);
	for (size_t i = 0; i < words.n; i++) {
		*word = i;
		if (types[row->type].take(row, words.at[i], conf_member(row, out),
					  err) != 0) {
			conf_value_release(row, out);
			return -1;
		}
	}
	return 0;
}

static struct span
preset_next(const struct conf_row *row, struct span *rest)
{
	struct span word;
	bool star = false;

	if (row->type != CONF_CHOICE)
		return types[row->type].list ? span_cut(rest, ',')
					     : span_cut(rest, '\0');
	for (size_t i = 0; !star; i++)
		word = conf_choice_word(row, i, &star);
	return word;
}

void
conf_value_preset(const struct conf_row *row, void *out)
{
	struct span rest = span_str(row->preset);
	struct err err;

	do {
		struct span word = preset_next(row, &rest);

		if (word.n == 0 && types[row->type].list)
			return;
		ASSERT(types[row->type].take(row, word, conf_member(row, out), &err) ==
		       0);
	} while (types[row->type].list && rest.n > 0);
}

static void
list_release(struct conf_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->at[i]);
	free(list->at);
	*list = (struct conf_list){0};
}

void
conf_value_release(const struct conf_row *row, void *out)
{
	void *member = conf_member(row, out);

	switch (row->type) {
	case CONF_TEXT:
	case CONF_DOMAIN:
	case CONF_PATH:
		free(*(char **)member);
		*(char **)member = NULL;
		break;
	case CONF_LIST:
	case CONF_DOMAINS:
	case CONF_LISTEN:
		list_release(member);
		break;
	case CONF_NETWORKS:
		free(((struct conf_networks *)member)->at);
		*(struct conf_networks *)member = (struct conf_networks){0};
		break;
	default:
		break;
	}
}

static void
list_copy(const struct conf_list *from, struct conf_list *out)
{
	for (size_t i = 0; i < from->n; i++)
		list_extend(out, span_dup(span_str(from->at[i])));
}

static void
networks_copy(const struct conf_networks *from, struct conf_networks *out)
{
	out->at = memory_new(from->n, sizeof(*out->at));
	out->n = from->n;
	for (size_t i = 0; i < from->n; i++)
		out->at[i] = from->at[i];
}

void
conf_value_copy(const struct conf_row *row, const void *from, void *out)
{
	const void *source = conf_member_const(row, from);
	void *member = conf_member(row, out);

	switch (row->type) {
	case CONF_TEXT:
	case CONF_DOMAIN:
	case CONF_PATH:
		*(char **)member = span_dup(span_str(*(char *const *)source));
		break;
	case CONF_NUMBER:
	case CONF_BYTES:
	case CONF_SECONDS:
		*(uint64_t *)member = *(const uint64_t *)source;
		break;
	case CONF_SWITCH:
		*(bool *)member = *(const bool *)source;
		break;
	case CONF_CHOICE:
		*(int *)member = *(const int *)source;
		break;
	case CONF_LIST:
	case CONF_DOMAINS:
	case CONF_LISTEN:
		list_copy(source, member);
		break;
	case CONF_NETWORKS:
		networks_copy(source, member);
		break;
	}
}
