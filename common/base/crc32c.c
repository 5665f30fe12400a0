#include "common/base/base.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

#define HARDWARE __attribute__((target("sse4.2,pclmul")))

/* An instruction takes 8 bytes and three cycles, but three can be under way at once: so
 * a block is three runs, whose CRCs are put together afterwards. */
struct block {
	size_t run;     /* bytes, a multiple of 8 */
	uint32_t once;  /* x^(8 * run - 33) modulo the polynomial, bits reversed */
	uint32_t twice; /* x^(16 * run - 33) */
};

static const struct block large = {512, 0xdd7e3b0cu, 0x170076fau},
			  small = {128, 0x0d3b6092u, 0xb9e02b86u};

HARDWARE static uint64_t
word(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The CRC after as many zeros as the factor stands for. */
HARDWARE static uint64_t
crc_shift(uint64_t crc, uint32_t factor)
{
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
					       _mm_cvtsi64_si128(factor), 0);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

HARDWARE static uint64_t
crc_block(uint64_t crc, const uint8_t *at, const struct block *b)
{
	uint64_t second = 0, third = 0;

	for (size_t i = 0; i < b->run; i += 8) {
		crc = _mm_crc32_u64(crc, word(at + i));
		second = _mm_crc32_u64(second, word(at + b->run + i));
		third = _mm_crc32_u64(third, word(at + 2 * b->run + i));
	}
	return crc_shift(crc, b->twice) ^ crc_shift(second, b->once) ^ third;
}

HARDWARE static uint32_t
crc_hardware(uint32_t start, const uint8_t *at, size_t n)
{
	uint64_t crc = start;

	for (; n >= 3 * large.run; n -= 3 * large.run, at += 3 * large.run)
		crc = crc_block(crc, at, &large);
	for (; n >= 3 * small.run; n -= 3 * small.run, at += 3 * small.run)
		crc = crc_block(crc, at, &small);
	for (; n >= 8; n -= 8, at += 8)
		crc = _mm_crc32_u64(crc, word(at));
	for (; n > 0; n--, at++)
		crc = _mm_crc32_u8((uint32_t)crc, *at);
	return (uint32_t)crc;
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
	if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
		return ~crc_hardware(crc, at, bytes.n);
#endif
	return ~crc_software(crc, at, bytes.n);
}
