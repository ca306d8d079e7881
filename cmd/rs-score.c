#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "cli/partner.h"
#include "cli/tool.h"
#include "network/model.h"
#include "task/report.h"

static const char *pixels = "fov", *threshold = "0.5", *model, *compare;
static int64_t bootstrap, seed = 1, expect;
static int curve;
static bool choose;

static struct rs_option options[] = {
    {"pixels", RS_TEXT, &pixels, .argument = "fov|image|crop:X,Y,W,H", .help = "the pixels that count (fov)"},
    {"threshold", RS_TEXT, &threshold, .argument = "T|best-dice|model", .help = "vessel where p >= T (0.5)"},
    {"model", RS_MODEL, &model, .argument = "FILE",
     .help = "the model that -threshold=model asks (the one that came with the program)"},
    {"bootstrap", RS_INT, &bootstrap, 1, 1e6, .argument = "N", .help = "95 % bounds from N draws of images"},
    {"seed", RS_INT, &seed, 0, 0x1p53, .argument = "N", .help = "of the draws (1)"},
    {"compare", RS_INPUT, &compare, .argument = "OTHER",
     .help = "the differences to OTHER, maps of the same photographs, instead (1000 draws)"},
    {"curve", RS_CHOICE, &curve, .argument = "roc|pr|calibration",
     .help = "this curve of all pixels instead of the table"},
    {"choose", RS_FLAG, &choose,
     .help = "what suits all pixels, a threshold and a temperature, instead of the table"},
    {"expect", RS_INT, &expect, 1, 0x1p53, .argument = "N", .help = "fail unless there are N images"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-score",
    .operands = "[file ...]",
    .purpose = "score vessel probability maps against their truth",
    .options = options,
};

static struct rs_score *score, *other; /* of the operands, of -compare */

static const char *add(void *context, struct rs_image *image, uint64_t index)
{
    (void)context, (void)index;
    return rs_score_add(score, image);
}

static const char *add_row(void *context, struct rs_image *image, uint64_t index)
{
    const char *error = add(context, image, index);
    if (!error)
        rs_tool_check("stdout", rs_report_row(score, stdout));
    return error;
}

static const char *add_pair(void *context, struct rs_image *image, uint64_t index)
{
    struct rs_partner *partner = context;
    const struct rs_image *beside = rs_partner_next(partner);
    const char *error = add(NULL, image, index);
    if (error)
        return error;
    rs_tool_check(partner->here, rs_score_add(other, beside));
    error = rs_score_pair(&score->options.pixels, image, beside);
    return error ? rs_error("does not pair with %s: %s", partner->here, error) : NULL;
}

static uint64_t count_pairs(char **operands, const struct rs_score_options *chosen)
{
    struct rs_partner partner = rs_partner_open("compare", compare, operands);
    other = rs_score_start(chosen);
    uint64_t images = rs_tool_images(operands, add_pair, &partner);
    rs_partner_close(&partner);
    return images;
}

static void check_options(void)
{
    bool from_model = !strcmp(threshold, "model");
    if (model && !from_model)
        rs_tool_usage("-model=FILE goes with -threshold=model");
    if (from_model)
        model = rs_tool_model(model);
    if (rs_tool_given("curve") && (bootstrap || compare || rs_tool_given("threshold")))
        rs_tool_usage("-curve goes without -bootstrap, -compare and -threshold");
    if (choose && (rs_tool_given("curve") || bootstrap || compare || rs_tool_given("threshold")))
        rs_tool_usage("-choose goes without -curve, -bootstrap, -compare and -threshold");
    if (compare && !bootstrap)
        bootstrap = 1000;
}

static struct rs_score_options settings(void)
{
    struct rs_score_options chosen = {.draws = bootstrap, .seed = (uint64_t)seed};
    const char *error = rs_score_parse_pixels(pixels, &chosen.pixels);
    if (error)
        rs_tool_usage("-pixels: %s", error);
    error = model ? NULL : rs_score_parse_threshold(threshold, &chosen);
    if (error)
        rs_tool_usage("-threshold: %s", error);
    if (model)
        rs_tool_check(model, rs_model_read_threshold(model, &chosen.threshold));
    return chosen;
}

static const char *write_end(bool table)
{
    if (compare)
        return rs_report_comparison(score, other, stdout);
    if (table)
        return rs_report_table(score, stdout);
    if (choose)
        return rs_report_choice(score, stdout);
    return rs_report_curve(score, (enum rs_report_curve)curve, stdout);
}

int main(int argc, char **argv)
{
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    struct rs_score_options chosen = settings();
    bool table = !compare && !choose && !rs_tool_given("curve");
    score = rs_score_start(&chosen);
    uint64_t images =
        compare ? count_pairs(argv, &chosen) : rs_tool_images(argv, table ? add_row : add, NULL);
    if (expect && images != (uint64_t)expect)
        rs_tool_fail(NULL, rs_error("%" PRIu64 " of %" PRId64 " images", images, expect));
    rs_tool_check("stdout", write_end(table));
    rs_tool_say("images scored: %" PRIu64 ", pixels: %" PRIu64, images, rs_score_pixel_count(score));
    rs_score_free(score);
    if (compare)
        rs_score_free(other);
    return rs_tool_end();
}
