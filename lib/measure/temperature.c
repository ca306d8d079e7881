#include "measure/temperature.h"

#include <math.h>

static double logistic(double z)
{
    return 1 / (1 + exp(-z));
}

static double logit(double p)
{
    return log(p / (1 - p));
}

double rs_temper(double p, double temperature)
{
    return temperature == 1 ? p : logistic(logit(fmin(fmax(p, RS_SURE), 1 - RS_SURE)) / temperature);
}

double rs_temper_threshold(double t, double temperature)
{
    if (isnan(t) || isnan(temperature))
        return (double)NAN;
    if (temperature == 1 || t <= 0)
        return t;
    return fmin(fmax(rs_temper(t, temperature), 2 * RS_SURE), 1 - 2 * RS_SURE);
}

/* Symmetric in p and 1 - p, as the quotient of two whole numbers. */
static double level_logit(int level, int levels)
{
    return log((2 * level + 1.) / (2 * (levels - level) - 1.));
}

/* log(1 + exp(z)) without overflow. */
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

double rs_tempered_log_loss(const struct rs_histogram *h, double temperature)
{
    double sum = 0;
    uint64_t count = 0;
    for (int k = 0; k < h->levels; k++) {
        double z = level_logit(k, h->levels) / temperature;
        sum += (double)h->vessel[k] * softplus(-z) + (double)h->background[k] * softplus(z);
        count += h->vessel[k] + h->background[k];
    }
    return sum / (double)count;
}

/* Of the log loss, as a function of s = 1 / T, in which it is convex: the first two derivatives, summed over pixels. */
struct slope {
    double first, second;
};

static struct slope slope_at(const struct rs_histogram *h, double s)
{
    struct slope slope = {0};
    for (int k = 0; k < h->levels; k++) {
        if (!(h->vessel[k] | h->background[k]))
            continue;
        double z = level_logit(k, h->levels), q = logistic(s * z), other = logistic(-s * z);
        double vessel = (double)h->vessel[k], background = (double)h->background[k];
        slope.first += z * (background * q - vessel * other);
        slope.second += z * z * (vessel + background) * q * other;
    }
    return slope;
}

/* Newton's method for the zero of the slope, held within the bounds between which it must be: where a step would
 * leave them, they are halved instead. */
static double lowest(const struct rs_histogram *h, double low, double high)
{
    double s = 1;
    for (int i = 0; i < 200; i++) {
        struct slope slope = slope_at(h, s);
        if (slope.first > 0)
            high = s;
        else
            low = s;
        double next = s - slope.first / slope.second;
        if (!(next >= low && next <= high))
            next = (low + high) / 2;
        if (fabs(next - s) <= 1e-12 * s)
            return next;
        s = next;
    }
    return s;
}

double rs_best_temperature(const struct rs_histogram *h)
{
    const double low = 1 / RS_HOTTEST, high = 1 / RS_COLDEST;
    uint64_t vessel, background;
    rs_histogram_totals(h, &vessel, &background);
    if (!vessel || !background)
        return (double)NAN;
    if (slope_at(h, 1).second == 0)
        return 1;
    if (slope_at(h, low).first >= 0)
        return RS_HOTTEST;
    if (slope_at(h, high).first <= 0)
        return RS_COLDEST;
    return 1 / lowest(h, low, high);
}
