/* The sets that there are on this machine's kind of processor. */
#ifndef RS_KERNEL_SETS_H
#define RS_KERNEL_SETS_H

#include "kernel/kernel.h"

extern const struct rs_kernel rs_kernel_base;
#ifdef __x86_64__
extern const struct rs_kernel rs_kernel_avx2, rs_kernel_avx512;
#endif

#endif
