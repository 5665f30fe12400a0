#include "common/base/base.h"

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t
crc_hardware(uint32_t crc, const uint8_t *at, size_t n)
{
	uint64_t wide = crc;

	for (; n >= 8; n -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, 8);
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t)wide;
	for (; n > 0; n--, at++)
		crc = _mm_crc32_u8(crc, *at);
	return crc;
}
#endif

static uint32_t
crc_software(uint32_t crc, const uint8_t *at, size_t n)
{
	for (; n > 0; n--, at++) {
		crc ^= *at;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return crc;
}

uint32_t
crc32c(uint32_t crc, struct span bytes)
{
	const uint8_t *at = (const uint8_t *)bytes.at;

	crc = ~crc;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_hardware(crc, at, bytes.n);
#endif
	return ~crc_software(crc, at, bytes.n);
}
