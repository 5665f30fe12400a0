#include "imapd/session/objectid.h"

void
objectid_put_email(const uint8_t guid[STORE_GUID_BYTES], char out[OBJECTID_EMAIL_BYTES])
{
	char hex[2 * STORE_GUID_BYTES + 1];

	hex_put(guid, STORE_GUID_BYTES, hex);
	out[0] = 'E';
	memcpy(out + 1, hex, sizeof(hex) - 1);
}

void
objectid_put_thread(uint64_t thread_key, char out[OBJECTID_THREAD_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	out[0] = 'T';
	for (int i = 0; i < 16; i++)
		out[1 + i] = digits[thread_key >> (60 - 4 * i) & 15];
}

bool
objectid_parse_email(struct span s, uint8_t guid[STORE_GUID_BYTES])
{
	return s.n == OBJECTID_EMAIL_BYTES && s.at[0] == 'E' &&
	       hex_parse(span_after(s, 1), guid, STORE_GUID_BYTES);
}

bool
objectid_parse_thread(struct span s, uint64_t *thread_key)
{
	uint8_t bytes[8];
	uint64_t key = 0;

	if (s.n != OBJECTID_THREAD_BYTES || s.at[0] != 'T' ||
	    !hex_parse(span_after(s, 1), bytes, sizeof(bytes)))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		key = key << 8 | bytes[i];
	*thread_key = key;
	return true;
}
