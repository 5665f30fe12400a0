/* tests/fuzz/fuzz_imap_login.c - IMAP before the login: any bytes, any cuts, any
 * answers
 */
#include "tests/fuzz/login_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_login(&login_imap, span_make(data, size));
	return 0;
}
