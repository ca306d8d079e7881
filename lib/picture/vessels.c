#include "picture/vessels.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
    MOST_TIPS = 4096,
    CELLS = 160 /* of the map of where vessels run, on a side */
};

static const double STEP = .008, THINNEST = .0024, REACH = 1.01; /* REACH: vessels leave the field of view */

/* What steers a vessel: an arcade bends round the macula, the others keep to their aim. */
enum guide { ARCADE, FREE };

/* The growing end of a vessel. */
struct tip {
    enum guide guide;
    bool is_vein;
    double x, y, heading, radius;
    double bend;        /* curvature that wanders: tortuosity */
    double aim;         /* FREE: the heading it relaxes to */
    double up, opening; /* ARCADE: -1 above the macula, 1 below; parabola y^2 = opening x from the disc */
    double travelled, branch; /* so far; and at the next branching */
    int side, alongside;      /* of the next branch; steps beside a vessel of the other kind */
    uint16_t name, parent;
};

struct tree {
    const struct rs_eye *eye;
    struct rs_rng rng;
    void (*draw)(void *context, const struct rs_vessel_piece *piece);
    void *context;
    double area, area_wanted;
    struct tip *tips; /* waiting to grow */
    int waiting;
    uint16_t names;
    uint16_t (*map)[CELLS][CELLS]; /* [2][CELLS][CELLS]: names of arteries and veins */
};

static double between(struct tree *tree, double low, double high)
{
    return low + (high - low) * rs_rng_uniform(&tree->rng);
}

static uint16_t *cell(struct tree *tree, bool is_vein, double x, double y)
{
    int column = (int)((x / REACH + 1) / 2 * CELLS), row = (int)((y / REACH + 1) / 2 * CELLS);
    if (column < 0 || column >= CELLS || row < 0 || row >= CELLS)
        return NULL;
    return &tree->map[is_vein][row][column];
}

static void add_tip(struct tree *tree, struct tip tip)
{
    if (tree->waiting == MOST_TIPS || tip.radius < THINNEST)
        return;
    tip.name = ++tree->names;
    tip.travelled = 0;
    tip.alongside = 0;
    tip.side = rs_rng_uniform(&tree->rng) < .5 ? -1 : 1;
    tip.bend = 0;
    tree->tips[tree->waiting++] = tip;
}

static struct tip take_thickest(struct tree *tree)
{
    int best = 0;
    for (int i = 1; i < tree->waiting; i++)
        if (tree->tips[i].radius > tree->tips[best].radius)
            best = i;
    struct tip tip = tree->tips[best];
    tree->tips[best] = tree->tips[--tree->waiting];
    return tip;
}

/* Along the parabola first; past the fovea the two arcades close in on each other. */
static double arcade_heading(const struct rs_eye *eye, const struct tip *tip)
{
    double along = tip->x - eye->disc_x, away = fabs(tip->y - eye->disc_y);
    double closing = 1.1 * fmax(0, along - .6);
    return atan2(tip->up * (1 - closing), 2 * away / tip->opening);
}

static void steer(struct tree *tree, struct tip *tip)
{
    double aim = tip->guide == ARCADE ? arcade_heading(tree->eye, tip) : tip->aim;
    double pull = tip->guide == ARCADE ? 12 : 3;
    double wander = tree->eye->tortuosity * (4 + .03 / tip->radius);
    tip->bend += -25 * STEP * tip->bend + wander * sqrt(50 * STEP) * rs_rng_normal(&tree->rng) * .5;
    tip->heading += STEP * (pull * sin(aim - tip->heading) + tip->bend);
}

static void branch(struct tree *tree, struct tip *tip)
{
    struct tip child = *tip;
    double share = tip->guide == ARCADE ? between(tree, .35, .72) : between(tree, .45, .85);
    double turn = between(tree, .9, 1.2) * (1.25 - .8 * share);
    child.guide = FREE;
    child.parent = tip->name;
    child.radius = share * tip->radius;
    child.heading = tip->heading + tip->side * turn;
    child.aim = child.heading + tip->side * between(tree, -.5, .2);
    child.branch = between(tree, .06, .16);
    add_tip(tree, child);
    tip->radius *= cbrt(1 - share * share * share);
    tip->heading -= tip->side * .35 * share * share;
    tip->side = -tip->side;
    tip->branch = tip->travelled + between(tree, .05, .17);
}

/* No vessel grows into the fovea, out of the field, into its like, or for long beside another. */
static bool is_blocked(struct tree *tree, struct tip *tip)
{
    const struct rs_eye *eye = tree->eye;
    double x = tip->x + 2 * STEP * cos(tip->heading), y = tip->y + 2 * STEP * sin(tip->heading);
    if (hypot(x, y) > REACH || hypot(x - eye->fovea_x, y - eye->fovea_y) < .09)
        return true;
    if (tip->travelled < .04 || hypot(x - eye->disc_x, y - eye->disc_y) < 1.2 * eye->disc_radius)
        return false;
    uint16_t *like = cell(tree, tip->is_vein, x, y), *other = cell(tree, !tip->is_vein, x, y);
    tip->alongside = other && *other ? tip->alongside + 1 : 0;
    bool meets = like && *like && *like != tip->name && (*like != tip->parent || tip->travelled > .1);
    return meets || tip->alongside > 8;
}

static void step(struct tree *tree, struct tip *tip)
{
    double least = tree->eye->least_radius;
    struct rs_vessel_piece piece = {{tip->x}, {tip->y}, {fmax(least, tip->radius)}, tip->is_vein};
    steer(tree, tip);
    tip->x += STEP * cos(tip->heading);
    tip->y += STEP * sin(tip->heading);
    tip->radius *= 1 - .35 * STEP;
    tip->travelled += STEP;
    piece.x[1] = tip->x;
    piece.y[1] = tip->y;
    piece.radius[1] = fmax(least, tip->radius);
    tree->draw(tree->context, &piece);
    tree->area += 2 * piece.radius[1] * STEP;
    uint16_t *here = cell(tree, tip->is_vein, tip->x, tip->y);
    if (here)
        *here = tip->name;
}

static void grow(struct tree *tree, struct tip tip)
{
    while (tip.radius > THINNEST && tree->area < tree->area_wanted && !is_blocked(tree, &tip)) {
        step(tree, &tip);
        if (tip.travelled > tip.branch)
            branch(tree, &tip);
    }
}

/* An artery and a vein to each quarter, and a few thin vessels from the disc straight to the macula. */
static void plant(struct tree *tree)
{
    const struct rs_eye *eye = tree->eye;
    bool outer = rs_rng_uniform(&tree->rng) < .5; /* which of artery and vein has the wider arch */
    for (int quarter = 0; quarter < 8; quarter++) {
        bool temporal = quarter & 1;
        struct tip tip = {.is_vein = quarter & 2, .up = quarter & 4 ? 1 : -1};
        tip.guide = temporal ? ARCADE : FREE;
        tip.x = eye->disc_x + between(tree, -.2, .2) * eye->disc_radius;
        tip.y = eye->disc_y + between(tree, -.2, .2) * eye->disc_radius;
        tip.radius = between(tree, .0115, .014) * (temporal ? 1 : .75) * (tip.is_vein ? 1.15 : .9);
        tip.opening = between(tree, .3, .38) * (tip.is_vein != outer ? 1.2 : .75);
        tip.aim = tip.up * between(tree, 1.9, 2.6);
        tip.heading = temporal ? tip.up * between(tree, 1.4, 1.8) : tip.aim;
        tip.branch = eye->disc_radius + between(tree, .05, .2);
        add_tip(tree, tip);
    }
    for (int i = 0; i < 4; i++) {
        struct tip tip = {.guide = FREE, .is_vein = i & 1, .x = eye->disc_x, .y = eye->disc_y};
        tip.radius = between(tree, .0035, .0055);
        tip.heading = between(tree, -.9, .9);
        tip.aim = .6 * tip.heading;
        tip.branch = between(tree, .2, .4);
        add_tip(tree, tip);
    }
}

void rs_vessels_grow(const struct rs_eye *eye, struct rs_rng rng,
                     void (*draw)(void *context, const struct rs_vessel_piece *piece), void *context)
{
    struct tree tree = {.eye = eye, .rng = rng, .draw = draw, .context = context};
    tree.area_wanted = eye->share * M_PI;
    tree.tips = rs_alloc(MOST_TIPS, sizeof *tree.tips);
    tree.map = rs_alloc(2, sizeof *tree.map);
    plant(&tree);
    while (tree.waiting)
        grow(&tree, take_thickest(&tree));
    free(tree.tips);
    free(tree.map);
}
