#include "measure/histogram.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct rs_histogram rs_histogram_start(int levels)
{
    uint64_t *counts = rs_alloc(2 * (size_t)levels, sizeof *counts);
    return (struct rs_histogram){.levels = levels, .vessel = counts, .background = counts + levels};
}

void rs_histogram_free(struct rs_histogram *h)
{
    free(h->vessel);
    *h = (struct rs_histogram){0};
}

void rs_histogram_clear(struct rs_histogram *h)
{
    memset(h->vessel, 0, 2 * (size_t)h->levels * sizeof *h->vessel);
}

void rs_histogram_merge(struct rs_histogram *to, const struct rs_histogram *from)
{
    for (int k = 0; k < to->levels; k++) {
        to->vessel[k] += from->vessel[k];
        to->background[k] += from->background[k];
    }
}

void rs_histogram_totals(const struct rs_histogram *h, uint64_t *vessel, uint64_t *background)
{
    *vessel = *background = 0;
    for (int k = 0; k < h->levels; k++) {
        *vessel += h->vessel[k];
        *background += h->background[k];
    }
}

int rs_first_level(int levels, double threshold)
{
    int low = 0, high = levels;
    while (low < high) {
        int middle = (low + high) / 2;
        if (rs_probability(middle, levels) >= threshold)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct rs_packed rs_histogram_pack(const struct rs_histogram *h)
{
    struct rs_packed packed = {.at = rs_alloc((size_t)h->levels, sizeof *packed.at)};
    for (int k = 0; k < h->levels; k++)
        if (h->vessel[k] | h->background[k])
            packed.at[packed.used++] =
                (struct rs_packed_level){(uint32_t)h->vessel[k], (uint32_t)h->background[k], (uint16_t)k};
    packed.at = rs_realloc(packed.at, packed.used, sizeof *packed.at);
    return packed;
}

void rs_histogram_merge_packed(struct rs_histogram *to, const struct rs_packed *from)
{
    for (size_t i = 0; i < from->used; i++) {
        struct rs_packed_level level = from->at[i];
        to->vessel[level.level] += level.vessel;
        to->background[level.level] += level.background;
    }
}
