#include "measure/scores.h"

#include <math.h>

#include "measure/curve.h"

const char *const rs_figure_names[RS_FIGURES] = {
    "prevalence",   "auc_roc",     "auc_pr",      "log_loss",  "brier", "ece", "threshold", "accuracy",
    "balanced_acc", "sensitivity", "specificity", "precision", "dice",  "iou", "mcc"};

/* Products of two counts. */
typedef __int128 wide;

/* A sum that carries what rounding took from it (Neumaier, 1974). */
struct sum {
    double total, lost;
};

static void add(struct sum *sum, double x)
{
    double total = sum->total + x;
    sum->lost += fabs(sum->total) >= fabs(x) ? (sum->total - total) + x : (x - total) + sum->total;
    sum->total = total;
}

static double value(struct sum sum)
{
    return sum.total + sum.lost;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return (double)part / (double)whole;
}

static double area_under_roc(const struct rs_histogram *h, uint64_t vessel, uint64_t background)
{
    wide twice = 0;
    uint64_t below = 0;
    for (int k = 0; k < h->levels; k++) {
        twice += (wide)h->vessel[k] * (wide)(2 * below + h->background[k]);
        below += h->background[k];
    }
    return (double)twice / (2 * (double)((wide)vessel * (wide)background));
}

static double average_precision(const struct rs_histogram *h, uint64_t vessel)
{
    struct sum sum = {0};
    uint64_t found = 0, marked = 0;
    for (int k = h->levels - 1; k >= 0; k--) {
        found += h->vessel[k];
        marked += h->vessel[k] + h->background[k];
        if (h->vessel[k])
            add(&sum, (double)h->vessel[k] * ratio(found, marked));
    }
    return value(sum) / (double)vessel;
}

static double calibration_error(const struct rs_histogram *h)
{
    struct rs_bin bins[RS_ECE_BINS];
    rs_calibration_of(h, bins);
    return rs_calibration_error(bins, RS_ECE_BINS);
}

static void score_probabilities(const struct rs_histogram *h, struct rs_scores *s)
{
    struct sum log_loss = {0}, brier = {0};
    for (int k = 0; k < h->levels; k++) {
        if (!(h->vessel[k] | h->background[k]))
            continue;
        double vessel = (double)h->vessel[k], background = (double)h->background[k];
        double p = rs_probability(k, h->levels), other = rs_probability(h->levels - 1 - k, h->levels);
        add(&log_loss, -vessel * log(p) - background * log(other));
        add(&brier, vessel * other * other + background * p * p);
    }
    s->log_loss = value(log_loss) / (double)s->count;
    s->brier = value(brier) / (double)s->count;
    s->ece = calibration_error(h);
}

static void score_marks(const struct rs_histogram *h, uint64_t vessel, uint64_t background,
                        struct rs_scores *s)
{
    uint64_t tp = 0, fp = 0;
    for (int k = rs_first_level(h->levels, s->threshold); k < h->levels; k++) {
        tp += h->vessel[k];
        fp += h->background[k];
    }
    uint64_t fn = vessel - tp, tn = background - fp;
    s->accuracy = ratio(tp + tn, s->count);
    s->sensitivity = ratio(tp, vessel);
    s->specificity = ratio(tn, background);
    s->balanced_acc = (s->sensitivity + s->specificity) / 2;
    s->precision = ratio(tp, tp + fp);
    s->dice = ratio(2 * tp, 2 * tp + fp + fn);
    s->iou = ratio(tp, tp + fp + fn);
    wide agreement = (wide)tp * (wide)tn - (wide)fp * (wide)fn;
    double margins = (double)(tp + fp) * (double)vessel * (double)background * (double)(tn + fn);
    s->mcc = (double)agreement / sqrt(margins);
}

struct rs_scores rs_scores_of(const struct rs_histogram *h, double threshold)
{
    struct rs_scores s;
    for (int i = 0; i < RS_FIGURES; i++)
        s.figures[i] = (double)NAN;
    uint64_t vessel, background;
    rs_histogram_totals(h, &vessel, &background);
    s.count = vessel + background;
    s.prevalence = ratio(vessel, s.count);
    s.auc_roc = area_under_roc(h, vessel, background);
    s.auc_pr = average_precision(h, vessel);
    score_probabilities(h, &s);
    s.threshold = threshold;
    if (!isnan(threshold))
        score_marks(h, vessel, background, &s);
    return s;
}

double rs_best_dice_threshold(const struct rs_histogram *h)
{
    uint64_t vessel, background;
    rs_histogram_totals(h, &vessel, &background);
    if (!vessel)
        return (double)NAN;
    uint64_t tp = 0, marked = 0;
    double best = 0;
    int best_level = 0;
    for (int k = h->levels - 1; k >= 0; k--) {
        tp += h->vessel[k];
        marked += h->vessel[k] + h->background[k];
        double dice = ratio(2 * tp, marked + vessel);
        if (dice >= best) {
            best = dice;
            best_level = k;
        }
    }
    return (double)best_level / h->levels;
}
