#include "network/chunk.h"

#include "layer/gate.h"
#include "layer/pool.h"
#include "layer/sum.h"

static const struct rs_up_sides WHOLE = {0};

static struct rs_map images(const struct rs_chunk *chunk, struct rs_map map)
{
    return rs_map_images(map, chunk->first, chunk->count);
}

static struct rs_map span_of(const struct rs_chunk *chunk, const struct rs_map *maps, struct rs_span span)
{
    return rs_map_channels(images(chunk, maps[span.map]), span.first, span.c);
}

static struct rs_map values(const struct rs_chunk *chunk, struct rs_span span)
{
    return span_of(chunk, chunk->tape->z, span);
}

static struct rs_map gradient(const struct rs_chunk *chunk, struct rs_span span)
{
    return span_of(chunk, chunk->tape->d, span);
}

/* Dropout counts units, whether it follows one at once or the sum that it is a part of. */
static struct rs_drop drop_of(const struct rs_chunk *chunk, int i)
{
    struct rs_drop drop = chunk->drop;
    drop.layer = (uint64_t)chunk->tape->steps[i].unit - (chunk->tape->plan.steps[i].kind == RS_STEP_ADD);
    return drop;
}

static void add_forward(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    struct rs_map z = values(chunk, step->out);
    struct rs_drop drop = drop_of(chunk, i);
    rs_sum_forward(z, values(chunk, step->in), values(chunk, step->side), false);
    rs_norm_forward(z, z, &chunk->tape->steps[i].norm, &drop, chunk->first);
}

void rs_chunk_forward(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_map x = values(chunk, step->in), z = values(chunk, step->out);
    switch (step->kind) {
    case RS_STEP_UNIT: {
        struct rs_map y = images(chunk, own->y);
        rs_conv_forward(y, x, step->conv.conv, own->packed, false, chunk->worker->scratch);
        rs_norm_moments(chunk->moments, y);
        break;
    }
    case RS_STEP_PROJECT:
        rs_conv_forward(z, x, step->conv.conv, own->packed, step->relu, chunk->worker->scratch);
        break;
    case RS_STEP_COPY:
        rs_sum_copy(z, x);
        break;
    case RS_STEP_ADD:
        add_forward(chunk, i);
        break;
    case RS_STEP_GATE:
        rs_gate_forward(z, x, values(chunk, step->side));
        break;
    case RS_STEP_POOL:
        rs_pool_forward(z, x);
        break;
    case RS_STEP_UP:
        rs_up_forward(z, x, step->up, WHOLE);
        break;
    }
}

void rs_chunk_finish(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_drop drop = drop_of(chunk, i);
    if (step->relu)
        rs_norm_forward(values(chunk, step->out), images(chunk, own->y), &own->norm, &drop, chunk->first);
    else
        rs_norm_affine(values(chunk, step->out), images(chunk, own->y), &own->norm);
}

/* The way back through a unit's batch norm and what is behind it. */
struct way_back {
    struct rs_norm norm;
    struct rs_drop drop;
};

static struct way_back way_back_of(const struct rs_chunk *chunk, int i)
{
    struct way_back back = {chunk->tape->steps[i].norm, drop_of(chunk, i)};
    if (!chunk->tape->plan.steps[i].relu) {
        back.norm.beta = chunk->tape->infinite;
        back.drop.p = 0;
    }
    return back;
}

void rs_chunk_slopes(const struct rs_chunk *chunk, int i)
{
    struct way_back back = way_back_of(chunk, i);
    rs_norm_slopes(chunk->moments, gradient(chunk, chunk->tape->plan.steps[i].out),
                   images(chunk, chunk->tape->steps[i].y), &back.norm, &back.drop, chunk->first);
}

static void norm_back(const struct rs_chunk *chunk, int i, struct rs_map d)
{
    struct way_back back = way_back_of(chunk, i);
    rs_norm_backward(d, d, images(chunk, chunk->tape->steps[i].y), &back.norm, &back.drop, chunk->first);
}

static void conv_back(const struct rs_chunk *chunk, int i, struct rs_map dy)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_conv turned = rs_conv_turned(step->conv.conv);
    struct rs_map dx = gradient(chunk, step->in);
    rs_conv_backward(chunk->worker->sums + own->sums, dy, values(chunk, step->in), step->conv.conv,
                     chunk->worker->scratch);
    if (dx.data && step->adds)
        rs_conv_add(dx, dy, turned, own->turned, chunk->worker->scratch);
    else if (dx.data)
        rs_conv_forward(dx, dy, turned, own->turned, false, chunk->worker->scratch);
}

/* What ReLU and dropout let through goes to both. */
static void add_back(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    struct rs_drop drop = drop_of(chunk, i);
    struct rs_map d = gradient(chunk, step->in);
    rs_norm_backward(d, gradient(chunk, step->out), values(chunk, step->out), &chunk->tape->steps[i].norm,
                     &drop, chunk->first);
    rs_sum_copy(gradient(chunk, step->side), d);
}

void rs_chunk_backward(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    struct rs_map d = gradient(chunk, step->out), dx = gradient(chunk, step->in);
    switch (step->kind) {
    case RS_STEP_UNIT:
        norm_back(chunk, i, d);
        conv_back(chunk, i, d);
        break;
    case RS_STEP_PROJECT:
        if (step->relu)
            rs_sum_mask(d, values(chunk, step->out));
        conv_back(chunk, i, d);
        break;
    case RS_STEP_COPY:
        if (dx.data)
            rs_sum_forward(dx, dx, d, false);
        break;
    case RS_STEP_ADD:
        add_back(chunk, i);
        break;
    case RS_STEP_GATE:
        rs_gate_backward(dx, gradient(chunk, step->side), d, values(chunk, step->in),
                         values(chunk, step->side));
        break;
    case RS_STEP_POOL:
        rs_pool_backward(dx, d, values(chunk, step->in));
        break;
    case RS_STEP_UP:
        rs_up_backward(dx, d, step->up);
        break;
    }
}
