#include "task/infer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "layer/probability.h"
#include "measure/temperature.h"
#include "network/evaluate.h"
#include "picture/patch.h"

/* The narrowest strip of a photograph that is worth the columns that it shares with its neighbours. */
enum { NARROW = 128 };

struct worker {
    struct rs_flow *flow;
    struct rs_flow_strip strip; /* that `flow` was made for */
    struct rs_image window;
    float *input; /* [channels][height][width] of a window */
    size_t floats;
};

struct corner {
    int x, y;
};

struct rs_infer {
    const struct rs_model *model;
    struct rs_folded folded;
    size_t memory; /* bytes for all flows */
    int step;      /* between windows; 0: whole photographs */
    struct worker *workers;
    const struct rs_image *photograph;
    struct rs_prep_constants constants; /* of the photograph */
    struct rs_image *map;

    int strips; /* of a whole photograph */

    struct rs_evaluator *evaluator; /* of windows */
    struct rs_map inputs;
    struct corner *corners; /* of the windows of a round */
    float *sum;             /* of probabilities, [h][w] of the photograph */
    uint32_t *number; /* of windows that were added there: up to the square of their width, at a step of 1 */
    size_t pixels;    /* that sum and number have room for */
};

struct rs_infer *rs_infer_start(const struct rs_model *model, int step, size_t memory)
{
    struct rs_infer *infer = rs_alloc(1, sizeof *infer);
    infer->model = model;
    infer->memory = memory;
    rs_folded_make(&infer->folded, &model->net);
    infer->workers = rs_alloc((size_t)rs_threads(), sizeof *infer->workers);
    if (model->prep.mode == RS_PREP_PATCH) {
        int least = model->prep.width < model->prep.height ? model->prep.width : model->prep.height;
        infer->step = step ? step : (least + 1) / 2;
    }
    return infer;
}

void rs_infer_free(struct rs_infer *infer)
{
    if (!infer)
        return;
    for (int i = 0; i < rs_threads(); i++) {
        rs_flow_free(infer->workers[i].flow);
        rs_image_free(&infer->workers[i].window);
        free(infer->workers[i].input);
    }
    free(infer->workers);
    rs_folded_free(&infer->folded);
    rs_evaluator_free(infer->evaluator);
    free(infer->corners);
    free(infer->sum);
    free(infer->number);
    free(infer);
}

static int round_up(int size, int multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

void rs_infer_size(const struct rs_infer *infer, const struct rs_image *photograph, int *width, int *height)
{
    const struct rs_model *model = infer->model;
    int multiple = rs_unet_multiple(&model->net.shape);
    *width = infer->step ? model->prep.width : round_up(photograph->width, multiple);
    *height = infer->step ? model->prep.height : round_up(photograph->height, multiple);
}

/* Outside a photograph that was normalised by itself all is 0, as it is in the tensors that rs-patch cuts. */
static void clear_outside(float *x, const struct rs_image *window, int channels, int columns, int rows)
{
    int width = window->width, height = window->height, first = columns > 0 ? columns : 0;
    for (int row = 0; row < channels * height; row++, x += width)
        for (int column = row % height < rows ? first : 0; column < width; column++)
            x[column] = 0;
}

/* The network's input for a part of the photograph, black outside it. */
static const float *cut_input(const struct rs_infer *infer, struct worker *worker,
                              const struct rs_image *photograph, struct corner at, int width, int height)
{
    size_t floats = (size_t)infer->model->net.shape.inputs * (size_t)width * (size_t)height;
    if (floats > worker->floats) {
        worker->input = rs_realloc(worker->input, floats, sizeof *worker->input);
        worker->floats = floats;
    }
    rs_patch_cut(&worker->window, photograph, at.x, at.y, width, height, true);
    const struct rs_prep *prep = &infer->model->prep;
    struct rs_prep_constants constants =
        infer->step ? rs_prep_constants(prep, &worker->window) : infer->constants;
    rs_prep_apply(prep, &constants, &worker->window, worker->input);
    if (prep->mode == RS_PREP_IMAGE)
        clear_outside(worker->input, &worker->window, rs_prep_channels(prep), photograph->width - at.x,
                      photograph->height - at.y);
    return worker->input;
}

void rs_infer_input(struct rs_infer *infer, const struct rs_image *photograph, int x, int y, float *input)
{
    int width, height;
    if (!infer->step)
        infer->constants = rs_prep_constants(&infer->model->prep, photograph);
    rs_infer_size(infer, photograph, &width, &height);
    const float *from = cut_input(infer, infer->workers, photograph, (struct corner){x, y}, width, height);
    memcpy(input, from,
           (size_t)infer->model->net.shape.inputs * (size_t)width * (size_t)height * sizeof *input);
}

/* Planes, [channels][h][w], to an image of a map. */
static void put_input(struct rs_map *x, int n, const float *from)
{
    for (int c = 0; c < x->c; c++)
        for (int i = 0; i < x->h; i++) {
            float *to = rs_map_at(x, n, i, 0) + c;
            for (int j = 0; j < x->w; j++, to += x->pixel)
                *to = *from++;
        }
}

static struct rs_flow *flow_for(struct rs_infer *infer, int number, const struct rs_flow_strip *strip)
{
    struct worker *worker = &infer->workers[number];
    if (!worker->flow || memcmp(&worker->strip, strip, sizeof *strip) != 0) {
        rs_flow_free(worker->flow);
        worker->flow = rs_flow_new(&infer->folded, strip);
        worker->strip = *strip;
    }
    return worker->flow;
}

/* Truth keeps its share of vessel, the field of view its yes or no. */
static void write_pixel(uint16_t *to, const uint16_t *from, const struct rs_image *photograph, double p)
{
    int vessel = rs_image_vessel_plane(photograph), fov = rs_image_fov_plane(photograph);
    bool inside = fov < 0 || rs_image_yes(photograph, from[fov]);
    *to++ = (uint16_t)(inside ? rs_level(p) : 0);
    if (vessel >= 0)
        *to++ = (uint16_t)((from[vessel] * 65535u + (unsigned)photograph->maxval / 2) /
                           (unsigned)photograph->maxval);
    if (fov >= 0)
        *to = inside ? 65535 : 0;
}

/* A strip of a whole photograph, run by one thread. */
struct strip_run {
    struct rs_infer *infer;
    struct worker *worker;
};

static void strip_source(void *context, struct rs_map rows, int y, int x)
{
    struct strip_run *run = context;
    put_input(
        &rows, 0,
        cut_input(run->infer, run->worker, run->infer->photograph, (struct corner){x, y}, rows.w, rows.h));
}

static void strip_sink(void *context, struct rs_map logits, int y, int x)
{
    struct strip_run *run = context;
    const struct rs_image *photograph = run->infer->photograph;
    for (int i = 0; i < logits.h && y + i < photograph->height; i++)
        for (int j = 0; j < logits.w && x + j < photograph->width; j++)
            write_pixel(
                rs_image_at(run->infer->map, x + j, y + i), rs_image_at(photograph, x + j, y + i), photograph,
                rs_temper(rs_sigmoid((double)*rs_map_at(&logits, 0, i, j)), run->infer->model->temperature));
}

static struct rs_flow_strip strip_of(const struct rs_infer *infer, int strips, int number)
{
    struct rs_flow_strip strip = {.n = 1};
    int tile = RS_TILE * rs_unet_multiple(&infer->model->net.shape);
    rs_infer_size(infer, infer->photograph, &strip.width, &strip.height);
    int each = round_up((strip.width + strips - 1) / strips, tile);
    strip.from = each * number < strip.width ? each * number : strip.width;
    strip.to = each * (number + 1) < strip.width ? each * (number + 1) : strip.width;
    return strip;
}

static void run_strip(void *context, int number, int worker)
{
    struct rs_infer *infer = context;
    struct rs_flow_strip strip = strip_of(infer, infer->strips, number);
    struct strip_run run = {infer, &infer->workers[worker]};
    if (strip.from < strip.to)
        rs_flow_run(flow_for(infer, worker, &strip), strip_source, strip_sink, &run);
}

/* Bytes of the largest of so many strips. All are asked: how far a strip reads, and how many rows at once, is
 * different for each. */
static size_t largest_strip(const struct rs_infer *infer, int strips)
{
    size_t most = 0;
    for (int i = 0; i < strips; i++) {
        struct rs_flow_strip strip = strip_of(infer, strips, i);
        size_t bytes = strip.from < strip.to ? rs_flow_bytes(&infer->folded, &strip) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Strips that all threads can run side by side in the memory there is, as few as keep the threads busy. */
static const char *choose_strips(struct rs_infer *infer)
{
    int threads = rs_threads(), width, height;
    rs_infer_size(infer, infer->photograph, &width, &height);
    int strips = width / NARROW < threads ? width / NARROW : threads;
    for (strips = strips < 1 ? 1 : strips;; strips += threads) {
        size_t wanted = largest_strip(infer, strips) * (size_t)(strips < threads ? strips : threads);
        infer->strips = strips;
        if (wanted <= infer->memory)
            return NULL;
        if (width / strips < RS_TILE * rs_unet_multiple(&infer->model->net.shape))
            return rs_error("%d threads want at least -memory=%zu for this model", threads,
                            (wanted >> 20) + 1);
    }
}

static const char *run_whole(struct rs_infer *infer)
{
    const char *error = choose_strips(infer);
    if (!error)
        rs_parallel(run_strip, infer, infer->strips);
    return error;
}

static void reserve(struct rs_infer *infer)
{
    size_t pixels = (size_t)infer->photograph->width * (size_t)infer->photograph->height;
    if (pixels > infer->pixels) {
        infer->sum = rs_realloc(infer->sum, pixels, sizeof *infer->sum);
        infer->number = rs_realloc(infer->number, pixels, sizeof *infer->number);
        infer->pixels = pixels;
    }
    memset(infer->sum, 0, pixels * sizeof *infer->sum);
    memset(infer->number, 0, pixels * sizeof *infer->number);
}

/* As many windows at once as the memory allows. */
static const char *start_evaluator(struct rs_infer *infer)
{
    const struct rs_prep *prep = &infer->model->prep;
    struct rs_flow_strip strip = {RS_GROUP, prep->width, prep->height, 0, prep->width};
    size_t threads = (size_t)rs_threads(), wanted;
    while ((wanted = threads * rs_flow_bytes(&infer->folded, &strip)) > infer->memory && strip.n > 1)
        strip.n /= 2;
    if (wanted > infer->memory)
        return rs_error("%zu threads want at least -memory=%zu for this model", threads, (wanted >> 20) + 1);
    int round = (int)threads * strip.n;
    infer->evaluator = rs_evaluator_new(&infer->model->net, round, prep->height, prep->width, strip.n);
    infer->inputs = rs_evaluator_input(infer->evaluator);
    infer->corners = rs_alloc((size_t)round, sizeof *infer->corners);
    return NULL;
}

static void fill_window(void *context, int n, int worker)
{
    struct rs_infer *infer = context;
    struct rs_map *x = &infer->inputs;
    put_input(x, n,
              cut_input(infer, &infer->workers[worker], infer->photograph, infer->corners[n], x->w, x->h));
}

/* Windows are added up in their order, whoever computed them. */
static void add_window(struct rs_infer *infer, struct rs_map logits, struct corner at, int n)
{
    const struct rs_image *photograph = infer->photograph;
    int right = photograph->width - at.x, low = photograph->height - at.y;
    int width = logits.w < right ? logits.w : right, height = logits.h < low ? logits.h : low;
    for (int i = 0; i < height; i++) {
        size_t to = (size_t)(at.y + i) * (size_t)photograph->width + (size_t)at.x;
        for (int j = 0; j < width; j++, to++) {
            infer->sum[to] += (float)rs_sigmoid((double)*rs_map_at(&logits, n, i, j));
            infer->number[to]++;
        }
    }
}

static void run_round(struct rs_infer *infer, int count)
{
    rs_parallel(fill_window, infer, count);
    struct rs_map logits = rs_evaluator_run(infer->evaluator, count);
    for (int n = 0; n < count; n++)
        add_window(infer, logits, infer->corners[n], n);
}

/* Windows start every `step` pixels, the last of a line so that it ends with the photograph. */
static bool next_start(int *at, int step, int size, int window)
{
    int last = size > window ? size - window : 0;
    if (*at == last)
        return false;
    *at = *at + step < last ? *at + step : last;
    return true;
}

static void write_average(struct rs_infer *infer)
{
    const struct rs_image *photograph = infer->photograph;
    size_t from = (size_t)rs_image_planes(photograph), to = (size_t)rs_image_planes(infer->map);
    for (size_t i = 0; i < (size_t)photograph->width * (size_t)photograph->height; i++)
        write_pixel(infer->map->samples + i * to, photograph->samples + i * from, photograph,
                    rs_temper((double)infer->sum[i] / infer->number[i], infer->model->temperature));
}

static const char *run_windows(struct rs_infer *infer)
{
    const struct rs_prep *prep = &infer->model->prep;
    const char *error = infer->evaluator ? NULL : start_evaluator(infer);
    if (error)
        return error;
    reserve(infer);
    struct corner at = {0, 0};
    int n = 0;
    for (bool more = true; more;) {
        infer->corners[n++] = at;
        if (!next_start(&at.x, infer->step, infer->photograph->width, prep->width)) {
            at.x = 0;
            more = next_start(&at.y, infer->step, infer->photograph->height, prep->height);
        }
        if (n == infer->inputs.n || !more) {
            run_round(infer, n);
            n = 0;
        }
    }
    write_average(infer);
    return NULL;
}

const char *rs_infer_image(struct rs_infer *infer, struct rs_image *map, const struct rs_image *photograph)
{
    const char *error = rs_prep_fits(&infer->model->prep, photograph);
    if (error)
        return error;
    struct rs_image like = {.subject = RS_PROB,
                            .has_vessel = photograph->has_vessel,
                            .has_fov = photograph->has_fov,
                            .is_patch = photograph->is_patch,
                            .maxval = RS_LEVELS - 1};
    rs_image_shape(map, &like, photograph->width, photograph->height, false);
    infer->photograph = photograph;
    if (!infer->step)
        infer->constants = rs_prep_constants(&infer->model->prep, photograph);
    infer->map = map;
    return infer->step ? run_windows(infer) : run_whole(infer);
}
