/* tests/fuzz/fuzz_conf.c - any text as a settings file
 *
 * What is accepted is written out and must be accepted again, to the same text.
 */
#include "common/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(const struct settings *settings)
{
	struct buf first = buf_make(CONF_FILE_BYTES_MAX);
	struct buf second = buf_make(CONF_FILE_BYTES_MAX);
	struct conf_errors errors;
	struct settings back;

	conf_text_put(settings, CONF_SECRETS_SHOWN, &first);
	ASSERT(conf_parse(buf_span(&first), "again", "", &back, &errors) == 0);
	conf_text_put(&back, CONF_SECRETS_SHOWN, &second);
	ASSERT(span_equal(buf_span(&first), buf_span(&second)));
	conf_release(&back);
	buf_release(&first);
	buf_release(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errors;
	struct settings settings;

	if (conf_parse(span_make(data, size), "file", "host.example", &settings,
		       &errors) == 0) {
		check_again(&settings);
		conf_release(&settings);
	} else {
		ASSERT(errors.n > 0);
	}
	conf_errors_release(&errors);
	return 0;
}
