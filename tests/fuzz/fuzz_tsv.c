/* A training's log: cut at a step, it is a beginning of what it was, ends with a whole row of that step or one
 * before it, and cut once more is the same. */
#include "fuzz.h"

#include <fcntl.h>

#include "task/course.h"

/* What is left, in memory of its own; NULL if it is no log. */
static char *cut(int64_t step, size_t *size)
{
    FILE *log = fuzz_open("rb+");
    char *left = NULL;
    if (!rs_course_cut(log, step)) {
        *size = (size_t)ftell(log);
        fseek(log, 0, SEEK_END);
        must((size_t)ftell(log) == *size); /* the next row goes behind the last */
        rewind(log);
        left = calloc(*size + 1, 1);
        must(fread(left, 1, *size, log) == *size);
    }
    fclose(log);
    return left;
}

/* The step that the last row begins with; -1 if there is a header alone. */
static int64_t last_step(const char *log, size_t size)
{
    const char *before = memrchr(log, '\n', size - 1);
    return before ? atoll(before + 1) : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t steps[] = {INT64_MAX, 100, 7, 0};
    fuzz_put(data, size);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        size_t once, twice;
        char *log = cut(steps[i], &once);
        if (!log) {
            must(i == 0);
            break;
        }
        must(once > 0 && log[once - 1] == '\n');
        must(size == 0 || (once <= size && !memcmp(log, data, once)));
        must(last_step(log, once) <= steps[i]);
        char *again = cut(steps[i], &twice);
        must(again && twice == once && !memcmp(log, again, once));
        free(log);
        free(again);
    }
    return 0;
}
