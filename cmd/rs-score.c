#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "cli/tool.h"
#include "network/model.h"
#include "task/score.h"

static const char *pixels = "fov", *threshold = "0.5", *model;
static int64_t bootstrap, seed = 1, expect;

static struct rs_option options[] = {
    {"pixels", RS_TEXT, &pixels, .argument = "fov|image|crop:X,Y,W,H", .help = "the pixels that count (fov)"},
    {"threshold", RS_TEXT, &threshold, .argument = "T|best-dice|model", .help = "vessel where p >= T (0.5)"},
    {"model", RS_TEXT, &model, .argument = "FILE", .help = "the model that -threshold=model asks"},
    {"bootstrap", RS_INT, &bootstrap, 1, 1e6, .argument = "N", .help = "95 % bounds from N draws of images"},
    {"seed", RS_INT, &seed, 0, 0x1p53, .argument = "N", .help = "of the draws (1)"},
    {"expect", RS_INT, &expect, 1, 0x1p53, .argument = "N", .help = "fail unless there are N images"},
    {0},
};

static const struct rs_tool tool = {"rs-score", "[file ...]",
                                    "score vessel probability maps against their truth", options};

static const char *each(void *score, struct rs_image *image, uint64_t index)
{
    (void)index;
    const char *error = rs_score_add(score, image);
    if (!error)
        rs_tool_check("stdout", rs_score_write_row(score, stdout));
    return error;
}

static double model_threshold(void)
{
    double value;
    bool has;
    rs_tool_check(model, rs_model_read_threshold(model, &value, &has));
    if (!has)
        rs_tool_fail(model, "no threshold in this model, trained without -validate: give a number instead");
    return value;
}

static struct rs_score_options settings(void)
{
    struct rs_score_options chosen = {.draws = bootstrap, .seed = (uint64_t)seed};
    bool from_model = !strcmp(threshold, "model");
    if (from_model != (model != NULL))
        rs_tool_usage("-threshold=model and -model=FILE go together");
    const char *error = rs_score_parse_pixels(pixels, &chosen.pixels);
    if (error)
        rs_tool_usage("-pixels: %s", error);
    error = from_model ? NULL : rs_score_parse_threshold(threshold, &chosen);
    if (error)
        rs_tool_usage("-threshold: %s", error);
    if (from_model)
        chosen.threshold = model_threshold();
    return chosen;
}

int main(int argc, char **argv)
{
    rs_tool_begin(&tool, argc, &argv);
    struct rs_score_options chosen = settings();
    struct rs_score *score = rs_score_start(&chosen);
    uint64_t images = rs_tool_images(argv, each, score);
    if (expect && images != (uint64_t)expect)
        rs_tool_fail(NULL, rs_error("%" PRIu64 " of %" PRId64 " images", images, expect));
    rs_tool_check("stdout", rs_score_write_end(score, stdout));
    rs_tool_say("images scored: %" PRIu64 ", pixels: %" PRIu64, images, rs_score_pixel_count(score));
    rs_score_free(score);
    return rs_tool_end();
}
