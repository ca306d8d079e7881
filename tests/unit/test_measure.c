#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/bootstrap.h"
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
    struct rs_bootstrap how = {.levels = 4, .threshold = .5, .draws = 10000, .seed = 1};
    struct rs_scores lower, upper, lower2, upper2;
    rs_bootstrap(&how, images, 10, &lower, &upper);
    rs_bootstrap(&how, images, 10, &lower2, &upper2);
    ok(!memcmp(&lower, &lower2, sizeof lower) && !memcmp(&upper, &upper2, sizeof upper),
       "one seed, one result");
    double sigma = sqrt(8.25 / 10) / 10; /* of the mean of ten of 0, .1, ..., .9 */
    near(lower.accuracy, .45 - 1.96 * sigma, .015, "lower bound of a mean");
    near(upper.accuracy, .45 + 1.96 * sigma, .015, "upper bound of a mean");
    ok(lower.count == 100 && lower.threshold == .5 && upper.threshold == .5, "count and threshold stay");
    how.seed = 2;
    rs_bootstrap(&how, images, 10, &lower2, &upper2);
    ok(lower.accuracy != lower2.accuracy || upper.accuracy != upper2.accuracy || lower.dice != lower2.dice,
       "another seed, another result");
    rs_bootstrap(&how, images, 2, &lower, &upper);
    ok(lower.accuracy == 0 && upper.accuracy == .1, "two images: the bounds are the images");
    ok(lower.auc_roc == 1 && upper.auc_roc == 1, "draws without vessel are left out");
    rs_bootstrap(&how, images + 1, 1, &lower, &upper);
    ok(isnan(lower.accuracy) && isnan(upper.auc_roc) && lower.count == 10, "one image has no bounds");
    for (int i = 0; i < 10; i++)
        free(images[i].at);
}

int main(void)
{
    test_by_hand();
    test_extremes();
    test_names();
    test_bins();
    test_thresholds();
    test_large_counts();
    test_histograms();
    test_against_sklearn();
    test_quantiles();
    test_bootstrap();
    return done();
}
