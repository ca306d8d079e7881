#include "base/error.h"
#include "base/outfile.h"
#include "base/thread.h"
#include "cli/tool.h"
#include "picture/patch.h"
#include "picture/prep_meta.h"
#include "picture/sample.h"
#include "picture/statistics.h"
#include "task/fit.h"

static struct rs_prep prep = {.subtract_mean = true, .divide_std = true, .epsilon = .1};
static int mode, pixels;
static int64_t size, seed = 1, rank, kernel = 15, threads;
static double jitter[2];
static bool gray, green;
static const char *fit, *stats;

static struct rs_option options[] = {
    {"mode", RS_CHOICE, &mode, .argument = "patch|dataset|none|image|zca|zca-filter",
     .help = "over what mean and deviation are taken (patch)"},
    {"pixels", RS_CHOICE, &pixels, .argument = "image|fov",
     .help = "take them of all pixels, or in the field of view (image)"},
    {"size", RS_INT, &size, 1, RS_PATCH_MAX_SIZE, "N", .help = "the images are patches, no larger than this"},
    {"gray", RS_FLAG, &gray, .help = "one plane: the luminance"},
    {"green", RS_FLAG, &green, .help = "one plane: the green one"},
    {"no-mean", RS_NEGATED, &prep.subtract_mean, .help = "do not subtract the mean"},
    {"no-std", RS_NEGATED, &prep.divide_std, .help = "do not divide by the standard deviation"},
    {"jitter", RS_PAIR, &jitter, 0, 1, "SHARED,PLANE",
     .help = "vary brightness and contrast, for training (0,0)"},
    {"seed", RS_INT, &seed, 0, 0x1p53, "N", .help = "key of the random numbers of -jitter (1)"},
    {"fit", RS_OUTPUT, &fit, .argument = "STATS", .help = "write what a mode has to learn, and no tensors"},
    {"stats", RS_INPUT, &stats, .argument = "STATS", .help = "apply statistics that -fit wrote"},
    {"epsilon", RS_REAL, &prep.epsilon, RS_PREP_LEAST_EPSILON, 1, "E",
     .help = "zca: added to eigenvalues, in mean eigenvalues (.1)"},
    {"rank", RS_INT, &rank, 1, RS_WHITENING_MOST, "K",
     .help = "zca: keep the K largest eigenvalues, level the rest"},
    {"kernel", RS_INT, &kernel, 3, 63, "N", .help = "zca-filter: pixels of the filter's side, odd (15)"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "zca: threads (as many as CPUs)"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-norm",
    .operands = "[file ...]",
    .purpose = "turns images into normalised tensors",
    .options = options,
};

struct state {
    struct rs_prep prep;
    struct rs_fit fit;
    struct rs_sample sample;
};

/* Mode and planes come from STATS; an option may repeat what it says, not contradict it. */
static void load_stats(void)
{
    struct rs_prep loaded;
    rs_tool_check(stats, rs_statistics_load(&loaded, stats));
    const struct {
        const char *option;
        bool differs;
    } said[] = {{"mode", prep.mode != loaded.mode},          {"pixels", prep.fov_only != loaded.fov_only},
                {"gray", prep.planes != loaded.planes},      {"green", prep.planes != loaded.planes},
                {"no-mean", loaded.subtract_mean},           {"no-std", loaded.divide_std},
                {"epsilon", prep.epsilon != loaded.epsilon}, {"rank", rank != loaded.rank},
                {"kernel", kernel != loaded.window}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (rs_tool_given(said[i].option) && said[i].differs)
            rs_tool_usage("-%s contradicts %s", said[i].option, stats);
    prep = loaded;
}

/* Options of modes that whiten, and of those that do not. */
static void check_whitening(void)
{
    const struct {
        const char *option;
        bool serves;
    } served[] = {{"epsilon", rs_prep_whitens(&prep)},
                  {"rank", prep.mode == RS_PREP_ZCA},
                  {"kernel", prep.mode == RS_PREP_ZCA_FILTER},
                  {"no-mean", !rs_prep_whitens(&prep)},
                  {"no-std", !rs_prep_whitens(&prep)}};
    for (size_t i = 0; i < sizeof served / sizeof *served; i++)
        if (rs_tool_given(served[i].option) && !served[i].serves)
            rs_tool_usage("-%s goes not with -mode=%s", served[i].option, rs_prep_mode(&prep));
    if (prep.mode == RS_PREP_ZCA && prep.fov_only)
        rs_tool_usage("-pixels=fov goes not with -mode=zca, which whitens patches whole");
    if (kernel % 2 == 0)
        rs_tool_usage("-kernel=%jd has no centre: an odd number is wanted", (intmax_t)kernel);
    prep.rank = (int)rank;
    prep.window = prep.mode == RS_PREP_ZCA_FILTER ? (int)kernel : 0;
}

static void check_options(void)
{
    prep.mode = (enum rs_prep_mode)mode;
    prep.fov_only = pixels;
    prep.planes = gray ? RS_PLANES_GRAY : green ? RS_PLANES_GREEN : RS_PLANES_ALL;
    if (gray && green)
        rs_tool_usage("-gray and -green are two answers to one question");
    if (rs_tool_given("seed") && !rs_tool_given("jitter"))
        rs_tool_usage("-seed has no meaning without -jitter");
    if (fit && rs_tool_given("jitter"))
        rs_tool_usage("-jitter has no meaning with -fit");
    if (fit && stats)
        rs_tool_usage("-fit and -stats: write statistics or apply them");
    if (stats)
        load_stats();
    else
        check_whitening();
    if (size && rs_prep_is_whole(&prep))
        rs_tool_usage("-size names patches, but -mode=%s wants whole photographs", rs_prep_mode(&prep));
    if (fit && !rs_prep_learns(&prep))
        rs_tool_usage("-fit goes with -mode=dataset, zca and zca-filter");
    if (rs_prep_learns(&prep) && !fit && !stats)
        rs_tool_usage("-mode=%s needs -fit=STATS first, then -stats=STATS", rs_prep_mode(&prep));
    if (fit)
        rs_tool_check(fit, rs_outfile_try(fit));
    if (rs_prep_whitens(&prep))
        rs_tool_check(NULL, rs_threads_start((int)threads));
}

/* What a patch is, the network has to know: a model sees photographs in windows of its size. */
static const char *check_size(const struct rs_prep *made, const struct rs_image *image)
{
    if (rs_prep_is_by_patch(&prep) && !image->is_patch && !size)
        return rs_error("not a patch cut by rs-patch; if it is one, -size=N names its size");
    if (made->mode == RS_PREP_ZCA && (image->width != made->width || image->height != made->height))
        return rs_error("%d x %d, where patches of %d x %d are whitened", image->width, image->height,
                        made->width, made->height);
    if (size && (image->width > size || image->height > size))
        return rs_error("%d x %d is larger than a patch of -size=%jd", image->width, image->height,
                        (intmax_t)size);
    return NULL;
}

static const char *check_image(struct state *state, const struct rs_image *image, uint64_t index)
{
    if (index == 0) {
        state->prep = prep;
        if (!stats)
            state->prep.source = image->subject;
    }
    if (image->subject == RS_PROB)
        return rs_error("a map of probabilities, not a photograph");
    bool is_patch = image->is_patch || size, fixed = fit || prep.mode == RS_PREP_ZCA;
    if (!fixed || (index == 0 && !stats)) {
        state->prep.width = is_patch ? image->width : 0;
        state->prep.height = is_patch ? image->height : 0;
    }
    const char *error = rs_prep_fits(&state->prep, image);
    return error ? error : check_size(&state->prep, image);
}

static const char *add(void *context, struct rs_image *image, uint64_t index)
{
    struct state *state = context;
    const char *error = check_image(state, image, index);
    return error ? error : rs_fit_add(&state->fit, &state->prep, image, !rs_tool_quiet());
}

static const char *apply(void *context, struct rs_image *image, uint64_t index)
{
    struct state *state = context;
    const char *error = check_image(state, image, index);
    if (error)
        return error;
    rs_tool_check("stdout", rs_sample_write(stdout, &state->sample, &state->prep, image));
    return NULL;
}

int main(int argc, char **argv)
{
    static struct state state;
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    state.sample.jitter = (struct rs_jitter){jitter[0], jitter[1], (uint64_t)seed};
    uint64_t count = rs_tool_images(argv, fit ? add : apply, &state);
    if (fit)
        rs_tool_check(fit, rs_fit_save(&state.fit, &state.prep, fit));
    else
        rs_tool_check("stdout", rs_sample_flush(stdout, &state.sample, &state.prep));
    rs_tool_say("images read: %ju, samples written: %ju", (uintmax_t)count, (uintmax_t)(fit ? 0 : count));
    rs_sample_free(&state.sample);
    rs_fit_free(&state.fit);
    rs_prep_free(&state.prep);
    return rs_tool_end();
}
