#include "common/base/base.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

#define HARDWARE __attribute__((target("sse4.2,pclmul")))

/* An instruction takes 8 bytes and three cycles, but three can be under way at once: so
 * bytes are taken as three runs, whose CRCs are put together afterwards. */
#define RUN_MAX 512u /* bytes, a multiple of 8 */
#define RUN_MIN 64u  /* what is shorter overlaps with what follows by itself */

/* What a CRC is multiplied by for 8 * (i + 1) zeros after it: x^(64 * (i + 1) - 33)
 * modulo the polynomial, bits reversed. */
static const uint32_t factors[2 * RUN_MAX / 8] = {
    0x00000001u, 0x493c7d27u, 0xf20c0dfeu, 0xba4fc28eu, 0x3da6d0cbu, 0xddc0152bu,
    0x1c291d04u, 0x9e4addf8u, 0x740eef02u, 0x39d3b296u, 0x083a6eecu, 0x0715ce53u,
    0xc49f4f67u, 0x47db8317u, 0x2ad91c30u, 0x0d3b6092u, 0x6992cea2u, 0xc96cfdc0u,
    0x7e908048u, 0x878a92a7u, 0x1b3d8f29u, 0xdaece73eu, 0xf1d0f55eu, 0xab7aff2au,
    0xa87ab8a8u, 0x2162d385u, 0x8462d800u, 0x83348832u, 0x71d111a8u, 0x299847d5u,
    0xffd852c6u, 0xb9e02b86u, 0xdcb17aa4u, 0x18b33a4eu, 0xf37c5aeeu, 0xb6dd949bu,
    0x6051d5a2u, 0x78d9ccb7u, 0x18b0d4ffu, 0xbac2fd7bu, 0x21f3d99cu, 0xa60ce07bu,
    0x8f158014u, 0xce7f39f4u, 0xa00457f7u, 0x61d82e56u, 0x8d6d2c43u, 0xd270f1a2u,
    0x00ac29cfu, 0xc619809du, 0xe9adf796u, 0x2b3cac5du, 0x96638b34u, 0x65863b64u,
    0xe0e9f351u, 0x1b03397fu, 0x9af01f2du, 0xebb883bdu, 0x2cff42cfu, 0xb3e32c28u,
    0x88f25a3au, 0x064f7f26u, 0x4e36f0b0u, 0xdd7e3b0cu, 0xbd6f81f8u, 0xf285651cu,
    0x91c9bd4bu, 0x10746f3cu, 0x885f087bu, 0xc7a68855u, 0x4c144932u, 0x271d9844u,
    0x52148f02u, 0x8e766a0cu, 0xa3c6f37au, 0x93a5f730u, 0xd7c0557fu, 0x6cb08e5cu,
    0x63ded06au, 0x6b749fb2u, 0x4d56973cu, 0x1393e203u, 0x9669c9dfu, 0xcec3662eu,
    0xe417f38au, 0x96c515bbu, 0x4b9e0f71u, 0xe6fc4e6au, 0xd104b8fcu, 0x8227bb8au,
    0x5b397730u, 0xb0cd4768u, 0xe78eb416u, 0x39c7ff35u, 0x61ff0e01u, 0xd7a4825cu,
    0x8d96551cu, 0x0ab3844bu, 0x0bf80dd2u, 0x0167d312u, 0x8821abedu, 0xf6076544u,
    0x6a45d2b2u, 0x26f6a60au, 0xd8d26619u, 0xa741c1bfu, 0xde87806cu, 0x98d8d9cbu,
    0x14338754u, 0x49c3cc9cu, 0x5bd2011fu, 0x68bce87au, 0xdd07448eu, 0x57a3d037u,
    0xdde8f5b9u, 0x6956fc3bu, 0xa3e3e02cu, 0x42d98888u, 0xd73c7beau, 0x3771e98fu,
    0x80ff0093u, 0xb42ae3d9u, 0x8fe4c34du, 0x2178513au, 0xdf99fc11u, 0xe0ac139eu,
    0x6c23e841u, 0x170076fau,
};

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

/* Three runs, one after the other. */
HARDWARE static uint64_t
crc_runs(uint64_t crc, const uint8_t *at, size_t run)
{
	uint64_t second = 0, third = 0;

	for (size_t i = 0; i < run; i += 8) {
		crc = _mm_crc32_u64(crc, word(at + i));
		second = _mm_crc32_u64(second, word(at + run + i));
		third = _mm_crc32_u64(third, word(at + 2 * run + i));
	}
	return crc_shift(crc, factors[2 * run / 8 - 1]) ^
	       crc_shift(second, factors[run / 8 - 1]) ^ third;
}

HARDWARE static uint32_t
crc_hardware(uint32_t start, const uint8_t *at, size_t n)
{
	uint64_t crc = start;

	while (n >= 3 * RUN_MIN) {
		size_t run = n < 3 * RUN_MAX ? n / 24 * 8 : RUN_MAX;

		crc = crc_runs(crc, at, run);
		at += 3 * run;
		n -= 3 * run;
	}
	for (; n >= 8; n -= 8, at += 8)
		crc = _mm_crc32_u64(crc, word(at));
	if (n >= 4) {
		uint32_t half;

		memcpy(&half, at, sizeof(half));
		crc = _mm_crc32_u32((uint32_t)crc, half);
		n -= 4;
		at += 4;
	}
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
