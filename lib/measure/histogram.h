/* Counts of pixels by probability level and truth: all that a score needs to know of a map.
 *
 * A probability sample q of maxval m is one of m + 1 levels and stands for p = (q + 1/2) / (m + 1), which is
 * never 0 or 1. Counts are whole numbers: the sum of histograms is the same in any order. */
#ifndef RS_MEASURE_HISTOGRAM_H
#define RS_MEASURE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rs_histogram {
    int levels;                    /* m + 1, in 2..65536 */
    uint64_t *vessel, *background; /* [levels] each; owned */
};

/* Every count 0; ends with rs_histogram_free. */
struct rs_histogram rs_histogram_start(int levels);
void rs_histogram_free(struct rs_histogram *h);

void rs_histogram_clear(struct rs_histogram *h); /* every count 0 again */

/* One pixel of sample `level` in [0, levels) whose truth is `vessel`. */
static inline void rs_histogram_add(struct rs_histogram *h, int level, bool vessel)
{
    (vessel ? h->vessel : h->background)[level]++;
}

/* `to` counts the pixels of `from`, too; both have the same levels. */
void rs_histogram_merge(struct rs_histogram *to, const struct rs_histogram *from);

/* How many pixels of either kind there are. */
void rs_histogram_totals(const struct rs_histogram *h, uint64_t *vessel, uint64_t *background);

/* What a level stands for. */
static inline double rs_probability(int level, int levels)
{
    return (level + .5) / levels;
}

/* The first level that is marked at a threshold, p >= threshold; `levels` if none is. */
int rs_first_level(int levels, double threshold);

/* A histogram of at most 2^32 - 1 pixels without its empty levels, to be kept by the thousand. */
struct rs_packed_level {
    uint32_t vessel, background;
    uint16_t level;
};

struct rs_packed {
    size_t used;
    struct rs_packed_level *at; /* [used], levels ascending; free() it */
};

struct rs_packed rs_histogram_pack(const struct rs_histogram *h);

/* rs_histogram_merge from the packed form. */
void rs_histogram_merge_packed(struct rs_histogram *to, const struct rs_packed *from);

#endif
