/* rs-mask: maps of vessel probability to yes and no. */
#ifndef RS_TASK_MASK_H
#define RS_TASK_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "format/image.h"

struct rs_mask_options {
    bool otsu;        /* instead of `threshold`: Otsu's, of each map */
    double threshold; /* vessel where p >= threshold, p as in measure/histogram.h */
    double low; /* and where p >= low, if such pixels lead there; no less than `threshold`: nothing more */
    uint32_t least; /* pixels; smaller connected components are no vessel */
};

/* "otsu", or a number in [0, 1]: sets otsu and threshold. */
const char *rs_mask_parse_threshold(const char *text, struct rs_mask_options *options);

/* The map's probability plane becomes 0 or maxval; the other planes stay. Outside a field of view it becomes 0, and
 * no pixel there counts. Connected is 8-connected. `*marked` is how many pixels are vessel. An error if the image
 * is no map: PROB, or the one plane of a PGM. */
const char *rs_mask_image(const struct rs_mask_options *options, struct rs_image *map, uint64_t *marked);

#endif
