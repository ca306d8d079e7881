/* A drawn vessel tree: arteries and veins that leave the optic disc, arch round the macula, branch, taper and
 * cross.
 *
 * Lengths are in radii of the field of view, whose centre is the origin; x points to the temple, y down. At a
 * branching the radii keep Murray's law, r^3 = r1^3 + r2^3 (C. D. Murray, "The physiological principle of
 * minimum work", Proc. Natl. Acad. Sci. 12, 1926). The rest is drawing, not physiology. */
#ifndef RS_PICTURE_VESSELS_H
#define RS_PICTURE_VESSELS_H

#include <stdbool.h>

#include "base/rng.h"

struct rs_eye {
    double disc_x, disc_y, disc_radius;
    double fovea_x, fovea_y;
    double least_radius; /* thinner vessels are drawn so thick: half a pixel shows */
    double share;        /* of the field of view that vessels are to cover, about */
    double tortuosity;   /* 1 is usual */
};

/* A piece of vessel from one point to the next. */
struct rs_vessel_piece {
    double x[2], y[2], radius[2];
    bool is_vein;
};

/* Grows a tree, thickest vessels first until the share is reached, and hands out its pieces as they grow. */
void rs_vessels_grow(const struct rs_eye *eye, struct rs_rng rng,
                     void (*draw)(void *context, const struct rs_vessel_piece *piece), void *context);

#endif
