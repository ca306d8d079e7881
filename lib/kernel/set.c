/* Compiled once an instruction set, as RS_KERNEL_SET: see the Makefile. */
#include "kernel/combine.h"
#include "kernel/pointwise.h"
#include "kernel/sets.h"
#include "kernel/winograd.h"

#define NAME_OF(set) #set
#define TEXT_OF(set) NAME_OF(set)
#define TABLE_OF(set) rs_kernel_##set
#define TABLE(set) TABLE_OF(set)

const struct rs_kernel TABLE(RS_KERNEL_SET) = {
    .name = TEXT_OF(RS_KERNEL_SET),
    .lanes = LANES,
    .pack = pack,
    .direct = direct,
    .direct_gradient = direct_gradient,
    .direct_unpack = direct_unpack,
    .winograd_pack = winograd_pack,
    .winograd = winograd,
    .winograd_gradient = winograd_gradient,
    .winograd_unpack = winograd_unpack,
    .winograd_scratch = winograd_scratch,
    .moments = moments,
    .act = act,
    .slopes = slopes,
    .norm_back = norm_back,
    .pool = pool,
    .pool_back = pool_back,
    .combine = combine,
};
