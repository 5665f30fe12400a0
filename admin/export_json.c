#include "admin/export_json.h"

#include <jansson.h>

/* ---- out */

static json_t *
base64_json(struct span bytes)
{
	struct buf text = buf_make(EXPORT_LINE_MAX);
	json_t *value;

	base64_put(&text, bytes);
	value = json_stringn(text.n ? text.at : "", text.n);
	buf_release(&text);
	return value;
}

/* A text that is no UTF-8 becomes {"base64": ...}. */
static json_t *
text_json(struct span text)
{
	json_t *value = json_stringn(text.n ? text.at : "", text.n);

	return value ? value : json_pack("{s:o}", "base64", base64_json(text));
}

static json_t *
addresses_json(struct span items)
{
	json_t *list = json_array();
	struct cursor c = cursor_make(items);
	struct span item;

	while (directory_item_next(&c, &item))
		json_array_append_new(list, text_json(item));
	return list;
}

static json_t *
words_json(const struct directory_field *f, const struct directory_value *v)
{
	struct buf words = buf_make(1024);
	json_t *value;

	directory_value_write(f, v, &words);
	value = text_json(buf_span(&words));
	buf_release(&words);
	return value;
}

static json_t *
scram_json(const struct scram_keys *keys)
{
	struct buf text = buf_make(1024);
	json_t *value;

	buf_putf(&text, "%u,", keys->iterations);
	base64_put(&text, span_make(keys->salt, keys->salt_bytes));
	buf_put_char(&text, ',');
	base64_put(&text, span_make(keys->stored_key, SCRAM_KEY_BYTES));
	buf_put_char(&text, ',');
	base64_put(&text, span_make(keys->server_key, SCRAM_KEY_BYTES));
	value = text_json(buf_span(&text));
	buf_release(&text);
	return value;
}

static json_t *
password_json(struct span secret)
{
	struct cursor c = cursor_make(secret);
	struct directory_password p;
	json_t *value = json_object();

	directory_password_get(&c, &p);
	if (!cursor_done(&c)) {
		json_object_set_new(value, "base64", base64_json(secret));
		return value;
	}
	json_object_set_new(value, "crypt", json_string(p.crypt));
	if (p.has_scram)
		json_object_set_new(value, "scram_sha_256", scram_json(&p.scram));
	directory_password_wipe(&p);
	return value;
}

static bool
is_password(enum directory_kind kind, size_t number)
{
	return kind == DIRECTORY_ACCOUNT && number == FIELD_ACCOUNT_PASSWORD;
}

static json_t *
value_json(enum directory_kind kind, size_t number, const struct directory_value *v)
{
	const struct directory_field *f = directory_field(kind, number);

	if (is_password(kind, number))
		return password_json(v->text);
	switch (f->type) {
	case DIRECTORY_SECRET:
		return base64_json(v->text);
	case DIRECTORY_ADDRESSES:
		return addresses_json(v->text);
	case DIRECTORY_FLAG:
		return json_boolean(v->number != 0);
	case DIRECTORY_CHOICE:
	case DIRECTORY_SET:
		return words_json(f, v);
	default:
		return directory_field_is_number(f)
			   ? json_integer((json_int_t)v->number)
			   : text_json(v->text);
	}
}

static json_t *
object_json(const struct directory_object *o)
{
	json_t *line = json_object();

	json_object_set_new(line, "kind", json_string(directory_kind_name(o->kind)));
	json_object_set_new(line, "name", text_json(o->name));
	if (o->label.n > 0)
		json_object_set_new(line, "label", text_json(o->label));
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(o->kind, i);
		/* That of an account is no other's field: names do not meet. */
		const char *key = f ? f->name : NULL;

		if (!f || (f->flags & DIRECTORY_DERIVED) ||
		    o->values[i].how == DIRECTORY_VALUE_ABSENT)
			continue;
		if (strcmp(key, "name") == 0)
			key = "full_name";
		json_object_set_new(line, key, value_json(o->kind, i, &o->values[i]));
	}
	return line;
}

int
export_json_put(const struct directory_object *o, struct buf *out, struct err *err)
{
	json_t *line = object_json(o);
	char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(line);
	if (!text)
		return err_set(err, "%.*s: no JSON can be made of it",
			       SPAN_ARG(o->name));
	buf_put_str(out, text);
	buf_put_char(out, '\n');
	explicit_bzero(text, strlen(text));
	free(text);
	return out->full ? err_set(err, "%.*s: too long for a line", SPAN_ARG(o->name))
			 : 0;
}

/* ---- in */

static bool
keep_text(struct arena *arena, const char *at, size_t n, struct span *out)
{
	if (n == 0) {
		*out = SPAN("");
		return true;
	}
	return arena_copy(arena, span_make(at, n), out);
}

static bool
base64_text(struct arena *arena, const json_t *value, struct span *out)
{
	struct buf bytes = buf_make(EXPORT_LINE_MAX);
	bool good =
	    json_is_string(value) &&
	    base64_parse(span_make(json_string_value(value), json_string_length(value)),
			 &bytes) &&
	    keep_text(arena, bytes.at, bytes.n, out);

	buf_release(&bytes);
	return good;
}

static bool
text_get(struct arena *arena, const json_t *value, struct span *out)
{
	if (json_is_object(value))
		return base64_text(arena, json_object_get(value, "base64"), out);
	return json_is_string(value) && keep_text(arena, json_string_value(value),
						  json_string_length(value), out);
}

static bool
addresses_get(struct arena *arena, const json_t *value, struct span *out)
{
	struct buf items = buf_make(EXPORT_LINE_MAX);
	bool good = json_is_array(value);

	for (size_t i = 0; good && i < json_array_size(value); i++) {
		struct span item;

		good = text_get(arena, json_array_get(value, i), &item);
		if (good)
			directory_item_put(&items, item);
	}
	good = good && !items.full && keep_text(arena, items.at, items.n, out);
	buf_release(&items);
	return good;
}

/* The form that directory_password_import() makes keys of. */
static bool
scram_get(const json_t *value, struct scram_keys *out)
{
	struct buf text = buf_make(DIRECTORY_CRYPT_MAX);
	struct directory_password p;
	struct err err;
	bool good;

	buf_putf(&text, "{SCRAM-SHA-256}%s", json_string_value(value));
	good = directory_password_import(buf_span(&text), &p, &err) == 0 && p.has_scram;
	if (good)
		*out = p.scram;
	buf_release(&text);
	return good;
}

static bool
password_get(struct arena *arena, const json_t *value, struct span *out)
{
	const json_t *crypt = json_object_get(value, "crypt");
	const json_t *scram = json_object_get(value, "scram_sha_256");
	struct directory_password p = {.has_scram = scram != NULL};
	struct buf bytes = buf_make(EXPORT_LINE_MAX);
	bool good;

	if (!crypt)
		return text_get(arena, value, out);
	good =
	    json_is_string(crypt) &&
	    span_copy(span_str(json_string_value(crypt)), p.crypt, sizeof(p.crypt)) &&
	    (!scram || (json_is_string(scram) && scram_get(scram, &p.scram)));
	directory_password_put(&p, &bytes);
	good = good && keep_text(arena, bytes.at, bytes.n, out);
	buf_release(&bytes);
	directory_password_wipe(&p);
	return good;
}

static bool
words_get(struct arena *arena, const struct directory_field *f, const json_t *value,
	  struct directory_value *out)
{
	struct span words;
	struct err err;

	return text_get(arena, value, &words) &&
	       directory_value_parse(f, words, arena, out, &err) == 0;
}

static bool
value_get(struct arena *arena, enum directory_kind kind, size_t number,
	  const json_t *value, struct directory_value *out)
{
	const struct directory_field *f = directory_field(kind, number);

	if (is_password(kind, number))
		return password_get(arena, value, &out->text);
	switch (f->type) {
	case DIRECTORY_SECRET:
		return base64_text(arena, value, &out->text);
	case DIRECTORY_ADDRESSES:
		return addresses_get(arena, value, &out->text);
	case DIRECTORY_FLAG:
		out->number = json_is_true(value);
		return json_is_boolean(value);
	case DIRECTORY_CHOICE:
	case DIRECTORY_SET:
		return words_get(arena, f, value, out);
	default:
		break;
	}
	if (!directory_field_is_number(f))
		return text_get(arena, value, &out->text);
	out->number = (uint64_t)json_integer_value(value);
	return json_is_integer(value);
}

static bool
kind_get(const json_t *line, enum directory_kind *out)
{
	const char *kind = json_string_value(json_object_get(line, "kind"));

	for (int i = 0; kind && i < DIRECTORY_KINDS; i++) {
		if (strcmp(directory_kind_name((enum directory_kind)i), kind) == 0) {
			*out = (enum directory_kind)i;
			return true;
		}
	}
	return false;
}

static bool
is_head(const char *key)
{
	return strcmp(key, "kind") == 0 || strcmp(key, "name") == 0 ||
	       strcmp(key, "label") == 0;
}

static int
fields_get(json_t *line, struct arena *arena, struct directory_object *o,
	   struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(line, key, value)
	{
		const char *name = strcmp(key, "full_name") == 0 ? "name" : key;
		size_t number = directory_field_number(o->kind, span_str(name));

		if (is_head(key))
			continue;
		if (number == 0)
			return err_set(err, "no field '%.60s' of a %s", key,
				       directory_kind_name(o->kind));
		if (!value_get(arena, o->kind, number, value, &o->values[number]))
			return err_set(err, "%.*s: '%.60s' is no value for it",
				       SPAN_ARG(span_first(o->name, 100)), key);
		o->values[number].how = DIRECTORY_VALUE_SET;
	}
	return 0;
}

int
export_json_get(struct span text, struct arena *arena, struct directory_object *out,
		struct err *err)
{
	json_error_t error;
	json_t *line =
	    json_loadb(text.n ? text.at : "", text.n, JSON_REJECT_DUPLICATES, &error);
	struct directory_object o = {0};
	const json_t *label;
	int r;

	if (!json_is_object(line) || !kind_get(line, &o.kind) ||
	    !text_get(arena, json_object_get(line, "name"), &o.name)) {
		json_decref(line);
		return err_set(err, "no object: %.100s",
			       line ? "kind or name" : error.text);
	}
	label = json_object_get(line, "label");
	if (label && !text_get(arena, label, &o.label))
		o.label = SPAN("");
	r = fields_get(line, arena, &o, err);
	json_decref(line);
	if (r == 0)
		*out = o;
	return r;
}
