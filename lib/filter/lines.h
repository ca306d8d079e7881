/* Openings by lines, the morphology of vessels: P. Soille, E. J. Breen, R. Jones, "Recursive implementation of
 * erosions and dilations along discrete lines at arbitrary angles", IEEE Trans. PAMI 18, 1996.
 *
 * An opening by a line takes away what is bright and too short for it in its direction; of a bright vessel some
 * direction's opening leaves all, others nothing. */
#ifndef RS_FILTER_LINES_H
#define RS_FILTER_LINES_H

#include <stdint.h>

/* Of [height][width] shades, `most` and `least` become the largest and smallest of all openings by lines in
 * `directions` directions, the k-th of pi k / directions, k = 0 along rows and turning downwards; `length` pixels
 * long from middle to middle of the last, as the crow flies, plus one, rounded to an odd number of pixels. In steep
 * directions a line has a pixel in every row, in column x0 + floor(.5 + y cot(angle)) of row y, and the same with
 * rows and columns swapped in the others. Beyond the edges nothing is. The time does not depend on `length`. */
void rs_line_openings(uint8_t *most, uint8_t *least, const uint8_t *shades, int width, int height,
                      double length, int directions);

/* The pixels of such a line. */
int rs_line_pixels(double length, double angle);

#endif
