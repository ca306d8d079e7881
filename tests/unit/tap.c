#include "tap.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count, failures;

static bool line(bool passed, const char *name, va_list args)
{
    count++;
    failures += !passed;
    printf("%s %d - ", passed ? "ok" : "not ok", count);
    vprintf(name, args);
    printf("\n");
    return passed;
}

bool ok(bool passed, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    line(passed, name, args);
    va_end(args);
    return passed;
}

bool near(double found, double wanted, double tolerance, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool passed = line(fabs(found - wanted) <= tolerance, name, args);
    va_end(args);
    if (!passed)
        printf("# found %.9g, wanted %.9g within %.3g\n", found, wanted, tolerance);
    return passed;
}

bool no_error(const char *error, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool passed = line(!error, name, args);
    va_end(args);
    if (!passed)
        printf("# error: %s\n", error);
    return passed;
}

bool error_has(const char *error, const char *part, const char *name, ...)
{
    va_list args;
    va_start(args, name);
    bool passed = line(error && strstr(error, part), name, args);
    va_end(args);
    if (!passed)
        printf("# error: %s, wanted one with '%s'\n", error ? error : "none", part);
    return passed;
}

void skip(const char *why, const char *name)
{
    count++;
    printf("ok %d - %s # SKIP %s\n", count, name, why);
}

int done(void)
{
    printf("1..%d\n", count);
    return failures > 0 || count == 0;
}

void *test_data(const char *name, size_t *bytes)
{
    char path[256];
    snprintf(path, sizeof path, "tests/unit/data/%s", name);
    FILE *file = fopen(path, "rb");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : -1;
    void *data = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (!data || fseek(file, 0, SEEK_SET) || fread(data, 1, (size_t)size, file) != (size_t)size) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    *bytes = (size_t)size;
    return data;
}
