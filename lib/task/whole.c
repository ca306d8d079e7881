#include "task/whole.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "network/flow.h"

struct rs_whole {
    const struct rs_model *model;
    struct rs_folded folded;
    size_t memory;
    struct rs_flow *flow;
    struct rs_flow_strip strip; /* that `flow` was made for */
    struct rs_view_scratch scratch;

    const struct rs_view *view; /* of a run */
    struct rs_canvas *canvas;
    struct rs_flip flip;
    int width, height; /* of all strips together */
    int strips, parts; /* one after the other, and side by side in each */
};

struct rs_whole *rs_whole_new(const struct rs_model *model, size_t memory)
{
    struct rs_whole *whole = rs_alloc(1, sizeof *whole);
    whole->model = model;
    whole->memory = memory;
    rs_folded_make(&whole->folded, &model->net);
    return whole;
}

void rs_whole_free(struct rs_whole *whole)
{
    if (!whole)
        return;
    rs_flow_free(whole->flow);
    rs_view_scratch_free(&whole->scratch);
    rs_folded_free(&whole->folded);
    free(whole);
}

static int round_up(int size, int multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

void rs_whole_size(const struct rs_model *model, const struct rs_image *photograph, int *width, int *height)
{
    int multiple = rs_unet_multiple(&model->net.shape);
    *width = round_up(photograph->width, multiple);
    *height = round_up(photograph->height, multiple);
}

static struct rs_flow *flow_for(struct rs_whole *whole, const struct rs_flow_strip *strip)
{
    if (!whole->flow || memcmp(&whole->strip, strip, sizeof *strip) != 0) {
        rs_flow_free(whole->flow);
        whole->flow = rs_flow_new(&whole->folded, strip);
        whole->strip = *strip;
    }
    return whole->flow;
}

/* Where rows of a strip come from and go to. */
static struct rs_rectangle place(const struct rs_whole *whole, const struct rs_map *rows, int y, int x)
{
    struct rs_rectangle part = {x, y, rows->w, rows->h};
    return rs_view_flip(part, whole->width, whole->height, whole->flip);
}

static void source(void *context, struct rs_map rows, int y, int x)
{
    struct rs_whole *whole = context;
    struct rs_rectangle part = place(whole, &rows, y, x);
    rs_view_put(whole->view, &whole->scratch, &part, whole->flip, &rows);
}

static void sink(void *context, struct rs_map logits, int y, int x)
{
    const struct rs_whole *whole = context;
    rs_canvas_add(whole->canvas, &logits, 0, place(whole, &logits, y, x), whole->flip);
}

/* Columns that make a tile of the lowest level. */
static int lowest_tile(const struct rs_whole *whole)
{
    return RS_TILE * rs_unet_multiple(&whole->model->net.shape);
}

static struct rs_flow_strip strip_of(const struct rs_whole *whole, int strips, int number)
{
    struct rs_flow_strip strip = {
        .n = 1, .width = whole->width, .height = whole->height, .parts = whole->parts};
    int each = round_up((strip.width + strips - 1) / strips, lowest_tile(whole));
    strip.from = each * number < strip.width ? each * number : strip.width;
    strip.to = each * (number + 1) < strip.width ? each * (number + 1) : strip.width;
    return strip;
}

/* Bytes of the largest of so many strips. All are asked: how far a strip reads, and how many rows at once, is
 * different for each. */
static size_t largest_strip(const struct rs_whole *whole, int strips)
{
    size_t most = 0;
    for (int i = 0; i < strips; i++) {
        struct rs_flow_strip strip = strip_of(whole, strips, i);
        size_t bytes = strip.from < strip.to ? rs_flow_bytes(&whole->folded, &strip) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static bool fits(const struct rs_whole *whole, int strips)
{
    return largest_strip(whole, strips) <= whole->memory;
}

/* The fewest strips that fit: what lies between two is computed twice. 0 if none do, down to those that have a tile
 * of the lowest level for every part. */
static int fewest_strips(const struct rs_whole *whole)
{
    int most = whole->width / lowest_tile(whole) / whole->parts, too_few = 1;
    if (fits(whole, 1))
        return 1;
    if (most < 2 || !fits(whole, most))
        return 0;
    while (most - too_few > 1) {
        int middle = too_few + (most - too_few) / 2;
        if (fits(whole, middle))
            most = middle;
        else
            too_few = middle;
    }
    return most;
}

/* Where the memory is too little for as many parts as there are threads, some have to stand idle. */
static const char *choose_strips(struct rs_whole *whole)
{
    for (whole->parts = rs_threads(); whole->parts > 1; whole->parts /= 2)
        if ((whole->strips = fewest_strips(whole)))
            return NULL;
    if ((whole->strips = fewest_strips(whole)))
        return NULL;
    int narrowest = whole->width < lowest_tile(whole) ? 1 : whole->width / lowest_tile(whole);
    return rs_error("this model wants at least -memory=%zu", (largest_strip(whole, narrowest) >> 20) + 1);
}

const char *rs_whole_run(struct rs_whole *whole, const struct rs_view *view, struct rs_canvas *canvas,
                         struct rs_flip flip)
{
    whole->view = view;
    whole->canvas = canvas;
    whole->flip = flip;
    rs_whole_size(whole->model, view->photograph, &whole->width, &whole->height);
    const char *error = choose_strips(whole);
    for (int i = 0; !error && i < whole->strips; i++) {
        struct rs_flow_strip strip = strip_of(whole, whole->strips, i);
        if (strip.from < strip.to)
            rs_flow_run(flow_for(whole, &strip), source, sink, whole);
    }
    return error;
}
