/* Contrast-limited adaptive histogram equalisation: K. Zuiderveld, "Contrast limited adaptive histogram equalization",
 * Graphics Gems IV, 1994, as OpenCV's createCLAHE defines it, to the last bit of 8. */
#ifndef RS_FILTER_CLAHE_H
#define RS_FILTER_CLAHE_H

#include <stdint.h>

/* Replaces each of [height][width] shades by a rank among those around it. Histograms are taken of `tiles` x `tiles`
 * parts (beyond the right and lower edge the picture is mirrored, so that all are of one size), no shade counts
 * more than `limit` times what it would if all came as often, what is above that goes to all, and between the
 * middles of parts ranks are interpolated. tiles >= 1, limit > 0. */
void rs_clahe(uint8_t *shades, int width, int height, int tiles, double limit);

#endif
