/* What the tests of kernels, layers and networks share: maps, naive twins in double, central differences.
 *
 * U is a float's rounding. A sum of K products, in whatever order it is taken, errs by at most K U times the
 * sum of the products' magnitudes (Higham, "Accuracy and Stability of Numerical Algorithms", 2002,
 * section 3.1), so a twin that is run on magnitudes says what tolerance each entry has. */
#ifndef RS_TESTS_TWINS_H
#define RS_TESTS_TWINS_H

#include "base/memory.h"
#include "base/rng.h"
#include "kernel/map.h"
#include "layer/loss.h"
#include "layer/norm.h"
#include "network/unet.h"

static const double U = 0x1p-24;

/* Of the largest entry of a gradient. Sums of at most 300 terms err by 300 U = 2e-5 of the terms' magnitudes;
 * this leaves a factor of five to terms that cancel. */
static const double GRADIENT = 1e-4;

/* Of the largest sum of a channel's magnitudes: what a convolution by way of Winograd's tiles may be off, a
 * result and a gradient of weights. Higham's bound, entry by entry, is for products alone. */
static const double WINOGRAD = 1e-5, WINOGRAD_WEIGHTS = 1e-4;

/* --- Fields: the twins' maps, double, without a border --- */

struct field {
    int n, h, w, c;
    double *v;
};

struct field field_new(int n, int h, int w, int c);
struct field field_of(const struct rs_map *map);
size_t cells(const struct field *f);

/* The [c] of a pixel; NULL outside the image. */
double *field_at(const struct field *f, int n, int y, int x);

double *doubles(const float *values, size_t count);
void make_positive(double *values, size_t count);

/* --- Maps --- */

extern struct rs_rng rng;

float noise(void); /* uniform in [-1, 1) */
float *noise_array(size_t count);

/* Maps in exactly the memory that a map needs. */
struct rs_map map_new(int n, int h, int w, int c); /* zeros */
struct rs_map map_noise(int n, int h, int w, int c);
struct rs_map map_like(const struct rs_map *map); /* unwritten: NaN in every pixel, none in the border */
struct rs_map map_unwritten(int n, int h, int w, int c);
struct rs_map map_of(const struct field *f);
void map_free(struct rs_map map);
size_t map_bytes(const struct rs_map *map);
void map_copy(struct rs_map to, const struct rs_map *from);    /* pixels, between maps of one shape */
bool map_same(const struct rs_map *a, const struct rs_map *b); /* shape and every pixel's bytes */
bool border_is_zero(const struct rs_map *map);

/* A map amid what is not its own: other channels, columns, rows, each a NaN of its own. */
struct island {
    struct rs_map map;
    float *all, *before;
    size_t floats;
};

/* The same pixels with a border of zeros, to be read; or to be written, with no border at all. */
struct island island_of(const struct rs_map *map);
struct island island_unwritten(int n, int h, int w, int c);
bool island_intact(const struct island *island); /* not a byte but the map's has changed */
void island_free(struct island *island);

/* --- Checks --- */

/* Entries within `terms` + 1 roundings of their magnitude, and a border of zeros. */
void check_map(const struct rs_map *found, const struct field *wanted, const struct field *magnitude,
               double terms, const char *name);
void check_array(const float *found, const double *wanted, const double *magnitude, size_t count,
                 double terms, const char *name);

/* The largest error of [count][c] in units of its channel's largest magnitude; NaN is infinitely far. */
double channel_error(const double *found, const double *wanted, const double *magnitude, size_t count, int c);

/* A scalar function of variables that lie where its context points, and its slope by central difference. */
struct function {
    double (*of)(const void *context);
    const void *context;
};
double slope(const struct function *f, double *variable, double step);

/* Every entry of what was found against the slope by its variable, within GRADIENT of the largest. */
void check_slopes_map(const struct function *f, const struct field *variables, const struct rs_map *found,
                      const char *name);
void check_slopes_array(const struct function *f, double *variables, size_t count, const float *found,
                        const char *name);
double weighed_sum(const struct field *weights, const struct field *y);

/* --- Twins of layers --- */

struct kernel {
    int size, co;
    const double *w, *b; /* b may be NULL */
};
size_t kernel_weights(int size, int ci, int co);
struct field conv_twin(const struct field *x, const struct kernel *k);

/* What a convolution's inputs get back. */
struct conv_gradient {
    struct field dx;
    double *dw, *db;
};
struct conv_gradient conv_back_twin(const struct field *dy, const struct field *x, const struct kernel *k);
void conv_gradient_free(struct conv_gradient *g);

/* A convolution: its data, what should come of them, and of their magnitudes. */
struct conv_case {
    int size, ci, co;
    struct rs_map x, dy;
    float *w, *b;
    struct field y, y_size;
    struct conv_gradient g, g_size;
};
struct conv_case conv_case_new(int size, int n, int h, int w, int ci, int co); /* noise, no twins */
void conv_case_twins(struct conv_case *t); /* from the data as they are now */
void conv_case_free(struct conv_case *t);

struct field pool_twin(const struct field *x);
struct field nearest_twin(const struct field *x);
struct field bilinear_twin(const struct field *x);
struct field spread_twin(const struct field *x);                             /* x of 4c channels [2][2][c] */
struct field transposed_twin(const struct field *x, const struct kernel *k); /* w [ci][2][2][co] */

/* A channel's mean and biased variance, in two passes. */
void moments(const struct field *y, int channel, double *mean, double *variance);

/* mean, variance: NULL for the batch's own. */
struct affine {
    const double *gamma, *beta, *mean, *variance;
};
struct field norm_twin(const struct field *y, const struct affine *affine);

/* Norm that leaves numbers as they are, for up to 64 channels. */
struct rs_norm identity_norm(void);

/* What is dropped of ones; kept entries tell the scale. */
struct field drop_mask(const struct rs_drop *drop, int n, int h, int w, int c);

/* Logits with their truth; field of view where `in_fov` is set. The first pixels are just over and just under
 * half of both. */
struct loss_case {
    struct rs_map x;
    struct field xd;
    uint8_t *vessel, *fov;
    struct rs_truth truth;
};
struct loss_case loss_case_new(int n, int h, int w, bool in_fov);
void loss_case_free(struct loss_case *t);
struct rs_loss loss_twin(const struct loss_case *t);
double mean_loss(const void *loss_case);

/* --- The whole network --- */

/* The network by its description: parameters and statistics by the names and places of `net`'s entries; without
 * statistics it is in training. What is dropped is taken from the layer, whose masks have tests of their own;
 * `drop` counts the blocks' halves in the order they are met. `margin` becomes the distance of the nearest ReLU or
 * pooling to its kink. */
struct net_twin {
    struct rs_unet net; /* its entries and shape alone are looked at */
    const double *p, *statistics;
    struct rs_drop drop;
    double margin;
};
struct field logits_twin(struct net_twin *net, const struct field *x);

/* The entry of that name; the test ends where there is none. */
const struct rs_unet_entry *entry_named(const struct rs_unet *net, const char *name);

/* "double, nearest"; the text is the next call's, too. */
const char *kind_name(const struct rs_unet_shape *shape);
enum { BLOCKS = RS_BLOCK_ATTENTION + 1, UPS = RS_UP_TRANSPOSED + 1 };

/* He's weights, and batch norms that differ from the identity. */
void draw_all(struct rs_unet *net);

#endif
