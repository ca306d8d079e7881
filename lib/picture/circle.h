/* A circle through points, some of which may lie on none. */
#ifndef RS_PICTURE_CIRCLE_H
#define RS_PICTURE_CIRCLE_H

#include <stdbool.h>

struct rs_point {
    double x, y;
};

struct rs_circle {
    double x, y, radius;
};

/* The circle that makes the sum of (distance^2 - radius^2)^2 least (I. Kasa, "A circle fitting procedure and its
 * error analysis", IEEE Trans. Instrum. Meas. 25, 1976). False for fewer than three points and for points on a
 * line, which leave `circle` as it was. */
bool rs_circle_fit(struct rs_circle *circle, const struct rs_point *points, int count);

/* The same where some of the points lie elsewhere, for a radius of `least` to `most`. Of the circles through three
 * of the points it takes the one that most are within `near` of (M. A. Fischler and R. C. Bolles, "Random sample
 * consensus", CACM 24, 1981), and then the fit through those. The same points give the same circle. Brings the
 * points near that to the front and returns how many they are; 0, and `circle` as it was, if no three points make
 * such a circle. */
int rs_circle_search(struct rs_circle *circle, struct rs_point *points, int count, double near, double least,
                     double most);

#endif
