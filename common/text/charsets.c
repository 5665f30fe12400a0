#include "common/text/charsets.h"

#include <errno.h>
#include <iconv.h>

#define NAME_BYTES  (MIME_CHARSET_NAME_MAX + 1)
#define PIECE_BYTES 4096
#define NO_ICONV    ((iconv_t)-1)

/* What mail says, in lower case and without "x-", and what is meant by it. */
static const struct alias {
	const char *name;
	const char *iconv;
} aliases[] = {
    {"ansi",	      "CP1252"           },
    {"big5",	      "BIG5-HKSCS"       },
    {"big5-eten",         "BIG5-HKSCS"       },
    {"cn-big5",           "BIG5-HKSCS"       },
    {"cn-gb",             "GB18030"          },
    {"cp1252",            "CP1252"           },
    {"cp65001",           "UTF-8"            },
    {"cp936",             "GB18030"          },
    {"csgb2312",          "GB18030"          },
    {"euc-cn",            "GB18030"          },
    {"euc-jp",            "EUC-JP-MS"        },
    {"euc-kr",            "CP949"            },
    {"gb2312",            "GB18030"          },
    {"gb2312-80",         "GB18030"          },
    {"gb_2312-80",        "GB18030"          },
    {"gbk",	       "GB18030"          },
    {"iso-2022-jp",       "ISO-2022-JP-2"    },
    {"iso-8859-11",       "CP874"            },
    {"iso-8859-6-e",      "ISO-8859-6"       },
    {"iso-8859-6-i",      "ISO-8859-6"       },
    {"iso-8859-8-e",      "ISO-8859-8"       },
    {"iso-8859-8-i",      "ISO-8859-8"       },
    {"iso-8859-9",        "CP1254"           },
    {"iso8859-9",         "CP1254"           },
    {"ks_c_5601",         "CP949"            },
    {"ks_c_5601-1987",    "CP949"            },
    {"ks_c_5601-1989",    "CP949"            },
    {"ksc5601",           "CP949"            },
    {"latin-1",           "CP1252"           },
    {"latin5",            "CP1254"           },
    {"logical",           "ISO-8859-8"       },
    {"mac-ce",            "MAC-CENTRALEUROPE"},
    {"mac-cyrillic",      "MAC-CYRILLIC"     },
    {"mac-roman",         "MACINTOSH"        },
    {"ms932",             "CP932"            },
    {"ms_kanji",          "CP932"            },
    {"shift-jis",         "CP932"            },
    {"shift_jis",         "CP932"            },
    {"sjis",	      "CP932"            },
    {"tis-620",           "CP874"            },
    {"tis620",            "CP874"            },
    {"unicode-1-1-utf-7", "UTF-7"            },
    {"unicode-1-1-utf-8", "UTF-8"            },
    {"unicode-2-0-utf-7", "UTF-7"            },
    {"visual",            "ISO-8859-8"       },
    {"windows-31j",       "CP932"            },
    {"windows-874",       "CP874"            },
    {"windows-936",       "GB18030"          },
    {"windows-949",       "CP949"            },
    {"windows-950",       "BIG5-HKSCS"       },
};

/* iconv's names for what lies in its own memory, which no mail can mean. */
static const char *const forbidden[] = {"internal", "wchar_t", "char"};

struct charset {
	char name[NAME_BYTES]; /* as plain_name() gives it */
	iconv_t iconv;         /* NO_ICONV: there is no such charset */
	size_t unit;           /* bytes of the smallest piece of a character */
	uint64_t used;         /* 0: a free place */
};

struct text_charsets {
	struct mime_charsets mime;
	struct charset open[TEXT_CHARSETS_OPEN];
	uint64_t uses;
};

/* In lower case, without "x-"; false when it can be no charset's name. */
static bool
plain_name(struct span name, char out[NAME_BYTES])
{
	name = span_trim(name, " \t\"'");
	if (span_starts_nocase(name, SPAN("x-")))
		name = span_after(name, 2);
	if (name.n == 0 || name.n >= NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.at[i]);

		if (!ascii_alnum(c) && !memchr("-_.:()+", c, 7))
			return false;
		out[i] = c;
	}
	out[name.n] = '\0';
	for (size_t i = 0; i < N_ELEMS(forbidden); i++)
		if (strcmp(out, forbidden[i]) == 0)
			return false;
	return true;
}

/* "windows1252", "cp-1252", "iso_8859_15" */
static void
other_spelling(const char *name, char out[NAME_BYTES])
{
	struct span s = span_str(name);
	size_t n = 0;

	if (span_starts(s, SPAN("windows")) || span_starts(s, SPAN("cp-"))) {
		s = span_after(s, s.at[0] == 'w' ? 7 : 3);
		s = span_trim(s, "-_");
		memcpy(out, "cp", 2);
		n = 2;
	}
	for (size_t i = 0; i < s.n && n + 1 < NAME_BYTES; i++)
		out[n++] = s.at[i] == '_' ? '-' : s.at[i];
	out[n] = '\0';
}

static const char *
alias_of(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0)
			return aliases[i].iconv;
	return name;
}

static size_t
unit_of(const char *iconv_name)
{
	struct span s = span_str(iconv_name);

	if (span_starts_nocase(s, SPAN("utf-16")) ||
	    span_starts_nocase(s, SPAN("utf16")) ||
	    span_starts_nocase(s, SPAN("ucs-2")) || span_starts_nocase(s, SPAN("ucs2")))
		return 2;
	if (span_starts_nocase(s, SPAN("utf-32")) ||
	    span_starts_nocase(s, SPAN("utf32")) ||
	    span_starts_nocase(s, SPAN("ucs-4")) || span_starts_nocase(s, SPAN("ucs4")))
		return 4;
	return 1;
}

static void
charset_open(struct charset *c)
{
	const char *name = alias_of(c->name);
	char other[NAME_BYTES];

	c->unit = unit_of(name);
	c->iconv = iconv_open("UTF-8", name);
	if (c->iconv != NO_ICONV)
		return;
	other_spelling(c->name, other);
	c->iconv = iconv_open("UTF-8", alias_of(other));
}

static void
charset_close(struct charset *c)
{
	if (c->used > 0 && c->iconv != NO_ICONV)
		iconv_close(c->iconv);
	c->used = 0;
}

static struct charset *
charset_get(struct text_charsets *set, const char *name)
{
	struct charset *oldest = &set->open[0];

	for (size_t i = 0; i < TEXT_CHARSETS_OPEN; i++) {
		struct charset *c = &set->open[i];

		if (c->used > 0 && strcmp(c->name, name) == 0)
			return c;
		if (c->used < oldest->used)
			oldest = c;
	}
	charset_close(oldest);
	memcpy(oldest->name, name, strlen(name) + 1);
	charset_open(oldest);
	return oldest;
}

/* One call of iconv: what it made goes to `out`. Its errno, or 0 when all of `in` is
 * taken; a null `in` ends the text. */
static int
piece_convert(const struct charset *c, struct span *in, struct buf *out)
{
	char piece[PIECE_BYTES], *to = piece,
				 *from = in ? (char *)(uintptr_t)in->at : NULL;
	size_t room = sizeof(piece), left = in ? in->n : 0;
	size_t result =
	    iconv(c->iconv, in ? &from : NULL, in ? &left : NULL, &to, &room);
	int error = result == (size_t)-1 ? errno : 0;

	if (error == E2BIG && to == piece)
		error = EILSEQ;
	buf_put(out, span_make(piece, (size_t)(to - piece)));
	if (in)
		*in = span_after(*in, in->n - left);
	return error;
}

static bool
convert(void *context, struct span charset, struct span bytes, struct buf *out)
{
	struct text_charsets *set = context;
	char name[NAME_BYTES];
	struct charset *c;

	if (!plain_name(charset, name))
		return false;
	c = charset_get(set, name);
	c->used = ++set->uses;
	if (c->iconv == NO_ICONV)
		return false;
	(void)iconv(c->iconv, NULL, NULL, NULL, NULL);
	while (bytes.n > 0 && !out->full) {
		int error = piece_convert(c, &bytes, out);

		if (error == 0 || error == E2BIG)
			continue;
		buf_put(out, SPAN("\xef\xbf\xbd"));
		bytes = span_after(bytes, error == EILSEQ ? c->unit : bytes.n);
	}
	(void)piece_convert(c, NULL, out);
	return true;
}

struct text_charsets *
text_charsets_new(void)
{
	struct text_charsets *set = memory_new(1, sizeof(*set));

	set->mime = (struct mime_charsets){convert, set};
	return set;
}

void
text_charsets_free(struct text_charsets **charsets)
{
	if (!*charsets)
		return;
	for (size_t i = 0; i < TEXT_CHARSETS_OPEN; i++)
		charset_close(&(*charsets)->open[i]);
	free(*charsets);
	*charsets = NULL;
}

const struct mime_charsets *
text_charsets_mime(const struct text_charsets *charsets)
{
	return &charsets->mime;
}
