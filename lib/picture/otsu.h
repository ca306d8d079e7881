/* Otsu's threshold: N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9, 1979. */
#ifndef RS_PICTURE_OTSU_H
#define RS_PICTURE_OTSU_H

#include <stdint.h>

/* The level from which on the upper class counts, of `levels` with histogram[level] members each: where the
 * variance between the two classes is largest, the lowest if there are several. `levels` if all members have one
 * level. */
int rs_otsu(const uint64_t *histogram, int levels);

#endif
