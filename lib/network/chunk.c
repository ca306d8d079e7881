#include "network/chunk.h"

#include "layer/pool.h"

static const struct rs_up_sides WHOLE = {0};

static struct rs_map images(const struct rs_chunk *chunk, struct rs_map map)
{
    return rs_map_images(map, chunk->first, chunk->count);
}

static struct rs_map span_of(const struct rs_chunk *chunk, const struct rs_map *maps, struct rs_span span)
{
    return rs_map_channels(images(chunk, maps[span.map]), span.first, span.c);
}

void rs_chunk_forward(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_map x = span_of(chunk, chunk->tape->z, step->in), z = span_of(chunk, chunk->tape->z, step->out);
    switch (step->kind) {
    case RS_STEP_UNIT: {
        struct rs_map y = images(chunk, own->y);
        rs_conv_forward(y, x, step->conv.conv, own->packed, false, chunk->worker->scratch);
        rs_norm_moments(chunk->moments, y);
        break;
    }
    case RS_STEP_PROJECT:
        rs_conv_forward(z, x, step->conv.conv, own->packed, false, chunk->worker->scratch);
        break;
    case RS_STEP_POOL:
        rs_pool_forward(z, x);
        break;
    case RS_STEP_UP:
        rs_up_forward(z, x, step->up, WHOLE);
        break;
    }
}

static struct rs_drop drop_of(const struct rs_chunk *chunk, int i)
{
    struct rs_drop drop = chunk->drop;
    drop.layer = (uint64_t)chunk->tape->steps[i].unit;
    return drop;
}

void rs_chunk_finish(const struct rs_chunk *chunk, int i)
{
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_drop drop = drop_of(chunk, i);
    rs_norm_forward(span_of(chunk, chunk->tape->z, chunk->tape->plan.steps[i].out), images(chunk, own->y),
                    &own->norm, &drop, chunk->first);
}

void rs_chunk_slopes(const struct rs_chunk *chunk, int i)
{
    struct rs_span out = chunk->tape->plan.steps[i].out;
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_drop drop = drop_of(chunk, i);
    rs_norm_slopes(chunk->moments, span_of(chunk, chunk->tape->d, out), images(chunk, own->y), &own->norm,
                   &drop, chunk->first);
}

static void norm_back(const struct rs_chunk *chunk, int i, struct rs_map d)
{
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_drop drop = drop_of(chunk, i);
    rs_norm_backward(d, d, images(chunk, own->y), &own->norm, &drop, chunk->first);
}

static void conv_back(const struct rs_chunk *chunk, int i, struct rs_map dy)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    const struct rs_tape_step *own = &chunk->tape->steps[i];
    struct rs_map dx = span_of(chunk, chunk->tape->d, step->in);
    rs_conv_backward(chunk->worker->sums + own->sums, dy, span_of(chunk, chunk->tape->z, step->in),
                     step->conv.conv, chunk->worker->scratch);
    if (dx.data)
        rs_conv_forward(dx, dy, rs_conv_turned(step->conv.conv), own->turned, false, chunk->worker->scratch);
}

void rs_chunk_backward(const struct rs_chunk *chunk, int i)
{
    const struct rs_step *step = &chunk->tape->plan.steps[i];
    struct rs_map d = span_of(chunk, chunk->tape->d, step->out);
    struct rs_map dx = span_of(chunk, chunk->tape->d, step->in);
    switch (step->kind) {
    case RS_STEP_UNIT:
        norm_back(chunk, i, d);
        conv_back(chunk, i, d);
        break;
    case RS_STEP_PROJECT:
        conv_back(chunk, i, d);
        break;
    case RS_STEP_POOL:
        rs_pool_backward(dx, d, span_of(chunk, chunk->tape->z, step->in));
        break;
    case RS_STEP_UP:
        rs_up_backward(dx, d, step->up);
        break;
    }
}
