/* TAP for prove: each check prints one "ok" line or one "not ok" line with what was found. */
#ifndef RS_TESTS_TAP_H
#define RS_TESTS_TAP_H

#include <stdbool.h>
#include <stddef.h>

/* One check, named as printf formats it. Returns `passed`. */
bool ok(bool passed, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* |found - wanted| <= tolerance, neither NaN. */
bool near(double found, double wanted, double tolerance, const char *name, ...)
    __attribute__((format(printf, 4, 5)));

/* `error` is NULL: passed; else failed, showing the text. */
bool no_error(const char *error, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* `error` is a text that contains `part`. */
bool error_has(const char *error, const char *part, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

void skip(const char *why, const char *name); /* counts as passed, says why */

int done(void); /* prints the plan; main returns it: 0 if every check passed and there was at least one */

/* Opens tests/unit/data/NAME, the whole of it into fresh memory, `*bytes` long; ends the test if it cannot.
 */
void *test_data(const char *name, size_t *bytes);

#endif
