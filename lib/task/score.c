#include "task/score.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "measure/bootstrap.h"

enum {
    THRESHOLD = (offsetof(struct rs_scores, threshold) - offsetof(struct rs_scores, figures)) / sizeof(double)
};

struct rs_score {
    struct rs_score_options options;
    uint64_t images;
    struct rs_histogram one, all; /* the last image; every image */
    struct rs_packed *kept;       /* [images], or NULL where nothing waits for them; owned */
};

const char *rs_score_parse_pixels(const char *text, struct rs_score_pixels *pixels)
{
    static const char crop[] = "crop:";
    *pixels = (struct rs_score_pixels){.text = text, .fov = !strcmp(text, "fov")};
    if (pixels->fov || !strcmp(text, "image"))
        return NULL;
    if (strncmp(text, crop, sizeof crop - 1))
        return rs_error("'%s' is not one of fov|image|crop:X,Y,W,H", text);
    int64_t n[4];
    int count;
    const char *error = rs_parse_list(text + sizeof crop - 1, 0, RS_MAX_PIXELS, 4, n, &count);
    if (error)
        return error;
    if (count != 4 || n[2] == 0 || n[3] == 0)
        return rs_error("'%s' is not crop:X,Y,W,H with a width and a height", text);
    pixels->crop = true;
    pixels->x = (int)n[0];
    pixels->y = (int)n[1];
    pixels->width = (int)n[2];
    pixels->height = (int)n[3];
    return NULL;
}

const char *rs_score_parse_threshold(const char *text, struct rs_score_options *options)
{
    options->best_dice = !strcmp(text, "best-dice");
    if (options->best_dice)
        return NULL;
    const char *error = rs_parse_real(text, 0, 1, &options->threshold);
    return error ? rs_error("%s, best-dice or model", error) : NULL;
}

struct rs_score *rs_score_start(const struct rs_score_options *options)
{
    struct rs_score *score = rs_alloc(1, sizeof *score);
    score->options = *options;
    return score;
}

void rs_score_free(struct rs_score *score)
{
    for (uint64_t i = 0; score->kept && i < score->images; i++)
        free(score->kept[i].at);
    free(score->kept);
    rs_histogram_free(&score->one);
    rs_histogram_free(&score->all);
    free(score);
}

uint64_t rs_score_pixel_count(const struct rs_score *score)
{
    uint64_t sum = 0;
    for (int k = 0; k < score->all.levels; k++)
        sum += score->all.vessel[k] + score->all.background[k];
    return sum;
}

static const char *check(const struct rs_score *score, const struct rs_image *image)
{
    const struct rs_score_pixels *pixels = &score->options.pixels;
    char kind[32];
    rs_image_kind(image, kind);
    if (image->subject != RS_PROB || !image->has_vessel)
        return rs_error("TUPLTYPE %s, but a map of probability with its truth is wanted: PROB_VESSEL or "
                        "PROB_VESSEL_FOV, as rs-infer writes them",
                        kind);
    if (pixels->fov && !image->has_fov)
        return rs_error("%s has no field of view: add the plane with rs-fov or pamstack, or score with "
                        "-pixels=image",
                        kind);
    if (pixels->crop && ((int64_t)pixels->x + pixels->width > image->width ||
                         (int64_t)pixels->y + pixels->height > image->height))
        return rs_error("%s does not fit in %d x %d pixels", pixels->text, image->width, image->height);
    int maxval = score->one.levels - 1;
    if (score->images && maxval != image->maxval)
        return rs_error("maxval %d after images of maxval %d: pamdepth brings them to one", image->maxval,
                        maxval);
    return NULL;
}

static void count_pixels(struct rs_histogram *h, const struct rs_image *image,
                         const struct rs_score_pixels *pixels)
{
    int x0 = pixels->x, y0 = pixels->y;
    int width = pixels->crop ? pixels->width : image->width;
    int height = pixels->crop ? pixels->height : image->height;
    int planes = rs_image_planes(image), vessel = rs_image_vessel_plane(image);
    int fov = pixels->fov ? rs_image_fov_plane(image) : -1;
    for (int y = y0; y < y0 + height; y++) {
        const uint16_t *at = rs_image_at(image, x0, y);
        for (int x = 0; x < width; x++, at += planes)
            if (fov < 0 || rs_image_yes(image, at[fov]))
                rs_histogram_add(h, at[0], rs_image_yes(image, at[vessel]));
    }
}

static void keep(struct rs_score *score)
{
    score->kept = rs_realloc(score->kept, score->images + 1, sizeof *score->kept);
    score->kept[score->images] = rs_histogram_pack(&score->one);
}

const char *rs_score_add(struct rs_score *score, const struct rs_image *image)
{
    const char *error = check(score, image);
    if (error)
        return error;
    if (score->images == 0) {
        score->one = rs_histogram_start(image->maxval + 1);
        score->all = rs_histogram_start(image->maxval + 1);
    }
    rs_histogram_clear(&score->one);
    count_pixels(&score->one, image, &score->options.pixels);
    rs_histogram_merge(&score->all, &score->one);
    if (score->options.best_dice || score->options.draws)
        keep(score);
    score->images++;
    return NULL;
}

/* Lines go out one by one, so that a full disk or a reader that left shows at the line that met it. */
static const char *end_line(FILE *out)
{
    errno = 0;
    fputc('\n', out);
    return fflush(out) || ferror(out) ? rs_error_write(errno) : NULL;
}

static const char *write_header(FILE *out)
{
    fputs("image\tpixels\tcount", out);
    for (int i = 0; i < RS_FIGURES; i++)
        fprintf(out, "\t%s", rs_figure_names[i]);
    return end_line(out);
}

/* Nine digits tell every k/65536 from its neighbours. */
static const char *write_row(const struct rs_score *score, FILE *out, const char *name,
                             const struct rs_scores *s)
{
    fprintf(out, "%s\t%s\t%" PRIu64, name, score->options.pixels.text, s->count);
    for (int i = 0; i < RS_FIGURES; i++) {
        fputs(i == THRESHOLD && score->options.best_dice ? "\toracle:" : "\t", out);
        if (isnan(s->figures[i]))
            fputs("NA", out);
        else
            fprintf(out, "%.*g", i == THRESHOLD ? 9 : 6, s->figures[i]);
    }
    return end_line(out);
}

static const char *write_image_row(const struct rs_score *score, FILE *out, uint64_t index,
                                   const struct rs_scores *s)
{
    char name[24];
    snprintf(name, sizeof name, "%" PRIu64, index + 1);
    return write_row(score, out, name, s);
}

const char *rs_score_write_row(const struct rs_score *score, FILE *out)
{
    const char *error = score->images == 1 ? write_header(out) : NULL;
    if (error || score->options.best_dice)
        return error;
    struct rs_scores s = rs_scores_of(&score->one, score->options.threshold);
    return write_image_row(score, out, score->images - 1, &s);
}

static const char *write_waiting(const struct rs_score *score, FILE *out, double threshold)
{
    const char *error = NULL;
    struct rs_histogram one = rs_histogram_start(score->all.levels);
    for (uint64_t i = 0; !error && i < score->images; i++) {
        rs_histogram_clear(&one);
        rs_histogram_merge_packed(&one, &score->kept[i]);
        struct rs_scores s = rs_scores_of(&one, threshold);
        error = write_image_row(score, out, i, &s);
    }
    rs_histogram_free(&one);
    return error;
}

static const char *write_bounds(const struct rs_score *score, FILE *out, double threshold)
{
    struct rs_scores lower, upper;
    struct rs_bootstrap how = {score->all.levels, threshold, score->options.draws, score->options.seed};
    rs_bootstrap(&how, score->kept, score->images, &lower, &upper);
    const char *error = write_row(score, out, "lower", &lower);
    return error ? error : write_row(score, out, "upper", &upper);
}

const char *rs_score_write_end(const struct rs_score *score, FILE *out)
{
    bool best_dice = score->options.best_dice;
    double threshold = best_dice ? rs_best_dice_threshold(&score->all) : score->options.threshold;
    const char *error = best_dice ? write_waiting(score, out, threshold) : NULL;
    if (error)
        return error;
    struct rs_scores s = rs_scores_of(&score->all, threshold);
    error = write_row(score, out, "all", &s);
    return error || !score->options.draws ? error : write_bounds(score, out, threshold);
}
