/* Drawn fundus photographs with their exact truth: for tests and for a first run without a data set. */
#ifndef RS_PICTURE_SYNTH_H
#define RS_PICTURE_SYNTH_H

#include "format/image.h"

enum { RS_SYNTH_LEAST = 16 }; /* width and height */

/* `image` becomes drawing number `index` of `seed`: RGB_VESSEL_FOV, maxval 255, width and height at least
 * RS_SYNTH_LEAST and width * height at most RS_USUAL_PIXELS. The field of view is a disc; the truth is 0 or
 * 255, and a pixel is vessel where its centre lies in one, before the photograph's blur and noise. Starts as
 * {0}. */
void rs_synth_draw(struct rs_image *image, int width, int height, uint64_t seed, uint64_t index);

#endif
