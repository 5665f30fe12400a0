#include "common/base/base.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_put(struct buf *out, struct span bytes)
{
	const uint8_t *in = (const uint8_t *)bytes.at;

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		char group[4];

		bits |= n > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= n > 2 ? (uint32_t)in[i + 2] : 0;
		group[0] = alphabet[bits >> 18];
		group[1] = alphabet[bits >> 12 & 63];
		group[2] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
		group[3] = n > 2 ? alphabet[bits & 63] : '=';
		buf_put(out, span_make(group, sizeof(group)));
	}
}

static int
value_of(char c)
{
	const char *hit = c ? memchr(alphabet, c, 64) : NULL;

	return hit ? (int)(hit - alphabet) : -1;
}

/* Decodes one group into at most three bytes; their number, or -1. */
static int
parse_group(const char *group, bool last, char *out)
{
	int pad = !last ? 0 : group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
	uint32_t bits = 0;

	for (int i = 0; i < 4; i++) {
		int value = i >= 4 - pad ? 0 : value_of(group[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
	}
	if ((pad == 1 && (bits & 0xff)) || (pad == 2 && (bits & 0xffff)))
		return -1;
	out[0] = (char)(bits >> 16);
	out[1] = (char)(bits >> 8);
	out[2] = (char)bits;
	return 3 - pad;
}

bool
base64_parse(struct span text, struct buf *out)
{
	size_t start = out->n;

	if (text.n % 4 != 0)
		return false;
	for (size_t i = 0; i < text.n; i += 4) {
		char bytes[3];
		int n = parse_group(text.at + i, i + 4 == text.n, bytes);

		if (n < 0 || !buf_room(out, (size_t)n)) {
			out->n = start;
			return false;
		}
		buf_put(out, span_make(bytes, (size_t)n));
	}
	return true;
}
