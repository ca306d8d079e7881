#include "measure/curve.h"

#include <math.h>

#include "base/memory.h"

static double ratio(uint64_t part, uint64_t whole)
{
    return (double)part / (double)whole;
}

static size_t used_levels(const struct rs_histogram *h)
{
    size_t used = 0;
    for (int k = 0; k < h->levels; k++)
        used += (h->vessel[k] | h->background[k]) != 0;
    return used;
}

struct rs_curve rs_curve_of(const struct rs_histogram *h)
{
    struct rs_curve curve = {.at = rs_alloc(used_levels(h) + 1, sizeof *curve.at)};
    uint64_t vessel, background, tp = 0, fp = 0;
    rs_histogram_totals(h, &vessel, &background);
    curve.at[curve.count++] = (struct rs_curve_point){1, ratio(0, background), ratio(0, vessel), (double)NAN};
    for (int k = h->levels - 1; k >= 0; k--) {
        if (!(h->vessel[k] | h->background[k]))
            continue;
        tp += h->vessel[k];
        fp += h->background[k];
        curve.at[curve.count++] = (struct rs_curve_point){(double)k / h->levels, ratio(fp, background),
                                                          ratio(tp, vessel), ratio(tp, tp + fp)};
    }
    return curve;
}

void rs_calibration_of(const struct rs_histogram *h, struct rs_bin bins[RS_ECE_BINS])
{
    int k = 0;
    for (int bin = 0; bin < RS_ECE_BINS; bin++) {
        unsigned __int128 sum = 0; /* of 2 levels p = 2 k + 1, a whole number */
        uint64_t vessel = 0, count = 0;
        for (; k < h->levels && RS_ECE_BINS * (2 * k + 1) / (2 * h->levels) == bin; k++) {
            uint64_t here = h->vessel[k] + h->background[k];
            sum += (unsigned __int128)here * (unsigned)(2 * k + 1);
            vessel += h->vessel[k];
            count += here;
        }
        double mean = (double)sum / (2. * h->levels * (double)count);
        bins[bin] = (struct rs_bin){(double)bin / RS_ECE_BINS, (double)(bin + 1) / RS_ECE_BINS, count, mean,
                                    ratio(vessel, count)};
    }
}

double rs_calibration_error(const struct rs_bin *bins, int count)
{
    double sum = 0;
    uint64_t pixels = 0;
    for (int i = 0; i < count; i++) {
        pixels += bins[i].count;
        if (bins[i].count)
            sum += (double)bins[i].count * fabs(bins[i].mean - bins[i].prevalence);
    }
    return sum / (double)pixels;
}

double rs_area_of_trapezoids(const struct rs_point *at, size_t count)
{
    double area = 0;
    for (size_t i = 1; i < count; i++)
        area += (at[i].x - at[i - 1].x) * (at[i].y + at[i - 1].y) / 2;
    return area;
}

double rs_area_of_steps(const struct rs_point *at, size_t count)
{
    double area = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        area += at[i].y * (at[i].x - before);
        before = at[i].x;
    }
    return area;
}
