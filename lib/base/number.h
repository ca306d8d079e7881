/* Numbers from texts, whole and checked: no sign, space or letter is passed over. */
#ifndef RS_BASE_NUMBER_H
#define RS_BASE_NUMBER_H

#include <stdint.h>

/* A decimal integer in [low, high]; the error says what was wanted. `*value` is set on success only. */
const char *rs_parse_int(const char *text, int64_t low, int64_t high, int64_t *value);

/* A finite decimal number in [low, high]. */
const char *rs_parse_real(const char *text, double low, double high, double *value);

/* A list "32,64,128" of 1 to `most` integers in [low, high]; `*count` is how many. */
const char *rs_parse_list(const char *text, int64_t low, int64_t high, int most, int64_t *values, int *count);

/* A list ".8,1.25" of just `count` decimal numbers in [low, high]. Values are set up to where it fails. */
const char *rs_parse_reals(const char *text, double low, double high, int count, double *values);

/* `value` in as few digits as bring it back exactly, into `text`. */
void rs_print_real(double value, char text[static 32]);

#endif
