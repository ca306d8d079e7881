#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "measure/bootstrap.h"
#include "measure/curve.h"
#include "measure/smooth.h"
#include "tap.h"

static struct rs_histogram histogram(int levels, const uint64_t *vessel, const uint64_t *background)
{
    struct rs_histogram h = rs_histogram_start(levels);
    memcpy(h.vessel, vessel, (size_t)levels * sizeof *vessel);
    memcpy(h.background, background, (size_t)levels * sizeof *background);
    return h;
}

static struct rs_scores scores4(const uint64_t vessel[4], const uint64_t background[4], double threshold)
{
    struct rs_histogram h = histogram(4, vessel, background);
    struct rs_scores s = rs_scores_of(&h, threshold);
    rs_histogram_free(&h);
    return s;
}

static double best4(const uint64_t vessel[4], const uint64_t background[4])
{
    struct rs_histogram h = histogram(4, vessel, background);
    double threshold = rs_best_dice_threshold(&h);
    rs_histogram_free(&h);
    return threshold;
}

/* p = 1/8, 3/8, 5/8, 7/8. At 1/2: TP 3, FP 1, FN 1, TN 5. */
static void test_by_hand(void)
{
    const uint64_t vessel[4] = {1, 0, 1, 2}, background[4] = {3, 2, 0, 1};
    struct rs_scores s = scores4(vessel, background, .5);
    ok(s.count == 10, "ten pixels");
    near(s.prevalence, .4, 1e-15, "prevalence");
    near(s.auc_roc, (2 * 5.5 + 5 + 1.5) / 24, 1e-15, "area under ROC: 17.5 of 24 pairs");
    near(s.auc_pr, 2. / 4 * 2 / 3 + 1. / 4 * 3 / 4 + 1. / 4 * 4 / 10, 1e-15, "average precision");
    near(s.log_loss, .62365510, 1e-8, "log loss");
    near(s.brier, .203125, 1e-15, "Brier's score");
    near(s.ece, (.5 + .75 + .375 + .625) / 10, 1e-15, "calibration error, each level in its own bin");
    near(s.accuracy, .8, 1e-15, "accuracy");
    near(s.sensitivity, .75, 1e-15, "sensitivity");
    near(s.specificity, 5. / 6, 1e-15, "specificity");
    near(s.balanced_acc, (.75 + 5. / 6) / 2, 1e-15, "balanced accuracy");
    near(s.precision, .75, 1e-15, "precision");
    near(s.dice, .75, 1e-15, "Dice");
    near(s.iou, .6, 1e-15, "intersection over union");
    near(s.mcc, 14. / 24, 1e-15, "Matthews' correlation");
    near(best4(vessel, background), .5, 0, "the threshold of the best Dice");
}

static void test_extremes(void)
{
    const uint64_t low[4] = {5}, high[4] = {0, 0, 0, 3}, spread[4] = {4, 3, 2, 1}, none[4] = {0};
    struct rs_scores s = scores4(high, low, .5);
    ok(s.auc_roc == 1 && s.auc_pr == 1 && s.dice == 1 && s.mcc == 1, "a perfect map");
    ok(best4(high, low) == .25, "of equal thresholds the smallest");
    s = scores4(low, high, .5);
    ok(s.auc_roc == 0 && s.accuracy == 0 && s.mcc == -1, "an inverted map");
    ok(best4(low, high) == 0, "whose best Dice marks everything");
    s = scores4(low, low, .5);
    ok(s.auc_roc == .5 && s.auc_pr == .5, "one level alone ranks nothing");
    s = scores4(spread, none, .5);
    ok(isnan(s.auc_roc) && isnan(s.specificity) && isnan(s.balanced_acc) && isnan(s.mcc), "no background");
    ok(s.auc_pr == 1 && s.precision == 1 && s.sensitivity == .3 && !isnan(s.log_loss),
       "what that leaves defined");
    s = scores4(none, spread, .5);
    ok(isnan(s.auc_roc) && isnan(s.auc_pr) && isnan(s.sensitivity) && isnan(s.balanced_acc), "no vessel");
    ok(s.specificity == .7 && s.dice == 0 && s.precision == 0, "what that leaves defined");
    ok(isnan(best4(none, spread)), "there is no best Dice without vessel");
    s = scores4(none, spread, .9);
    ok(isnan(s.precision) && isnan(s.dice) && isnan(s.iou), "neither vessel nor marks");
    s = scores4(none, none, .5);
    bool all_undefined = s.count == 0 && s.threshold == .5;
    for (int i = 0; i < RS_FIGURES; i++)
        all_undefined &= isnan(s.figures[i]) || s.figures[i] == .5;
    ok(all_undefined, "no pixels");
    s = scores4(spread, spread, NAN);
    ok(s.auc_roc == .5 && isnan(s.threshold) && isnan(s.accuracy) && isnan(s.mcc), "no threshold");
}

static void test_names(void)
{
    struct rs_scores s;
    for (int i = 0; i < RS_FIGURES; i++)
        s.figures[i] = i;
    ok(s.prevalence == 0 && s.ece == 5 && s.threshold == 6 && s.dice == 12 && s.mcc == 14,
       "figures in order");
    ok(!strcmp(rs_figure_names[0], "prevalence") && !strcmp(rs_figure_names[5], "ece") &&
           !strcmp(rs_figure_names[6], "threshold") && !strcmp(rs_figure_names[12], "dice") &&
           !strcmp(rs_figure_names[14], "mcc"),
       "and their names");
}

static bool is_point(struct rs_curve_point at, double threshold, double fpr, double sensitivity,
                     double precision)
{
    return at.threshold == threshold && at.false_positive_rate == fpr && at.sensitivity == sensitivity &&
           (isnan(precision) ? isnan(at.precision) : at.precision == precision);
}

static void test_curve_by_hand(void)
{
    const uint64_t vessel[4] = {1, 0, 1, 2}, background[4] = {3, 2, 0, 1};
    struct rs_histogram h = histogram(4, vessel, background);
    struct rs_curve c = rs_curve_of(&h);
    ok(c.count == 5 && is_point(c.at[0], 1, 0, 0, NAN), "a curve starts where nothing is marked");
    ok(is_point(c.at[1], .75, 1. / 6, .5, 2. / 3) && is_point(c.at[2], .5, 1. / 6, .75, .75) &&
           is_point(c.at[3], .25, .5, .75, .5) && is_point(c.at[4], 0, 1, 1, .4),
       "and has a point for every level");
    free(c.at);
    h.background[1] = 0;
    c = rs_curve_of(&h);
    ok(c.count == 4 && is_point(c.at[3], 0, 1, 1, .5), "but for an empty one");
    free(c.at);
    rs_histogram_clear(&h);
    c = rs_curve_of(&h);
    ok(c.count == 1 && isnan(c.at[0].false_positive_rate) && isnan(c.at[0].sensitivity),
       "without pixels there is the start alone, and it is undefined");
    free(c.at);
    rs_histogram_add(&h, 3, false);
    c = rs_curve_of(&h);
    ok(c.count == 2 && isnan(c.at[1].sensitivity) && c.at[1].false_positive_rate == 1 &&
           c.at[1].precision == 0,
       "without vessel no sensitivity is defined");
    free(c.at);
    rs_histogram_free(&h);
}

static void test_calibration_by_hand(void)
{
    const uint64_t vessel[4] = {1, 0, 1, 2}, background[4] = {3, 2, 0, 1};
    struct rs_histogram h = histogram(4, vessel, background);
    struct rs_bin bins[RS_ECE_BINS];
    rs_calibration_of(&h, bins);
    bool edges = true;
    uint64_t count = 0;
    for (int i = 0; i < RS_ECE_BINS; i++) {
        edges &= bins[i].lower == i / 15. && bins[i].upper == (i + 1) / 15.;
        count += bins[i].count;
    }
    ok(edges && count == 10, "fifteen bins from 0 to 1 hold all pixels");
    ok(bins[1].count == 4 && bins[1].mean == .125 && bins[1].prevalence == .25, "1/8 in the second");
    ok(bins[13].count == 3 && bins[13].mean == .875 && bins[13].prevalence == 2. / 3,
       "7/8 in the last but one");
    ok(bins[0].count == 0 && isnan(bins[0].mean) && isnan(bins[0].prevalence), "an empty bin has no means");
    rs_histogram_free(&h);
    h = rs_histogram_start(256);
    rs_histogram_add(&h, 0, true);
    h.background[16] = 3;
    rs_calibration_of(&h, bins);
    near(bins[0].mean, (.5 + 3 * 16.5) / 256 / 4, 1e-17, "the mean of unequal levels");
    rs_histogram_free(&h);
}

/* Of 256 levels, 0 to 16 lie below 1/15. */
static void test_bins(void)
{
    struct rs_histogram h = rs_histogram_start(256);
    rs_histogram_add(&h, 0, true);
    rs_histogram_add(&h, 16, false);
    near(rs_scores_of(&h, .5).ece, (255.5 - 16.5) / 256 / 2, 1e-15, "two levels of one bin balance");
    h.background[16] = 0;
    rs_histogram_add(&h, 17, false);
    near(rs_scores_of(&h, .5).ece, (255.5 + 17.5) / 256 / 2, 1e-15, "levels of different bins do not");
    rs_histogram_free(&h);
}

static bool splits(struct rs_histogram *h, int k)
{
    rs_histogram_clear(h);
    rs_histogram_add(h, k, true);
    if (k > 0)
        rs_histogram_add(h, k - 1, false);
    struct rs_scores s = rs_scores_of(h, (double)k / h->levels);
    struct rs_scores same = rs_scores_of(h, rs_probability(k, h->levels));
    return s.accuracy == 1 && same.accuracy == 1;
}

static void test_thresholds(void)
{
    const int levels[] = {2, 3, 7, 11, 256, 1000, 65535, 65536};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        struct rs_histogram h = rs_histogram_start(levels[i]);
        int right = 0, tried = 0;
        for (int k = 0; k < levels[i]; k += 1 + levels[i] / 300, tried++)
            right += splits(&h, k);
        ok(right == tried, "k/%d and p itself mark level k, and not the one below", levels[i]);
        rs_histogram_free(&h);
    }
    const uint64_t one[4] = {1, 1, 1, 1};
    ok(scores4(one, one, 0).sensitivity == 1 && scores4(one, one, 1).sensitivity == 0,
       "0 marks all, 1 nothing");
}

static void test_large_counts(void)
{
    const uint64_t many = UINT64_C(1) << 50, vessel[4] = {many, many, 0, 1}, background[4] = {many, many};
    struct rs_scores s = scores4(vessel, background, .5);
    near(s.auc_roc, .5, 1e-15, "the area of 2^102 pairs");
    near(s.prevalence, .5, 1e-15, "the prevalence of 2^52 pixels");
    ok(s.mcc > 0 && s.mcc < 1e-7, "one pixel more than chance");
}

static void test_histograms(void)
{
    struct rs_histogram a = rs_histogram_start(65536), b = rs_histogram_start(65536);
    rs_histogram_add(&a, 65535, true);
    rs_histogram_add(&a, 65535, true);
    rs_histogram_add(&a, 7, false);
    struct rs_packed packed = rs_histogram_pack(&a);
    ok(packed.used == 2 && packed.at[0].level == 7 && packed.at[1].vessel == 2,
       "packed, two levels are left");
    rs_histogram_merge_packed(&b, &packed);
    size_t bytes = 2 * 65536 * sizeof *a.vessel;
    ok(!memcmp(a.vessel, b.vessel, bytes), "and unpacked all are there");
    rs_histogram_merge(&a, &b);
    ok(a.vessel[65535] == 4 && a.background[7] == 2, "histograms add up");
    rs_histogram_clear(&b);
    free(packed.at);
    packed = rs_histogram_pack(&b);
    ok(packed.used == 0 && b.vessel[65535] == 0, "an empty one packs, too");
    free(packed.at);
    rs_histogram_free(&a);
    rs_histogram_free(&b);
}

static bool same(double found, double wanted)
{
    return fabs(found - wanted) <= 1e-12 * fmax(fabs(wanted), 1);
}

/* Next number of the text. */
static double next(char **at)
{
    return strtod(*at, at);
}

static void compare_thresholds(const struct rs_histogram *h, int thresholds, char **at)
{
    for (int t = 0; t < thresholds; t++) {
        double threshold = next(at);
        struct rs_scores s = rs_scores_of(h, threshold);
        for (int i = 7; i < RS_FIGURES; i++) {
            double wanted = next(at);
            ok(same(s.figures[i], wanted), "%s at %.9g of %d levels: %.17g, %.17g", rs_figure_names[i],
               threshold, h->levels, s.figures[i], wanted);
        }
    }
}

static bool same_or_undefined(double found, double wanted)
{
    return isnan(wanted) ? isnan(found) : same(found, wanted);
}

/* The start of scikit-learn's curve has the threshold infinity. */
static void compare_curve(const struct rs_histogram *h, char **at)
{
    size_t count = (size_t)next(at), step = (size_t)next(at), right = 0, tried = 0;
    struct rs_curve c = rs_curve_of(h);
    ok(c.count == count, "%zu points of %d levels", c.count, h->levels);
    for (size_t i = 0; i < count && count == c.count; i += step, tried++) {
        double p = next(at);
        right += i == 0 ? isinf(p) : same(c.at[i].threshold + .5 / h->levels, p);
        right += same(c.at[i].false_positive_rate, next(at));
        right += same(c.at[i].sensitivity, next(at));
        right += same_or_undefined(c.at[i].precision, next(at));
    }
    ok(right == 4 * tried, "%zu of the %zu points compared of %d levels", right / 4, tried, h->levels);
    free(c.at);
}

/* scikit-learn leaves empty bins out. */
static void compare_calibration(const struct rs_histogram *h, char **at)
{
    struct rs_bin bins[RS_ECE_BINS];
    rs_calibration_of(h, bins);
    int filled = (int)next(at), right = 0;
    for (int i = 0; i < RS_ECE_BINS; i++)
        if (bins[i].count) {
            right += same(bins[i].mean, next(at));
            right += same(bins[i].prevalence, next(at));
        }
    ok(right == 2 * filled, "%d bins of %d levels", filled, h->levels);
}

/* What the figures say of a threshold, every point of the curve says, too. */
static bool agree(const struct rs_histogram *h, const struct rs_curve *c)
{
    bool agreed = true;
    for (size_t i = 0; i < c->count; i += 1 + c->count / 100) {
        struct rs_scores s = rs_scores_of(h, c->at[i].threshold);
        agreed &= same(s.sensitivity, c->at[i].sensitivity);
        agreed &= same(1 - s.specificity, c->at[i].false_positive_rate);
        agreed &= same_or_undefined(c->at[i].precision, s.precision);
    }
    return agreed;
}

static void compare_areas(const struct rs_histogram *h)
{
    struct rs_curve c = rs_curve_of(h);
    struct rs_scores s = rs_scores_of(h, .5);
    struct rs_point *roc = calloc(c.count, sizeof *roc), *pr = calloc(c.count, sizeof *pr);
    for (size_t i = 0; i < c.count; i++) {
        roc[i] = (struct rs_point){c.at[i].false_positive_rate, c.at[i].sensitivity};
        pr[i] = (struct rs_point){c.at[i].sensitivity, c.at[i].precision};
    }
    near(rs_area_of_trapezoids(roc, c.count), s.auc_roc, 1e-12, "the area under the ROC curve of %d levels",
         h->levels);
    near(rs_area_of_steps(pr + 1, c.count - 1), s.auc_pr, 1e-12,
         "the average precision of the curve of %d levels", h->levels);
    free(roc);
    free(pr);
    ok(agree(h, &c), "the points of %d levels at their thresholds", h->levels);
    free(c.at);
}

/* One case of dump_sklearn.py. */
static void compare_case(char **at)
{
    int levels = (int)next(at), count = (int)next(at), thresholds = (int)next(at);
    struct rs_histogram h = rs_histogram_start(levels);
    for (int i = 0; i < count; i++) {
        int level = (int)next(at);
        rs_histogram_add(&h, level, next(at) == 1);
    }
    struct rs_scores s = rs_scores_of(&h, .5);
    ok(s.count == (uint64_t)count, "%d pixels of %d levels", count, levels);
    for (int i = 1; i < 6; i++) {
        double wanted = next(at);
        ok(same(s.figures[i], wanted), "%s of %d levels: %.17g, %.17g", rs_figure_names[i], levels,
           s.figures[i], wanted);
    }
    ok(rs_best_dice_threshold(&h) == next(at), "best Dice of %d levels", levels);
    compare_thresholds(&h, thresholds, at);
    compare_curve(&h, at);
    compare_calibration(&h, at);
    compare_areas(&h);
    rs_histogram_free(&h);
}

static void test_against_sklearn(void)
{
    size_t bytes;
    char *text = test_data("sklearn.txt", &bytes), *at = text;
    text[bytes] = 0;
    for (int i = 0; i < 4; i++)
        compare_case(&at);
    ok(!strcmp(at, "\n"), "the whole file is compared");
    free(text);
}

static void test_quantiles(void)
{
    double values[] = {4, NAN, 1, 3, 2, NAN, 5};
    near(rs_quantile(values, 7, .5), 3, 0, "the median of five among NaN");
    double four[] = {4, 1, 3, 2};
    near(rs_quantile(four, 4, .25), 1.75, 1e-15, "a quantile between two values");
    ok(rs_quantile(four, 4, 0) == 1 && rs_quantile(four, 4, 1) == 4, "the ends");
    double nothing[] = {NAN, NAN};
    ok(isnan(rs_quantile(nothing, 2, .5)) && isnan(rs_quantile(nothing, 0, .5)), "no value, no quantile");
}

/* Image i has ten pixels, i of them right at 1/2; the first has no vessel. */
static struct rs_packed ten_pixels(int i)
{
    uint64_t vessel[4] = {0}, background[4] = {0};
    if (i == 0) {
        background[2] = 10;
    } else {
        vessel[3] = (uint64_t)i;
        background[2] = (uint64_t)(10 - i);
    }
    struct rs_histogram h = histogram(4, vessel, background);
    struct rs_packed packed = rs_histogram_pack(&h);
    rs_histogram_free(&h);
    return packed;
}

static void test_bootstrap(void)
{
    struct rs_packed images[10];
    for (int i = 0; i < 10; i++)
        images[i] = ten_pixels(i);
    struct rs_bootstrap how = {.images = 10, .draws = 10000, .seed = 1};
    struct rs_maps maps = {.levels = 4, .threshold = .5, .images = images};
    struct rs_scores lower, upper, lower2, upper2;
    rs_bootstrap(&how, &maps, &lower, &upper);
    rs_bootstrap(&how, &maps, &lower2, &upper2);
    ok(!memcmp(&lower, &lower2, sizeof lower) && !memcmp(&upper, &upper2, sizeof upper),
       "one seed, one result");
    double sigma = sqrt(8.25 / 10) / 10; /* of the mean of ten of 0, .1, ..., .9 */
    near(lower.accuracy, .45 - 1.96 * sigma, .015, "lower bound of a mean");
    near(upper.accuracy, .45 + 1.96 * sigma, .015, "upper bound of a mean");
    ok(lower.count == 100 && lower.threshold == .5 && upper.threshold == .5, "count and threshold stay");
    how.seed = 2;
    rs_bootstrap(&how, &maps, &lower2, &upper2);
    ok(lower.accuracy != lower2.accuracy || upper.accuracy != upper2.accuracy || lower.dice != lower2.dice,
       "another seed, another result");
    how.images = 2;
    rs_bootstrap(&how, &maps, &lower, &upper);
    ok(lower.accuracy == 0 && upper.accuracy == .1, "two images: the bounds are the images");
    ok(lower.auc_roc == 1 && upper.auc_roc == 1, "draws without vessel are left out");
    how.images = 1;
    maps.images = images + 1;
    rs_bootstrap(&how, &maps, &lower, &upper);
    ok(isnan(lower.accuracy) && isnan(upper.auc_roc) && lower.count == 10, "one image has no bounds");
    for (int i = 0; i < 10; i++)
        free(images[i].at);
}

static void test_two_sided(void)
{
    const double apart[] = {1, 2, 3}, one[] = {-1, 1, NAN, 2, 3}, touching[] = {-3, -2, 0, -1};
    const double nothing[] = {0, 0}, undefined[] = {NAN};
    near(rs_two_sided_p(apart, 3), 2. / 4, 1e-15, "p of no value beyond 0");
    near(rs_two_sided_p(one, 5), 2. * 2 / 5, 1e-15, "of one in four and a NaN");
    near(rs_two_sided_p(touching, 4), 2. * 2 / 5, 1e-15, "of one that is 0, from the other side");
    ok(rs_two_sided_p(nothing, 2) == 1, "p is at most 1");
    ok(isnan(rs_two_sided_p(undefined, 1)) && isnan(rs_two_sided_p(NULL, 0)), "of no value it is undefined");
}

/* Of ten pixels at 1/2, `right` are right. */
static struct rs_packed right_pixels(int levels, int right)
{
    struct rs_histogram h = rs_histogram_start(levels);
    for (int i = 0; i < 10; i++)
        rs_histogram_add(&h, levels - 1, i < right);
    struct rs_packed packed = rs_histogram_pack(&h);
    rs_histogram_free(&h);
    return packed;
}

static void pair_up(const int first[], const int second[], size_t count, struct rs_difference *accuracy)
{
    struct rs_packed a[8], b[8];
    for (size_t i = 0; i < count; i++) {
        a[i] = right_pixels(4, first[i]);
        b[i] = right_pixels(256, second[i]);
    }
    const struct rs_bootstrap how = {.images = count, .draws = 999, .seed = 7};
    struct rs_difference differences[RS_FIGURES];
    rs_bootstrap_paired(&how, &(struct rs_maps){4, .5, a}, &(struct rs_maps){256, .25, b}, differences);
    *accuracy = differences[7];
    for (size_t i = 0; i < count; i++) {
        free(a[i].at);
        free(b[i].at);
    }
}

/* How many of the 999 draws of two images take image `which` twice. */
static int twice(uint64_t which)
{
    int count = 0;
    for (uint64_t i = 0; i < 999; i++) {
        struct rs_rng rng = rs_rng_at(7, "rs-score", 0, i);
        uint64_t a = rs_rng_below(&rng, 2), b = rs_rng_below(&rng, 2);
        count += a == which && b == which;
    }
    return count;
}

static void test_paired(void)
{
    struct rs_difference d;
    pair_up((int[]){9, 1, 5, 3}, (int[]){8, 0, 4, 2}, 4, &d);
    near(d.lower, .1, 1e-15, "images that all gain one pixel: every draw gains as much,");
    near(d.upper, .1, 1e-15, "since it takes the same images of both,");
    near(d.p, 2. / 1000, 1e-15, "and p is the least that 999 draws can tell");
    pair_up((int[]){9, 1, 5, 3}, (int[]){9, 1, 5, 3}, 4, &d);
    ok(d.lower == 0 && d.upper == 0 && d.p == 1, "nothing gained is no difference at all");
    pair_up((int[]){2, 5}, (int[]){5, 4}, 2, &d);
    near(d.lower, -.3, 1e-15, "one image loses three pixels,");
    near(d.upper, .1, 1e-15, "one gains one: the bounds are the images,");
    near(d.p, 2 * (twice(1) + 1) / 1000., 1e-15, "and only draws of the one gain");
    pair_up((int[]){2}, (int[]){5}, 1, &d);
    ok(isnan(d.lower) && isnan(d.upper) && isnan(d.p), "one image has neither bounds nor p");
}

/* The mean of all values so far, those k rows old weighing s^k: summed anew for every row. */
static double smoothed_naively(const double *x, size_t at, double s)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i <= at; i++)
        if (!isnan(x[i])) {
            sum += pow(s, (double)(at - i)) * x[i];
            weight += pow(s, (double)(at - i));
        }
    return isnan(x[at]) ? x[at] : sum / weight;
}

static void test_smooth(void)
{
    enum { ROWS = 200 };
    static const double all_s[] = {0, .5, .9, .999};
    struct rs_rng rng = rs_rng_at(1, "test", 0, 0);
    double x[ROWS], y[ROWS];
    for (int i = 0; i < ROWS; i++)
        x[i] = rs_rng_below(&rng, 3) ? rs_rng_uniform(&rng) : (double)NAN;
    for (int k = 0; k < 4; k++) {
        double worst = 0;
        bool gaps = true;
        rs_smooth(ROWS, x, all_s[k], y);
        for (size_t i = 0; i < ROWS; i++) {
            gaps &= isnan(x[i]) == isnan(y[i]);
            worst = fmax(worst, isnan(x[i]) ? 0 : fabs(y[i] - smoothed_naively(x, i, all_s[k])));
        }
        ok(gaps, "gaps stay gaps, s = %g", all_s[k]);
        near(worst, 0, 1e-13, "smoothed as by the sum over all rows, s = %g", all_s[k]);
    }
    for (int i = 0; i < ROWS; i++)
        x[i] = rs_rng_uniform(&rng);
    rs_smooth(ROWS, x, .8, y);
    near(y[ROWS - 1], y[ROWS - 2] + .2 * (x[ROWS - 1] - y[ROWS - 2]), 1e-12,
         "y += (1 - s) (x - y) in the end");
    near(y[0], x[0], 0, "and no bias in the beginning");
    rs_smooth(ROWS, x, 0, x);
    ok(x[7] != x[6], "in place");
}

/* A value after 11 rows without pulls as 1 - s^12. */
static void test_smooth_rare(void)
{
    double x[1200], y[1200];
    for (int i = 0; i < 1200; i++)
        x[i] = i % 12 == 11 ? i % 7 : (double)NAN;
    rs_smooth(1200, x, .9, y);
    near(y[1199], y[1187] + (1 - pow(.9, 12)) * (x[1199] - y[1187]), 1e-12,
         "rare values keep less of the past");
}

int main(void)
{
    test_by_hand();
    test_extremes();
    test_names();
    test_curve_by_hand();
    test_calibration_by_hand();
    test_bins();
    test_smooth();
    test_smooth_rare();
    test_thresholds();
    test_large_counts();
    test_histograms();
    test_against_sklearn();
    test_quantiles();
    test_bootstrap();
    test_two_sided();
    test_paired();
    return done();
}
