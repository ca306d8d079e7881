/* Matched filters for vessels: S. Chaudhuri et al., "Detection of blood vessels in retinal images using
 * two-dimensional matched filters", IEEE Trans. Medical Imaging 8, 1989. A vessel looks like a ridge whose profile
 * is much like a Gaussian's, straight for some length, in any direction.
 *
 * The filter of a direction is the negative second derivative of a Gaussian across it times a Gaussian along it,
 *
 *     k(u, v) = (1 - v^2 / s^2) exp(-v^2 / (2 s^2)) exp(-u^2 / (2 l^2)),    scaled to a sum of squares of 1
 *
 * (u along, v across), so that it answers to white noise alike at all sizes. It is not run as it stands: the second
 * derivative of a round Gaussian in any direction is a sum of three (W. T. Freeman, E. H. Adelson, "The design and
 * use of steerable filters", IEEE Trans. PAMI 13, 1991), each of which is a filter along rows and one along
 * columns, and a Gaussian along the direction does the rest. */
#ifndef RS_FILTER_MATCHED_H
#define RS_FILTER_MATCHED_H

#include "filter/plane.h"

struct rs_matched {
    double across, along; /* s and l, in pixels; 0 < across < along */
};

enum { RS_MATCHED_DIRECTIONS = 8 };

/* `response` [height][width] becomes the sum over `count` sizes of the strongest answer of all directions. Beyond
 * its edges the plane is 0. */
void rs_matched_filter(float *response, const struct rs_plane *plane, const struct rs_matched *sizes,
                       int count);

#endif
