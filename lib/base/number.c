#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *rs_parse_int(const char *text, int64_t low, int64_t high, int64_t *value)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    bool number = isdigit((unsigned char)text[text[0] == '-']) && !*end && !errno;
    if (!number || v < low || v > high)
        return rs_error("'%s' is not a whole number from %" PRId64 " to %" PRId64, text, low, high);
    *value = v;
    return NULL;
}

const char *rs_parse_real(const char *text, double low, double high, double *value)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    bool plain = text[0] && strspn(text, "+-.0123456789eE") == strlen(text);
    if (!plain || *end || !isfinite(v) || v < low || v > high)
        return rs_error("'%s' is not a number from %g to %g", text, low, high);
    *value = v;
    return NULL;
}

const char *rs_parse_list(const char *text, int64_t low, int64_t high, int most, int64_t *values, int *count)
{
    int n = 0;
    for (const char *at = text;; n++) {
        char part[32];
        size_t length = strcspn(at, ",");
        if (n == most || length >= sizeof part)
            return rs_error("'%s' is not a list of 1 to %d whole numbers", text, most);
        memcpy(part, at, length);
        part[length] = 0;
        const char *error = rs_parse_int(part, low, high, &values[n]);
        if (error)
            return error;
        at += length;
        if (!*at)
            break;
        at++;
    }
    *count = n + 1;
    return NULL;
}

const char *rs_parse_reals(const char *text, double low, double high, int count, double *values)
{
    for (int i = 0; i < count; i++) {
        char part[32];
        size_t length = strcspn(text, ",");
        if (!text[length] != (i == count - 1))
            return rs_error("too %s numbers: %d are wanted", text[length] ? "many" : "few", count);
        if (length >= sizeof part)
            return rs_error("'%s' is not a number of less than %zu characters", text, sizeof part);
        memcpy(part, text, length);
        part[length] = 0;
        const char *error = rs_parse_real(part, low, high, &values[i]);
        if (error)
            return error;
        text += length + 1;
    }
    return NULL;
}

void rs_print_real(double value, char text[static 32])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}
