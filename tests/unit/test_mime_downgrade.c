/* tests/unit/test_mime_downgrade.c - 8-bit messages for a server of 7 bits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/mime/mime.h"

#define UE "\xc3\xbc"
#define QP "Content-Transfer-Encoding: quoted-printable\r\n"

static const struct row {
	const char *name;
	const char *in;
	const char *want; /* null: it cannot be done */
} rows[] = {
    {"7-bit",						"Subject: x\r\n\r\nhello\r\n",  "Subject: x\r\n\r\nhello\r\n"                                           },
    {"no MIME fields, UTF-8",				"Subject: x\r\n\r\n" UE "\r\n",
     "Subject: x\r\nMIME-Version: 1.0\r\n"
     "Content-Type: text/plain; charset=utf-8\r\n" QP "\r\n=C3=BC\r\n"											       },
    {"no MIME fields, something else",                       "Subject: x\r\n\r\n\xfc\r\n",
     "Subject: x\r\nMIME-Version: 1.0\r\n"
     "Content-Type: text/plain; charset=unknown-8bit\r\n" QP "\r\n=FC\r\n"											   },
    {"no header at all",				     "\r\n" UE "\r\n",
     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" QP
     "\r\n=C3=BC\r\n"																		},
    {"the field is replaced where it stands",
     "Mime-version: 1.0\r\nContent-transfer-encoding:\r\n 8bit\r\n"
     "Content-Type: text/html; charset=x\r\nCONTENT-TRANSFER-ENCODING: binary\r\n"
     "Subject: x\r\n\r\n" UE "\r\n",
     "Mime-version: 1.0\r\n" QP "Content-Type: text/html; charset=x\r\n"
     "Subject: x\r\n\r\n=C3=BC\r\n"																  },
    {"8bit that is 7-bit",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nhello=\r\n",	       "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhello=\r\n"},
    {"8-bit bytes in the header stay",
     "Subject: " UE "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" UE,
     "Subject: " UE "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n" QP
     "\r\n=C3=BC"																		    },
    {"spaces at ends, equals signs, From, dashes, controls",
     "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" UE
     " \r\na\t\r\nb=c d\r\nFrom me\r\n--x\r\n-y\r\n\x01\x7f\n\r \r\n ",		      "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n" QP "\r\n=C3=BC=20\r\na=09\r\n"
     "b=3Dc d\r\n=46rom me\r\n=2D-x\r\n-y\r\n=01=7F=0A=0D=20\r\n=20"                          },
    {"quoted-printable with 8-bit bytes",
     "MIME-Version: 1.0\r\n" QP "\r\na=3D" UE "\r\n",
     "MIME-Version: 1.0\r\n" QP "\r\na=3D=C3=BC\r\n"														 },
    {"base64 with 8-bit bytes",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nYW" UE "Jj\r\n",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n"											},
    {"an encoding nobody knows",
     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: x-uue\r\n\r\n" UE "\r\n",              NULL                                                                    },
    {"parts",
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\npre" UE "\r\n--b\r\n\r\n" UE "\r\n--b\r\n"
     "Content-Type: text/x\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx\r\n--b\r\n"
     "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n"
     "--b--\r\npost\r\n",								    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
     "Content-Transfer-Encoding: 7bit\r\n\r\npre??\r\n--b\r\n"
     "Content-Type: text/plain; charset=utf-8\r\n" QP "\r\n=C3=BC\r\n--b\r\n"
     "Content-Type: text/x\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx\r\n--b\r\n"
     "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n"
     "--b--\r\npost\r\n"														    },
    {"a message inside",
     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\n\r\n" UE "\r\n",
     "MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
     "Content-Transfer-Encoding: 7bit\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\n"
     "Content-Type: text/plain; charset=utf-8\r\n" QP "\r\n=C3=BC\r\n"											       },
    {"a message with a UTF-8 header inside",
     "MIME-Version: 1.0\r\nContent-Type: message/global\r\n"
     "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: " UE "\r\n\r\nx\r\n",
     "MIME-Version: 1.0\r\nContent-Type: message/global\r\n" QP
     "\r\nSubject: =C3=BC\r\n\r\nx\r\n"															      },
    {"signed, 7-bit",
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
     "Content-Type: multipart/signed; boundary=c\r\nContent-Transfer-Encoding: 8bit\r\n"
     "\r\n--c\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--c--\r\n--b\r\n\r\n" UE
     "\r\n--b--\r\n",									"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
     "Content-Type: multipart/signed; boundary=c\r\nContent-Transfer-Encoding: 8bit\r\n"
     "\r\n--c\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--c--\r\n--b\r\n"
     "Content-Type: text/plain; charset=utf-8\r\n" QP "\r\n=C3=BC\r\n--b--\r\n"                                                                 },
    {"signed, 8-bit",
     "MIME-Version: 1.0\r\nContent-Type: multipart/signed; "
     "boundary=c\r\n\r\n--c\r\n\r\n" UE "\r\n--c--\r\n",
     NULL																			    },
    {"encrypted, 8-bit",
     "MIME-Version: 1.0\r\nContent-Type: Multipart/Encrypted; boundary=c\r\n\r\n"
     "--c\r\n\r\n" UE "\r\n--c--\r\n",
     NULL																			    },
    {"part of a message",
     "MIME-Version: 1.0\r\nContent-Type: message/partial\r\n\r\n" UE "\r\n",                 NULL                                                                    },
    {"multipart without a boundary",
     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n" UE "\r\n",                 NULL                                                                    },
};

/* Steps of `bytes` each. */
static void
run(const struct row *row, size_t bytes)
{
	struct mime_downgrade *d = mime_downgrade_new(span_str(row->in));
	struct buf out = buf_make(1 << 20);

	if (!row->want || !d) {
		if ((row->want == NULL) != (d == NULL))
			fail_msg("%s", row->name);
		return;
	}
	while (mime_downgrade_next(d, bytes, &out))
		;
	if (!span_equal(buf_span(&out), span_str(row->want)))
		fail_msg("%s, by %zu:\n%.*s", row->name, bytes, (int)out.n, out.at);
	mime_downgrade_free(&d);
	buf_release(&out);
}

static void
test_downgrade_changes_what_it_must(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (size_t bytes = 1; bytes <= strlen(rows[i].in); bytes++)
			run(&rows[i], bytes);
}

/* Long lines are broken at 76 bytes [RFC2045 6.7], and nothing is lost. */
static void
test_downgrade_breaks_long_lines(void **state)
{
	struct buf in = buf_make(1 << 20), out = buf_make(1 << 20),
		   decoded = buf_make(1 << 20);
	struct mime_downgrade *d;
	struct mime_decoder decoder;
	struct span body, rest;

	(void)state;
	buf_put_str(&in, "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n");
	for (size_t i = 1; i < 200; i++) {
		for (size_t j = 0; j < i; j++)
			buf_put_char(&in, j % 7 == 3 ? ' ' : (char)('a' + j % 26));
		buf_put_str(&in, i % 3 ? UE "\r\n" : "\r\n");
	}
	d = mime_downgrade_new(buf_span(&in));
	assert_non_null(d);
	while (mime_downgrade_next(d, 50, &out))
		;
	rest = buf_span(&out);
	while (rest.n > 0)
		assert_true(span_cut(&rest, '\n').n <= 77);
	body = span_after(buf_span(&out), mime_header_block_size(buf_span(&out)));
	mime_decoder_init(&decoder, MIME_QUOTED_PRINTABLE);
	mime_decoder_feed(&decoder, body, &decoded);
	mime_decoder_end(&decoder, &decoded);
	assert_true(span_equal(
	    buf_span(&decoded),
	    span_after(buf_span(&in), mime_header_block_size(buf_span(&in)))));
	mime_downgrade_free(&d);
	buf_release(&in);
	buf_release(&out);
	buf_release(&decoded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_downgrade_changes_what_it_must),
	    cmocka_unit_test(test_downgrade_breaks_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
