#include "network/plan.h"

#include <stdio.h>
#include <stdlib.h>

struct builder {
    struct rs_unet *net;
    struct rs_plan plan;
};

static struct rs_span add_map(struct builder *b, int level, int c)
{
    b->plan.maps[b->plan.map_count] = (struct rs_plan_map){level, c};
    return (struct rs_span){b->plan.map_count++, 0, c};
}

static struct rs_span part(struct rs_span span, int first, int c)
{
    return (struct rs_span){span.map, span.first + first, c};
}

static struct rs_step *add_step(struct builder *b, enum rs_step_kind kind, struct rs_span in,
                                struct rs_span out)
{
    struct rs_step *step = &b->plan.steps[b->plan.count++];
    *step = (struct rs_step){.kind = kind, .in = in, .out = out, .level = b->plan.maps[in.map].level};
    return step;
}

static int level_of(const struct builder *b, struct rs_span span)
{
    return b->plan.maps[span.map].level;
}

struct name {
    char text[24];
};

/* "enc1.conv2": level 0 is the first. */
static struct name name_of(const char *what, int level, const char *layer, int number)
{
    struct name name;
    snprintf(name.text, sizeof name.text, "%s%d.%s%d", what, level + 1, layer, number);
    return name;
}

static void add_unit(struct builder *b, const char *what, int number, struct rs_span in, struct rs_span out)
{
    int level = level_of(b, in);
    struct rs_step *step = add_step(b, RS_STEP_UNIT, in, out);
    step->beyond = 1;
    step->conv = rs_layout_conv(b->net, name_of(what, level, "conv", number).text,
                                (struct rs_conv){3, in.c, out.c}, false);
    step->norm = rs_layout_norm(b->net, name_of(what, level, "norm", number).text, out.c);
}

static void add_block(struct builder *b, const char *what, struct rs_span in, struct rs_span out)
{
    struct rs_span between = add_map(b, level_of(b, in), out.c);
    add_unit(b, what, 1, in, between);
    add_unit(b, what, 2, between, out);
}

static void add_up(struct builder *b, struct rs_span below, struct rs_span out)
{
    enum rs_up kind = b->net->shape.up;
    bool transposed = kind == RS_UP_TRANSPOSED;
    char name[16];
    snprintf(name, sizeof name, "up%d", level_of(b, out) + 1);
    struct rs_span small = add_map(b, level_of(b, below), transposed ? 4 * out.c : out.c);
    struct rs_step *step = add_step(b, RS_STEP_PROJECT, below, small);
    step->conv = transposed ? rs_layout_transposed(b->net, name, below.c, out.c)
                            : rs_layout_conv(b->net, name, (struct rs_conv){1, below.c, out.c}, true);
    step = add_step(b, RS_STEP_UP, small, out);
    step->up = kind;
    step->beyond = kind == RS_UP_BILINEAR;
}

static void add_network(struct builder *b)
{
    const int *c = b->net->shape.channels, levels = b->net->shape.levels;
    struct rs_span join[RS_MAX_LEVELS], x = add_map(b, 0, b->net->shape.inputs);
    for (int l = 0; l < levels; l++) {
        if (l > 0) {
            struct rs_span pooled = add_map(b, l, c[l - 1]);
            add_step(b, RS_STEP_POOL, x, pooled);
            x = pooled;
        }
        join[l] = add_map(b, l, l + 1 < levels ? 2 * c[l] : c[l]);
        add_block(b, "enc", x, part(join[l], 0, c[l]));
        x = part(join[l], 0, c[l]);
    }
    for (int l = levels - 2; l >= 0; l--) {
        add_up(b, x, part(join[l], c[l], c[l]));
        x = add_map(b, l, c[l]);
        add_block(b, "dec", join[l], x);
    }
    add_step(b, RS_STEP_PROJECT, x, add_map(b, 0, 1))->conv =
        rs_layout_conv(b->net, "head", (struct rs_conv){1, x.c, 1}, true);
}

bool rs_span_meets(struct rs_span a, struct rs_span b)
{
    return a.map == b.map && a.first < b.first + b.c && b.first < a.first + a.c;
}

static void find_readers(struct rs_plan *plan)
{
    for (int i = 0; i < plan->count; i++)
        for (int later = i + 1; later < plan->count; later++)
            plan->steps[i].adds |= rs_span_meets(plan->steps[i].in, plan->steps[later].in);
}

struct rs_plan rs_plan_lay_out(struct rs_unet *net)
{
    struct builder b = {.net = net, .plan = {.levels = net->shape.levels}};
    add_network(&b);
    find_readers(&b.plan);
    return b.plan;
}

struct rs_plan rs_plan_of(const struct rs_unet_shape *shape)
{
    struct rs_unet copy = {.shape = *shape};
    struct rs_plan plan = rs_plan_lay_out(&copy);
    free(copy.entries);
    return plan;
}

int rs_step_descent(const struct rs_plan *plan, const struct rs_step *step)
{
    return plan->maps[step->out.map].level - step->level;
}

double rs_plan_products(const struct rs_plan *plan)
{
    double sum = 0;
    for (int i = 0; i < plan->count; i++) {
        struct rs_conv conv = plan->steps[i].conv.conv; /* zeros where there is none */
        sum += (double)conv.size * conv.size * conv.ci * conv.co / (double)(1 << 2 * plan->steps[i].level);
    }
    return sum;
}
