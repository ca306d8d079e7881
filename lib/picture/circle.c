#include "picture/circle.h"

#include <math.h>

#include "base/rng.h"

enum { TRIES = 300 }; /* where 4 in 10 points are on the circle, all fail once in 10^8 times */

static bool is_near(const struct rs_circle *circle, struct rs_point point, double near)
{
    double x = point.x - circle->x, y = point.y - circle->y;
    return fabs(sqrt(x * x + y * y) - circle->radius) <= near;
}

bool rs_circle_fit(struct rs_circle *circle, const struct rs_point *points, int count)
{
    double mx = 0, my = 0;
    for (int i = 0; i < count; i++) {
        mx += points[i].x / count;
        my += points[i].y / count;
    }
    double xx = 0, xy = 0, yy = 0, xz = 0, yz = 0; /* sums of products; z = x^2 + y^2 */
    for (int i = 0; i < count; i++) {
        double x = points[i].x - mx, y = points[i].y - my, z = x * x + y * y;
        xx += x * x;
        xy += x * y;
        yy += y * y;
        xz += x * z;
        yz += y * z;
    }
    double determinant = xx * yy - xy * xy;
    if (count < 3 || !(determinant > 1e-9 * (xx + yy) * (xx + yy)))
        return false;
    double x = (xz * yy - yz * xy) / (2 * determinant), y = (yz * xx - xz * xy) / (2 * determinant);
    *circle = (struct rs_circle){mx + x, my + y, sqrt(x * x + y * y + (xx + yy) / count)};
    return true;
}

static int count_near(const struct rs_circle *circle, const struct rs_point *points, int count, double near)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += is_near(circle, points[i], near);
    return found;
}

/* Brings the points near the circle to the front; returns how many. */
static int gather_near(const struct rs_circle *circle, struct rs_point *points, int count, double near)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        if (is_near(circle, points[i], near)) {
            struct rs_point point = points[i];
            points[i] = points[found];
            points[found++] = point;
        }
    return found;
}

/* Fits `circle` to the points, but not to another radius than is wanted. */
static bool fit_within(struct rs_circle *circle, const struct rs_point *points, int count, double least,
                       double most)
{
    struct rs_circle fitted;
    if (!rs_circle_fit(&fitted, points, count) || fitted.radius < least || fitted.radius > most)
        return false;
    *circle = fitted;
    return true;
}

int rs_circle_search(struct rs_circle *circle, struct rs_point *points, int count, double near, double least,
                     double most)
{
    struct rs_rng rng = rs_rng_at(0, "rs_circle_search", 0, 0);
    int best = 0;
    for (int try = 0; try < TRIES && count >= 3; try++) {
        struct rs_point three[3];
        struct rs_circle tried;
        for (int i = 0; i < 3; i++)
            three[i] = points[rs_rng_below(&rng, (uint64_t)count)];
        int found = fit_within(&tried, three, 3, least, most) ? count_near(&tried, points, count, near) : 0;
        if (found > best) {
            best = found;
            *circle = tried;
        }
    }
    if (best == 0)
        return 0;
    fit_within(circle, points, gather_near(circle, points, count, near), least, most);
    return gather_near(circle, points, count, near);
}
