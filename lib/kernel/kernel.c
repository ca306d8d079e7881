#include "kernel/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernel/sets.h"

static const struct rs_kernel *chosen;

#ifdef __x86_64__
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && has_avx2();
}
#endif

static bool always(void)
{
    return true;
}

/* The best first. */
static const struct {
    const struct rs_kernel *kernel;
    bool (*runs)(void);
} sets[] = {
#ifdef __x86_64__
    {&rs_kernel_avx512, has_avx512},
    {&rs_kernel_avx2, has_avx2},
#endif
    {&rs_kernel_base, always},
};

enum { SETS = sizeof sets / sizeof *sets };

const char *rs_kernel_start(void)
{
    const char *name = getenv("RS_KERNEL");
    for (int i = 0; i < SETS; i++)
        if (name && *name ? !strcmp(name, sets[i].kernel->name) : sets[i].runs()) {
            if (!sets[i].runs())
                return rs_error("RS_KERNEL=%s: not on this processor", name);
            chosen = sets[i].kernel;
            return NULL;
        }
    return rs_error("RS_KERNEL=%s: no such kernel; there are%s base", name,
                    SETS > 1 ? " avx512, avx2 and" : "");
}

const struct rs_kernel *rs_kernel(void)
{
    for (int i = 0; !chosen; i++)
        if (sets[i].runs())
            chosen = sets[i].kernel;
    return chosen;
}

const char *rs_kernel_name(void)
{
    const char *error = rs_kernel_start();
    return error ? error : chosen->name;
}
